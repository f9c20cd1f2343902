/** Outputs and lists of missions as the kernel would tell them. */
import type {
  Compared,
  Finding,
  Listed,
  MarkdownBlock,
  MissionFacts,
  MissionRow,
  MissionState,
  Output,
  Shown,
  TaskState,
} from "../src/protocol";
import { at, pictureOf } from "./fixtures";

const finding = (
  severity: Finding["severity"],
  rule: string,
  path: string,
  line: number | null,
  text: string,
  agent: string,
  tool: string,
): Finding => ({
  severity,
  category: "security",
  rule,
  path,
  line,
  cell: path.endsWith(".ipynb") ? 4 : null,
  text,
  tool,
  agent,
});

export const FINDINGS: Finding[] = [
  finding(
    "critical",
    "CWE-639",
    "src/ledgerline/api/invoices.py",
    142,
    "The invoice’s owner is not checked. Changing the number shows another customer’s invoice.",
    "security-engineer",
    "files",
  ),
  finding(
    "high",
    "generic-api-key",
    "deploy/compose.yaml",
    23,
    "The database password is in this file and in 41 past commits.",
    "security-engineer",
    "detect-secrets",
  ),
  finding(
    "high",
    "S301",
    "src/ledgerline/jobs/queue.py",
    57,
    "Jobs are unpickled from Redis. Whoever can write there can run code here.",
    "backend-specialist",
    "ruff",
  ),
  finding(
    "medium",
    "S113",
    "notebooks/rates.ipynb",
    19,
    "No time-out: a silent rate server holds a worker for ever.",
    "backend-specialist",
    "ruff",
  ),
  finding(
    "low",
    "unpinned-uses",
    ".github/workflows/release.yml",
    27,
    "An action is pinned to a tag, not to a commit.",
    "devops-engineer",
    "zizmor",
  ),
];

const DEPENDENCIES = [
  ["jinja2", "3.1.2", "direct", "1"],
  ["pillow", "11.3.0", "direct", "0"],
  ["redis", "5.2.1", "direct", "0"],
  ["markupsafe", "3.0.2", "needed by jinja2", "0"],
];

const TABLE: Shown = {
  kind: "table",
  columns: [
    { name: "package", kind: "text" },
    { name: "version", kind: "text" },
    { name: "why", kind: "text" },
    { name: "advisories", kind: "number" },
  ],
  index: Array.from({ length: 84 }, (_, place) => String(place)),
  rows: Array.from({ length: 84 }, (_, place) => [
    ...(DEPENDENCIES[place] ?? [`package-${place}`, `1.${place}.0`, "needed by redis", "0"]),
  ]),
  total: 84,
  note: "",
};

export const MARKDOWN: MarkdownBlock[] = [
  {
    kind: "heading",
    line: ["Audit of ledgerline"],
    top: true,
  },
  {
    kind: "paragraph",
    line: [
      "Two findings must be mended ",
      {
        strong: "before 2.4",
      },
      ": see ",
      {
        link: "CWE-639",
        href: "https://cwe.mitre.org/data/definitions/639.html",
      },
      ".",
    ],
  },
  {
    kind: "heading",
    line: ["What to do first"],
    top: false,
  },
  {
    kind: "list",
    ordered: true,
    start: 1,
    items: [
      {
        line: [
          "Check the owner in ",
          {
            code: "invoices.py",
          },
        ],
        inner: null,
      },
      {
        line: ["Take the password out of the history"],
        inner: {
          kind: "list",
          ordered: false,
          start: 1,
          items: [
            {
              line: ["and change it"],
              inner: null,
            },
          ],
        },
      },
    ],
  },
  {
    kind: "table",
    heads: [["What"], ["Effort"]],
    rows: [
      [["Owner check"], ["an hour"]],
      [["Password"], ["half a day"]],
    ],
  },
  {
    kind: "code",
    text: "if invoice.owner != user.id:\n    raise NotFound",
  },
  {
    kind: "quote",
    line: ["Nothing else holds up the release."],
  },
];

export const DIFF = `diff --git a/src/ledgerline/api/invoices.py b/src/ledgerline/api/invoices.py
--- a/src/ledgerline/api/invoices.py
+++ b/src/ledgerline/api/invoices.py
@@ -140,5 +140,7 @@ def show(number: int, user: User) -> Invoice:
     invoice = Invoice.get(number)
-    return invoice
+    if invoice.owner != user.id:
+        raise NotFound(number)
+    return invoice
\x20
`;

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const table = (heads: string[], numbers: string[], rows: string[][]): Shown => ({
  kind: "table",
  columns: heads.map((name) => ({ name, kind: numbers.includes(name) ? "number" : "text" })),
  index: [],
  rows,
  total: rows.length,
  note: "",
});

const RUNS = table(
  ["Tool", "Status", "Looked at", "Findings", "Took", "How, or why not"],
  ["Findings"],
  [
    ["modules 1.4", "ran", "63 modules", "3", "1.2 s", "Cycles, unused modules, sizes"],
    ["detect-secrets 1.5.0", "nothing to do", "–", "0", "", "There is no file to look at"],
    ["pip-audit 2.7.3", "did not run", "–", "0", "", "It may not reach api.osv.dev"],
  ],
);

const COUNTED = table(
  ["Name", "Value"],
  [],
  [
    ["severity", "critical 1, high 2, medium 1, low 1"],
    ["category", "name 3, other 5"],
  ],
);

export const SHOWN: Readonly<Record<string, Shown>> = {
  "map-repo": {
    kind: "report",
    summary: "63 modules, 4 entry points, 9 places where outside data comes in.",
    parts: [
      { title: "Findings", what: "", shown: { kind: "findings", rows: FINDINGS, total: 5 } },
      { title: "What was changed", what: "diff, 9 lines", shown: { kind: "diff", text: DIFF } },
      {
        title: "Calls between modules",
        what: "PNG image, 68 bytes",
        shown: { kind: "image", data: PNG, media_type: "image/png", alt: "Calls" },
      },
      {
        title: "Entry points",
        what: "",
        shown: { kind: "json", text: '{\n "web": "app:main",\n "jobs": 3\n}' },
      },
      { title: "What each tool did", what: "", shown: RUNS },
      { title: "Counts", what: "", shown: COUNTED },
    ],
  },
  "inventory-deps": TABLE,
  "baseline-tests": { kind: "markdown", blocks: MARKDOWN },
  "scan-secrets": { kind: "text", text: "1 secret in 41 commits", note: "" },
  "audit-ci": { kind: "diff", text: DIFF },
};

const WHAT: Readonly<Record<string, string>> = {
  "map-repo": "Report, 5 findings",
  "inventory-deps": "DataFrame, 84 rows, 4 columns",
  "baseline-tests": "Markdown, 24 lines",
  "scan-secrets": "text, 1 line",
  "audit-ci": "diff, 10 lines",
};

const inCell = (code: string): string =>
  `import hypernb\nm = hypernb.Session().mission("m-7")\n${code}`;

/** The answer to `output`, for a mission in a state. */
export function outputOf(state: MissionState, task: string): Output {
  if (task !== "") {
    return {
      task,
      what: WHAT[task] ?? "nothing yet",
      python: inCell(`m.tasks["${task}"].output`),
      shown: SHOWN[task] ?? { kind: "none", why: `${task} has left no output.` },
    };
  }
  const begun = !["planning", "awaiting_approval", "rejected"].includes(state);
  const done = pictureOf(state).tasks.filter((each) => each.has_output);
  return {
    task: "",
    what: state === "succeeded" ? "Markdown, 24 lines" : "nothing yet",
    python: inCell("m.result()"),
    shown:
      state === "succeeded"
        ? { kind: "markdown", blocks: MARKDOWN }
        : { kind: "none", why: `There is no result: m-7 ${state}.` },
    mission: {
      result: [
        "The result is what ",
        { code: "write-report" },
        " gives, when it has succeeded",
      ],
      findings: begun ? { rows: FINDINGS, total: 5 } : { rows: [], total: 0 },
      all_findings: 'import hypernb; hypernb.Session().mission("m-7").findings',
      outputs: done.map(({ name }) => ({
        task: name,
        what: WHAT[name] ?? "dict, 3 keys",
        python: inCell(`m.tasks["${name}"].output`),
      })),
      total_outputs: done.length,
      total_tasks: 14,
    },
  };
}

// -- many missions -----------------------------------------------------------------------

const GOALS = [
  "Audit ledgerline before the 2.4 release: find security, correctness and upkeep problems, prove each one, rank them",
  "Profile the March invoices and say which columns cannot be trusted",
  "Find out why the nightly import takes four hours",
  "Write the missing tests of ledgerline/billing",
  "Compare the two forecasts of 2027",
  "List every place where a password could be logged",
];
const STATES: MissionState[] = [
  "awaiting_approval",
  "running",
  "running",
  "paused",
  "succeeded",
  "failed",
  "cancelled",
  "rejected",
];

const factsOf = (number: number, state: MissionState): MissionFacts => {
  const begun = state !== "awaiting_approval" && state !== "rejected";
  const ended = !["awaiting_approval", "running", "paused"].includes(state);
  return {
    ...pictureOf("running").mission,
    id: `01JD00000000000000000000${String(number).padStart(2, "0")}`,
    number,
    short_id: `m-${number}`,
    goal: GOALS[number % GOALS.length] ?? "",
    state,
    created_at: at(-number * 86_400),
    started_at: begun ? at(-number * 86_400 + 39) : null,
    finished_at: ended ? at(-number * 86_400 + 39 + number * 37) : null,
    playbook: number % 2 ? "" : "repo-audit",
    cost: begun ? 0.07 * number : 0,
    forked_from: number % 5 === 0 ? `m-${number - 1}` : "",
    forked_at: number % 5 === 0 ? "audit-ui" : "",
    rested_s: 0,
  };
};

const COUNTS: Readonly<Record<MissionState, [TaskState, number][]>> = {
  planning: [],
  awaiting_approval: [["pending", 14]],
  running: [
    ["succeeded", 5],
    ["running", 3],
    ["verifying", 1],
    ["stalled", 1],
    ["pending", 4],
  ],
  paused: [
    ["succeeded", 9],
    ["pending", 5],
  ],
  succeeded: [["succeeded", 14]],
  failed: [
    ["succeeded", 11],
    ["failed", 1],
    ["skipped", 2],
  ],
  cancelled: [
    ["succeeded", 2],
    ["cancelled", 12],
  ],
  rejected: [["cancelled", 14]],
};

const TOLD: Readonly<Record<MissionState, MissionRow["told"]>> = {
  planning: ["The plan is being made. Nothing runs."],
  awaiting_approval: [
    "The plan is ready: 14 tasks. ",
    { strong: "Nothing runs until you approve it." },
  ],
  running: [
    "4 tasks are running: ",
    { code: "audit-auth" },
    ", ",
    { code: "audit-api" },
    " and 2 more.",
  ],
  paused: ["Paused: nothing new starts until you resume it; 9 of 14 tasks had succeeded."],
  succeeded: ["23 findings, 14 of 14 tasks succeeded in 8 min 4 s."],
  failed: ["Task 'audit-ui' failed. 11 of 14 tasks succeeded, 5 findings."],
  cancelled: ["2 of 14 tasks succeeded."],
  rejected: ["The plan was rejected, and nothing ran: too dear."],
};

export function rowOf(number: number, state: MissionState): MissionRow {
  const mission = factsOf(number, state);
  const live = state === "running" || state === "paused";
  return {
    mission,
    total: 14,
    counts: COUNTS[state],
    at_work: state === "running" ? 4 : 0,
    told: TOLD[state],
    found: [],
    needs_you: state === "awaiting_approval",
    cost: `$${mission.cost.toFixed(2)}`,
    figures: figuresOf(number, state),
    actions: live
      ? [
          {
            verb: state === "running" ? "pause" : "resume",
            label: state === "running" ? "Pause" : "Resume",
            args: { mission: mission.short_id },
            twin: `%hyper ${state === "running" ? "pause" : "resume"} ${mission.short_id}`,
            kind: "plain",
          },
          {
            verb: "cancel",
            label: "Cancel mission…",
            args: { mission: mission.short_id },
            twin: `%hyper cancel ${mission.short_id}`,
            kind: "plain",
            confirm: {
              question: `Running work of ${mission.short_id} is stopped, the rest never starts.`,
              button: `Cancel ${mission.short_id}`,
            },
          },
        ]
      : [],
  };
}

function figuresOf(number: number, state: MissionState): string {
  const budget = number % 2 ? "$0.50" : "";
  const { cost, started_at } = factsOf(number, state);
  const spent = `$${cost.toFixed(2)}${budget && ` of ${budget}`} spent`;
  const live = state === "running" || state === "paused";
  return [
    started_at ? (cost > 0 || budget) && spent : budget && `It may spend ${budget}`,
    state === "succeeded" ? "23 findings so far" : live && "5 findings so far",
    state === "running" && "about 4 min left (3 to 6)",
  ]
    .filter(Boolean)
    .join(", ");
}

/** So many missions, newest first, in all states. */
export function rowsOf(many: number): MissionRow[] {
  return Array.from({ length: many }, (_, place) =>
    rowOf(many - place, STATES[place % STATES.length] ?? "succeeded"),
  );
}

/** The answer to `missions`. */
export function listedOf(all: readonly MissionRow[], args: Record<string, unknown>): Listed {
  const words = String(args.text ?? "")
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean);
  const states = (args.states ?? []) as string[];
  const found = all.filter(
    ({ mission }) =>
      (states.length === 0 || states.includes(mission.state)) &&
      words.every(
        (word) => mission.goal.toLowerCase().includes(word) || mission.short_id === word,
      ),
  );
  const offset = Number(args.offset ?? 0);
  const [word] = words;
  const where: MissionRow["found"] = word
    ? ["Found in an event of ", { code: "audit-api" }, ": use [", { strong: word }, "]."]
    : [];
  return {
    rows: found
      .slice(offset, offset + Number(args.limit ?? 50))
      .map((row) => ({ ...row, found: where })),
    total: found.length,
  };
}

/** The answer to `compare`. */
export function comparedOf(a: string, b: string): Compared {
  const side = (ref: string, state: MissionState): Compared["a"] => ({
    mission: { ...factsOf(Number(ref.slice(2)), state), short_id: ref },
    counts: COUNTS[state],
    facts: [
      { label: "Took", said: [state === "failed" ? "10 min 11 s" : "8 min 4 s"] },
      {
        label: "Sum of task times",
        said: [state === "failed" ? "23 min 22 s" : "19 min 50 s"],
      },
      { label: "Cost", said: ["$0.35 of $0.50"] },
      { label: "Findings", said: [state === "failed" ? "4" : "5"] },
    ],
  });
  return {
    a: side(a, "failed"),
    b: side(b, "succeeded"),
    difference: {
      from_revision: 1,
      to_revision: 2,
      added: ["check-advisories"],
      removed: ["audit-docs"],
      changed: [
        {
          task: "",
          field: "params",
          label: "parameters",
          old: "tests: no",
          new: "agents: qa-engineer, security-engineer; tests: yes",
          kept: ["", ""],
        },
        {
          task: "audit-ui",
          field: "goal",
          label: "goal",
          old: "Read the templates",
          new: "Read all 31 templates: escaping, forms, labels",
          kept: ["Read ", ""],
        },
        {
          task: "audit-ui",
          field: "timeout_s",
          label: "cap on time",
          old: "1 min",
          new: "3 min",
          kept: ["", " min"],
        },
      ],
      same: 11,
    },
    tasks: [
      {
        name: "map-repo",
        a: { state: "succeeded", more: "1 min 1 s" },
        b: { state: "succeeded", more: "48 s" },
        difference: "13 s less",
      },
      {
        name: "audit-ui",
        a: { state: "failed", more: "3 min, 3 attempts" },
        b: { state: "succeeded", more: "1 min 22 s, 2 attempts, 1 finding" },
        difference: "1 min 38 s less",
      },
      {
        name: "check-advisories",
        a: null,
        b: { state: "succeeded", more: "36 s, 1 finding" },
        difference: "",
      },
      {
        name: "audit-docs",
        a: { state: "skipped", more: "" },
        b: null,
        difference: "",
      },
    ],
    total_tasks: 4,
    findings: {
      only_a: { rows: FINDINGS.slice(3, 4), total: 1 },
      only_b: { rows: FINDINGS.slice(0, 2), total: 2 },
      both: 3,
    },
  };
}
