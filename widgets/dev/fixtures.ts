/** A mission as the kernel would tell it, for the page without Jupyter and for tests. */
import type {
  Action,
  AttemptFacts,
  EventFacts,
  HeadFacts,
  Meanings,
  MissionState,
  Phrase,
  Picture,
  PlanSpec,
  TaskFacts,
  TaskState,
} from "../src/protocol";

const START = Date.parse("2026-11-20T14:02:10Z");
export const MISSION_ID = "01JD0000000000000000000007";
export const NOW = START + 192_000;

export const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

type Row = [string, string, string, string[], number, TaskState, number, number];

/** Name, agent, goal, needs, cap in minutes, state, start and end in seconds. */
const ROWS: Row[] = [
  [
    "map-repo",
    "system-architect",
    "Map modules, entry points and where outside data comes in",
    [],
    2,
    "succeeded",
    0,
    48,
  ],
  [
    "scan-secrets",
    "security-engineer",
    "Look for secrets in the files and in the git history",
    [],
    2,
    "succeeded",
    0,
    31,
  ],
  [
    "inventory-deps",
    "devops-engineer",
    "List every dependency with its locked version",
    [],
    1,
    "succeeded",
    0,
    22,
  ],
  [
    "baseline-tests",
    "qa-engineer",
    "Run the tests once, before anything else, and keep the result",
    [],
    3,
    "succeeded",
    0,
    74,
  ],
  [
    "audit-auth",
    "security-engineer",
    "Read sign-in, sessions and permissions",
    ["map-repo", "scan-secrets"],
    5,
    "running",
    48,
    0,
  ],
  [
    "audit-api",
    "backend-specialist",
    "Read handlers and jobs: errors, time-outs, input",
    ["map-repo"],
    4,
    "verifying",
    48,
    0,
  ],
  [
    "audit-schema",
    "database-architect",
    "Read models, queries and migrations",
    ["map-repo"],
    4,
    "running",
    126,
    0,
  ],
  [
    "audit-ui",
    "frontend-specialist",
    "Read all 31 templates: escaping, forms, labels",
    ["map-repo"],
    3,
    "stalled",
    48,
    0,
  ],
  [
    "audit-modules",
    "system-architect",
    "Find import cycles, dead code and oversized functions",
    ["map-repo"],
    4,
    "running",
    48,
    0,
  ],
  [
    "audit-ci",
    "devops-engineer",
    "Read workflows and the container file",
    ["inventory-deps"],
    2,
    "succeeded",
    22,
    88,
  ],
  [
    "check-advisories",
    "devops-engineer",
    "Compare 84 locked versions with known advisories",
    ["inventory-deps"],
    2,
    "awaiting_approval",
    91,
    0,
  ],
  [
    "prove-findings",
    "qa-engineer",
    "Write one failing test or command for each finding",
    ["baseline-tests", "audit-auth", "audit-api", "audit-schema", "audit-ui"],
    5,
    "pending",
    0,
    0,
  ],
  [
    "rank-findings",
    "project-strategist",
    "Remove doubles, rank by harm and by effort to fix",
    ["audit-modules", "audit-ci", "check-advisories", "prove-findings"],
    2,
    "pending",
    0,
    0,
  ],
  [
    "write-report",
    "project-strategist",
    "Write the result: findings, evidence, what to fix first",
    ["rank-findings"],
    2,
    "pending",
    0,
    0,
  ],
];

const action = (
  verb: Action["verb"],
  label: string,
  twin: string,
  more: Partial<Action> = {},
): Action => ({
  verb,
  label,
  twin,
  args: {},
  kind: "plain",
  ...more,
});

const CANCEL = action("cancel", "Cancel mission…", "%hyper cancel m-7", {
  confirm: {
    question: "Everything that runs is stopped. What is done is kept.",
    button: "Cancel the mission",
  },
});

const stateIn = (mission: MissionState, state: TaskState): TaskState => {
  if (mission === "awaiting_approval" || mission === "planning") return "pending";
  if (mission === "rejected") return "cancelled";
  if (mission === "succeeded") return "succeeded";
  const over = mission === "failed" || mission === "cancelled";
  if (over && !["succeeded", "pending"].includes(state))
    return mission === "failed" && state === "stalled" ? "failed" : "cancelled";
  if (over && state === "pending") return mission === "failed" ? "skipped" : "cancelled";
  return state;
};

function tasksIn(mission: MissionState): TaskFacts[] {
  return ROWS.map(([name, agent, , , , state, from, to], index) => {
    const now = stateIn(mission, state);
    const begun = now !== "pending" && now !== "skipped" && mission !== "rejected";
    const ended = now === "succeeded" ? at(to || 192) : null;
    return {
      id: `01J${String(index + 1).padStart(4, "0")}`,
      number: index + 1,
      name,
      state: now,
      agent,
      attempt: begun ? (name === "audit-schema" ? 2 : 1) : 0,
      ready_at: begun ? at(from) : null,
      started_at: begun ? at(from) : null,
      finished_at: ended,
      heartbeat_at: begun ? at(name === "audit-ui" ? 92 : 190) : null,
      pid: begun && !ended ? 48_200 + index : null,
      note: name === "audit-auth" ? "8 of 14 files read" : "",
      error: now === "failed" ? "TimeoutError: no sign of life for 180 s" : "",
      outcome: ended ? "findings" : "",
      findings: name === "audit-auth" ? 1 : 0,
      worked_s: ended ? (to || 192) - from : name === "audit-schema" ? 72 : 0,
      cost: begun ? 0.004 + index * 0.003 : 0,
      tokens: begun ? 1_900 + index * 1_873 : 0,
      has_output: ended !== null,
    };
  });
}

function attemptsOf(tasks: readonly TaskFacts[]): AttemptFacts[] {
  return tasks.flatMap((task) => {
    if (task.started_at === null) return [];
    const last: AttemptFacts = {
      task_id: task.id,
      number: task.attempt,
      state:
        task.state === "succeeded" || task.state === "failed" || task.state === "cancelled"
          ? task.state
          : "running",
      started_at: task.started_at,
      finished_at:
        task.finished_at ??
        (task.state === "failed" || task.state === "cancelled" ? at(192) : null),
      pid: task.pid,
      error: task.error,
    };
    if (task.attempt < 2) return [last];
    const first: AttemptFacts = {
      ...last,
      number: 1,
      state: "failed",
      started_at: at(48),
      finished_at: at(120),
      error: "2 of 5 findings have no line number",
    };
    return [first, last];
  });
}

type Told = [number, string, string | null, Phrase];
const TOLD: Told[] = [
  [0, "mission.started", null, ["The mission started."]],
  [0, "task.started", "map-repo", ["Attempt 1 of 3, process 48200."]],
  [0, "task.started", "scan-secrets", ["Attempt 1 of 3, process 48201."]],
  [22, "task.finished", "inventory-deps", ["Done: 84 dependencies."]],
  [48, "task.finished", "map-repo", ["Done: 63 modules."]],
  [
    91,
    "approval.requested",
    "check-advisories",
    ["Asks to reach ", { code: "api.osv.dev" }, ", which is not in the plan."],
  ],
  [121, "check.failed", "audit-schema", ["2 of 5 findings have no line number."]],
  [
    121,
    "task.retried",
    "audit-schema",
    ["Attempt 1 failed its check. Attempt 2 of 3 starts in 5 s and is told why."],
  ],
  [126, "task.started", "audit-schema", ["Attempt 2 of 3, process 48377."]],
  [
    152,
    "task.stalled",
    "audit-ui",
    ["No heartbeat for 60 s. If none comes by 14:05:42, attempt 2 of 3 starts."],
  ],
  [161, "tool.called", "audit-auth", [{ code: "files.read src/ledgerline/auth/session.py" }]],
  [173, "task.progressed", "audit-auth", ["8 of 14 files read."]],
  [189, "tool.called", "audit-schema", [{ code: "git.log migrations/" }]],
];

export function eventsOf(howMany = 0): EventFacts[] {
  const made = TOLD.map(([second, kind, task, told], index) => ({
    seq: 100 + index * 7,
    at: at(second),
    kind,
    task,
    attempt: task ? 1 : null,
    payload: { note: "made up" },
    told,
  }));
  for (let n = 0; n < howMany; n += 1) {
    made.push({
      seq: 1_000 + n,
      at: at(190 + n / 1000),
      kind: "task.progressed",
      task: ROWS[n % 14]?.[0] ?? null,
      attempt: 1,
      payload: { note: `step ${n}` },
      told: [`Step ${n}.`],
    });
  }
  return made;
}

const PLAN: PlanSpec = {
  goal: "Audit ledgerline before the 2.4 release: find security, correctness and upkeep problems, prove each one, rank them",
  root: "/home/ada/ledgerline",
  scope: ["src/", "tests/", "templates/", "migrations/", "deploy/", ".github/"],
  budget: 0.5,
  deadline_s: 1200,
  result: "write-report",
  planned_by: "a person",
  tasks: ROWS.map(([name, agent, goal, needs, minutes]) => ({
    name,
    agent,
    goal,
    needs,
    timeout_s: minutes * 60,
    attempts: 3,
    cap_cost: 0.01 * minutes,
    estimate_s: minutes * 25,
    scope: ["src/"],
    work: { kind: "agent", tools: ["files", "scan"] },
  })),
};

const STORIES: Record<MissionState, [Phrase, Phrase, Phrase]> = {
  planning: [
    ["The plan is being made. Nothing runs."],
    ["The plan."],
    ["You see the plan and decide. Nothing runs before that."],
  ],
  awaiting_approval: [
    [
      "The plan is ready: 14 tasks for 8 agents. ",
      { strong: "Nothing runs until you approve it." },
    ],
    [
      { strong: "You" },
      ": approve, edit or reject. There is no time limit; you can close this notebook.",
    ],
    [
      "Once approved, 4 tasks start at once: ",
      { code: "map-repo" },
      ", ",
      { code: "scan-secrets" },
      ", ",
      { code: "inventory-deps" },
      " and ",
      { code: "baseline-tests" },
      ".",
    ],
  ],
  running: [
    [
      "4 agents are at work, on ",
      { code: "audit-auth" },
      ", ",
      { code: "audit-api" },
      ", ",
      { code: "audit-schema" },
      " and ",
      { code: "audit-modules" },
      ".",
    ],
    [
      { strong: "You, for 1 decision" },
      ": ",
      { code: "check-advisories" },
      ". The rest goes on.",
    ],
    [{ code: "prove-findings" }, ", when 4 audits are done."],
  ],
  paused: [
    ["Paused. Nothing runs."],
    [{ strong: "You" }, ": resume or cancel. There is no time limit."],
    [{ code: "%hyper resume m-7" }, " goes on where it stopped."],
  ],
  succeeded: [
    ["Finished. Nothing is running, nothing more is spent."],
    ["Nothing."],
    ["Your turn. ", { code: "%hyper result m-7" }, " gives the result."],
  ],
  failed: [
    ["It ended without its result. Nothing is running, nothing more is spent."],
    ["Nothing. It stays as it is."],
    [
      "Your turn. ",
      { code: "%hyper retry m-7" },
      " starts what failed once more; what succeeded is not run again.",
    ],
  ],
  cancelled: [
    ["Cancelled. Nothing is running, nothing more is spent."],
    ["Nothing. It stays as it is."],
    ["Your turn. ", { code: "%hyper retry m-7" }, " goes on with what is left."],
  ],
  rejected: [
    ["The plan was rejected. Nothing ran, and nothing will."],
    ["Nothing."],
    ["Your turn. A cell with ", { code: "%%hyper" }, " and a goal starts a new mission."],
  ],
};

function countsOf(tasks: readonly TaskFacts[]): [TaskState, number][] {
  const order: TaskState[] = [
    "succeeded",
    "failed",
    "running",
    "verifying",
    "awaiting_approval",
    "stalled",
    "waiting",
    "ready",
    "pending",
    "cancelled",
    "skipped",
  ];
  return order
    .map((state): [TaskState, number] => [
      state,
      tasks.filter((task) => task.state === state).length,
    ])
    .filter(([, many]) => many > 0);
}

function headOf(state: MissionState, tasks: readonly TaskFacts[]): HeadFacts {
  const [now, waiting, next] = STORIES[state];
  const running = state === "running";
  const before = state === "awaiting_approval";
  const ended = ["succeeded", "failed", "cancelled", "rejected"].includes(state);
  return {
    since: before ? "planned at 14:01:31" : "started 14:02:10, 3 min 12 s ago",
    now,
    waiting,
    next,
    total: 14,
    counts: countsOf(tasks),
    left: running ? "about 4 min left (3 to 6)" : "",
    left_s: running ? 240 : null,
    left_limits_s: running ? [180, 360] : null,
    left_from: running ? "from 11 past missions" : "",
    cost: before ? 0 : 0.21,
    unknown: 0,
    cost_says: before ? "$0.00" : "$0.21",
    spent: before ? "$0.00 of $0.50 spent" : "$0.21 of $0.50 spent",
    reserved: running ? 0.09 : 0,
    budget: 0.5,
    quote: 0.34,
    deadline_s: 1200,
    at_work: running ? 4 : 0,
    most_at_once: before ? 0 : 7,
    worked_s: before ? 0 : 959,
    elapsed_s: before ? 0 : 192,
    rested_s: 0,
    critical: ["map-repo", "audit-auth", "prove-findings", "rank-findings", "write-report"],
    critical_says: "It decides how long the mission takes.",
    expected_s: running
      ? { "prove-findings": 90, "rank-findings": 45, "write-report": 60 }
      : {},
    findings: before ? "" : "5 findings so far: 1 critical, 2 high, 1 medium, 1 low",
    needs: running
      ? [
          {
            task: "check-advisories",
            what: [
              { code: "check-advisories" },
              " asks to reach ",
              { code: "api.osv.dev" },
              ", to compare 84 package versions with known advisories.",
            ],
            actions: [
              action("retry", "Try it once more", "%hyper retry m-7 t11", {
                kind: "primary",
                args: { task: "check-advisories" },
              }),
              CANCEL,
            ],
          },
        ]
      : [],
    alarms: running
      ? [
          {
            task: "audit-ui",
            what: [
              { code: "audit-ui" },
              " is stalled, silent for 1 min 40 s. Attempt 2 of 3 starts by itself at 14:05:42.",
            ],
            actions: [
              action("retry", "Retry now", "%hyper retry m-7 audit-ui", {
                args: { task: "audit-ui" },
              }),
            ],
          },
        ]
      : [],
    actions: running
      ? [action("pause", "Pause", "%hyper pause m-7"), CANCEL]
      : state === "paused"
        ? [action("resume", "Resume", "%hyper resume m-7", { kind: "primary" }), CANCEL]
        : state === "failed" || state === "cancelled"
          ? [action("retry", "Retry what is left", "%hyper retry m-7", { kind: "primary" })]
          : before
            ? [
                action("approve", "Approve all 14 tasks", "%hyper approve m-7", {
                  kind: "primary",
                }),
                action("reject", "Reject…", "%hyper reject m-7", {
                  confirm: {
                    question: "Nothing of this plan will ever run.",
                    button: "Reject the plan",
                    reason: "Why (kept with the mission)",
                  },
                }),
              ]
            : [],
    task_actions: running
      ? {
          "audit-ui": [
            action("retry", "Retry now", "%hyper retry m-7 audit-ui", {
              args: { task: "audit-ui" },
            }),
          ],
        }
      : {},
    decision: before
      ? {
          allow: [
            {
              label: "Reads",
              said: [{ code: "src/, tests/, templates/, migrations/, deploy/, .github/" }],
            },
            { label: "Writes", said: ["nothing in your files; proofs are kept as artifacts"] },
            { label: "Reaches", said: ["no host"] },
            {
              label: "Spends",
              said: [
                "at most ",
                { strong: "$0.50" },
                " and ",
                { strong: "20 min" },
                ", then it stops and asks",
              ],
            },
          ],
          expect: [
            { label: "Cost", said: ["about ", { strong: "$0.34" }, " ($0.27 to $0.46)"] },
            { label: "Time", said: ["about ", { strong: "8 min" }, " (6 to 12)"] },
            { label: "At once", said: ["up to 7 agents"] },
            { label: "Based on", said: ["11 past missions like this one"] },
          ],
          notes: [],
          problems: [],
          models: [],
          record: [
            "Approving records revision 2, its hash ",
            { code: "9f3c41d8" },
            ", your name and the time. You can pause or cancel later.",
          ],
          steps: [
            ["t1 to t4 start at once."],
            ["The audits follow. You see findings as they are checked."],
            ["It ends with a table of findings, after about 8 min."],
          ],
          part: {
            record: [
              "Approving a part makes a new revision with only the ticked tasks and records " +
                "that one, its hash, your name and the time. You can pause or cancel later. " +
                "What lies outside of it is refused.",
            ],
            steps: [
              ["A new revision with only the ticked tasks is made and approved."],
              [
                "What needs nothing starts at once. The others follow, each when what it " +
                  "needs is done.",
              ],
              ["It ends when these tasks are done."],
            ],
          },
          difference: {
            from_revision: 1,
            to_revision: 2,
            added: [],
            removed: [],
            changed: [
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
                field: "cap_cost",
                label: "cap on cost",
                old: "$0.06",
                new: "$0.04",
                kept: ["", ""],
              },
            ],
            same: 13,
          },
          comments: [],
        }
      : null,
    last_change: ["14:05:19: ", { code: "audit-schema" }, " called git.log."],
    ending: ended
      ? {
          outcome:
            state === "succeeded"
              ? ["23 findings, 2 of them critical, from 14 tasks in 8 min 4 s."]
              : [`The mission ${state}.`],
          gaps:
            state === "failed"
              ? [{ task: "audit-ui", why: ["TimeoutError: no sign of life for 180 s."] }]
              : [],
          commands: [{ label: "%hyper result m-7", said: ["gives the result"] }],
        }
      : null,
  };
}

const MEANINGS: Meanings = {
  mission: {
    planning: "The plan is being made.",
    awaiting_approval: "Waits for a person. Nothing runs until the decision.",
    running: "At least one task may run.",
    paused: "Paused by a person. No new attempt starts.",
    succeeded: "Ended well. The result is there.",
    failed: "Ended without its result; says which task, and why.",
    cancelled: "Ended by a person.",
    rejected: "The plan was refused. Nothing ran.",
  },
  task: {
    pending: "Its needs are not done.",
    ready: "Could start; waits for a free place or for budget.",
    waiting: "Waits for something that is in use elsewhere.",
    running: "An attempt is at work.",
    verifying: "Its check is being made: not in use yet.",
    awaiting_approval: "A person decides whether it is safe to run twice.",
    stalled: "No heartbeat. Says what happens next, and when.",
    succeeded: "Ended without an error.",
    failed: "All attempts are used up, or it is not safe to repeat.",
    cancelled: "Ended by a person, or with its mission.",
    skipped: "Not needed any more.",
  },
  attempt: {
    running: "At work.",
    succeeded: "Ended without an error.",
    failed: "Ended with an error.",
    abandoned: "Its runner or its heartbeat was lost.",
    cancelled: "Ended by a person.",
    refused: "It was not let start.",
  },
};

/** The picture of a mission in a state. */
export function pictureOf(state: MissionState = "running", howManyEvents = 0): Picture {
  const tasks = tasksIn(state);
  const begun = !["planning", "awaiting_approval", "rejected"].includes(state);
  const ended = ["succeeded", "failed", "cancelled", "rejected"].includes(state);
  const events = begun ? eventsOf(howManyEvents) : [];
  return {
    type: "picture",
    n: 1,
    seq: events.at(-1)?.seq ?? 3,
    now: new Date(NOW).toISOString(),
    mission: {
      id: MISSION_ID,
      number: 7,
      short_id: "m-7",
      goal: PLAN.goal,
      state,
      created_at: at(-39),
      started_at: begun ? at(0) : null,
      finished_at: ended ? at(192) : null,
      playbook: "",
      planned_by: "a person",
      root: "/home/ada/ledgerline",
      priority: 50,
      revision: 2,
      plan_hash: "9f3c41d8e7",
      error: state === "failed" ? "Task 'audit-ui' failed." : "",
      cost: begun ? 0.21 : 0,
      by: "ada@ledger",
      forked_from: "",
      forked_at: "",
      rested_s: 0,
    },
    plan: state === "planning" ? null : PLAN,
    tasks: state === "planning" ? [] : tasks,
    attempts: begun ? attemptsOf(tasks) : [],
    events,
    total_events: events.length + 58,
    head: headOf(state, tasks),
    agents: [...new Set(ROWS.map((row) => row[1]))].map((name) => ({
      name,
      role: `What a ${name} is for`,
    })),
    tools: ["files", "scan", "git", "tests", "python", "kernel"],
    meanings: MEANINGS,
    clicks: { at_once: true, why: "" },
  };
}

/** A random layered plan of many tasks, the same for the same seed. */
export function largePicture(size: number, seed = 7): Picture {
  let random = seed;
  const next = (): number => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random / 2_147_483_648;
  };
  const perLayer = Math.max(4, Math.round(Math.sqrt(size) / 2));
  const specs: PlanSpec["tasks"] = [];
  const states: TaskState[] = ["succeeded", "running", "pending", "ready", "failed"];
  for (let n = 0; n < size; n += 1) {
    const layer = Math.floor(n / perLayer);
    const needs = new Set<string>();
    if (layer > 0) {
      for (let k = 0; k < 1 + Math.floor(next() * 2); k += 1)
        needs.add(`task-${(layer - 1) * perLayer + Math.floor(next() * perLayer)}`);
    }
    specs.push({
      name: `task-${n}`,
      goal: `Task ${n}`,
      agent: "qa-engineer",
      needs: [...needs],
      work: { kind: "agent" },
    });
  }
  const base = pictureOf("running");
  const model = base.tasks[0] as TaskFacts;
  return {
    ...base,
    plan: { ...PLAN, tasks: specs },
    tasks: specs.map((spec, n) => ({
      ...model,
      id: `L${n}`,
      number: n + 1,
      name: spec.name,
      agent: "qa-engineer",
      state: states[Math.floor(next() * states.length)] ?? "pending",
    })),
    attempts: [],
    head: { ...base.head, total: size, critical: [], needs: [], alarms: [] },
  };
}
