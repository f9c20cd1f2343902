import { type ComponentChild, type JSX, render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerAsks } from "../dev/answers";
import { FakeModel } from "../dev/fake-model";
import { MISSION_ID, pictureOf } from "../dev/fixtures";
import { DIFF, FINDINGS, MARKDOWN, outputOf, SHOWN } from "../dev/fixtures-results";
import { door, noteFrontEnd, servedPath } from "../src/front-end";
import { FindingsTable } from "../src/parts/findings-table";
import { Markdown } from "../src/parts/markdown";
import { ShownOutput } from "../src/parts/shown-output";
import type { Batch, MissionState, Shown } from "../src/protocol";
import { shown } from "../src/words";
import { OnPage, press, settled, textOf } from "./on-page";

let ends: (() => void)[] = [];

beforeEach(() => {
  ends = [];
});
afterEach(() => {
  for (const end of ends.reverse()) end();
  document.body.replaceChildren();
  vi.useRealTimers();
});

function open(state: MissionState, answers = true): OnPage {
  const page = new OnPage("result", (model) =>
    answers ? answerAsks(model, { state }) : () => {},
  );
  ends.push(() => page.close());
  page.say(pictureOf(state));
  return page;
}

async function passed(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

function put(jsx: ComponentChild): HTMLElement {
  const el = document.body.appendChild(document.createElement("div"));
  act(() => render(jsx, el));
  ends.push(() => render(null, el));
  return el;
}

/** A finding of a project that lies in ada's home. */
function OneFinding({ number }: { number: number }): JSX.Element {
  const rows = FINDINGS.slice(number, number + 1);
  return <FindingsTable findings={{ rows, total: 1 }} root="/home/ada/ledgerline" label="x" />;
}

describe("the result", () => {
  it("says while the mission runs what it will be", async () => {
    const { el } = open("running");
    await settled();
    expect(textOf(el)).toContain(
      "Not ready yet. The result is what write-report gives, when it has succeeded, " +
        "about 4 min left (3 to 6). What is below may still change.",
    );
    expect(textOf(el)).toContain("5 findings so far");
  });

  it("says before the approval that there is nothing", async () => {
    const { el } = open("awaiting_approval");
    await settled();
    expect(textOf(el)).toContain("Nothing runs until you approve the plan");
    expect(el.querySelector("table")).toBeNull();
  });

  it("shows the result of a mission that succeeded", async () => {
    const { el } = open("succeeded");
    await settled();
    expect(textOf(el.querySelector(".markdown") as Element)).toContain("Audit of ledgerline");
    const get = 'm = hypernb.Session().mission("m-7")';
    expect(textOf(el)).toContain("m.result()");
    expect(textOf(el)).toContain(`m is the mission: ${get}`);
    expect(textOf(el)).not.toContain("so far");
  });

  it("has findings once where they are the result", async () => {
    const page = open("succeeded", false);
    const answer = outputOf("succeeded", "");
    const findings = answer.mission?.findings;
    if (!findings) throw new Error("The mission has findings.");
    await settled();
    await page.answer({ ...answer, shown: { kind: "findings", ...findings } });
    expect(page.el.querySelectorAll('table[aria-label="Findings"]')).toHaveLength(0);
    expect(page.el.querySelectorAll("table").length).toBeGreaterThan(0);
  });

  it("says why there is none", async () => {
    const { el } = open("failed");
    await settled();
    expect(textOf(el)).toContain("There is no result: m-7 failed.");
  });

  it("lists outputs, and opens and closes one", async () => {
    const page = open("running");
    const { el } = page;
    await settled();
    press(el, "inventory-deps");
    await settled();
    expect(page.asks().at(-1)?.args).toEqual({ task: "inventory-deps", mission: MISSION_ID });
    const chosen = el.querySelector(".chosen") as Element;
    expect(textOf(chosen)).toContain("DataFrame, 84 rows, 4 columns");
    expect(chosen.querySelectorAll("tbody tr")).toHaveLength(20);
    press(chosen, "Show 20 more rows (64 left)");
    expect(chosen.querySelectorAll("tbody tr")).toHaveLength(40);
    expect(el.querySelector('[aria-current="true"] th')?.textContent).toBe("inventory-deps");
    press(chosen, "Close");
    expect(el.querySelector(".chosen")).toBeNull();
  });

  it("asks again when something came, but not for every event", async () => {
    vi.useFakeTimers();
    const page = open("running");
    await settled();
    expect(page.asks()).toHaveLength(1);
    const picture = pictureOf("running");
    const batch = (seq: number, findings: number): Batch => ({
      type: "batch",
      mission_id: MISSION_ID,
      n: seq,
      from_seq: picture.seq,
      seq: picture.seq + seq,
      now: picture.now,
      tasks: [{ ...(picture.tasks[4] as (typeof picture.tasks)[0]), findings }],
      attempts: [],
      events: [],
      total_events: 99,
    });
    page.say(batch(1, picture.tasks[4]?.findings ?? 0));
    await passed(1_100);
    expect(page.asks()).toHaveLength(1);
    for (let n = 2; n < 40; n += 1) page.say(batch(n, 100 + n));
    await passed(1_100);
    expect(page.asks()).toHaveLength(2);
    await passed(5_000);
    expect(page.asks()).toHaveLength(2);
  });

  it("shows a refusal where it asked", async () => {
    const page = open("running", false);
    await settled();
    await page.refuse("The store is gone.", "Look for it.");
    expect(textOf(page.el.querySelector('[role="alert"]'))).toBe(
      "The store is gone. Look for it.",
    );
  });

  it("copies the Python that gets an output", async () => {
    const writeText = vi.fn(async () => {});
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
    const { el } = open("running");
    await settled();
    press(el, 'Copy m.tasks["map-repo"].output');
    await settled();
    expect(writeText).toHaveBeenCalledWith(
      'import hypernb\nm = hypernb.Session().mission("m-7")\nm.tasks["map-repo"].output',
    );
    expect(textOf(el)).toContain("Copied");
    vi.unstubAllGlobals();
  });
});

describe("findings", () => {
  const rules = (el: Element): string[] =>
    [...el.querySelectorAll("tbody tr td:nth-child(2)")].map(textOf);

  it("sort by each column, and say by which", () => {
    const el = put(
      <FindingsTable
        findings={{ rows: FINDINGS, total: 5 }}
        root="/home/ada/ledgerline"
        label="Findings"
      />,
    );
    const heads = [...el.querySelectorAll("th")];
    expect(heads.map((head) => head.getAttribute("aria-sort"))).toEqual([
      "descending",
      null,
      null,
      null,
      null,
    ]);
    expect(rules(el)[0]).toBe("CWE-639");
    press(el, "Severity");
    expect(heads[0]?.getAttribute("aria-sort")).toBe("ascending");
    expect(rules(el)[0]).toBe("unpinned-uses");
    press(el, "Rule");
    expect(heads[1]?.getAttribute("aria-sort")).toBe("ascending");
    expect(rules(el)).toEqual(["CWE-639", "generic-api-key", "S113", "S301", "unpinned-uses"]);
    press(el, "Where");
    expect(rules(el)[0]).toBe("unpinned-uses");
  });

  it("say how many are not listed", () => {
    const el = put(
      <FindingsTable
        findings={{ rows: FINDINGS, total: 1234 }}
        root=""
        label="Findings"
        python="m.findings"
      />,
    );
    expect(textOf(el)).toContain(
      "The 5 most severe of 1,234 findings are listed. All of them: m.findings.",
    );
  });

  it("are text where no program can open a file", () => {
    const el = put(
      <FindingsTable findings={{ rows: FINDINGS, total: 5 }} root="/srv" label="x" />,
    );
    expect(el.querySelector("tbody button")).toBeNull();
    expect(textOf(el)).toContain("src/ledgerline/api/invoices.py:142");
    expect(textOf(el)).toContain("notebooks/rates.ipynb#cell-4:19");
  });
});

describe("opening files", () => {
  const serve = (folder: string): void => {
    const config = document.createElement("script");
    config.id = "jupyter-config-data";
    config.type = "application/json";
    config.textContent = JSON.stringify({ serverRoot: folder });
    document.body.append(config);
  };

  it.each([
    ["/home/ada", "/home/ada/ledgerline", "src/a.py", "ledgerline/src/a.py"],
    ["~/", "/home/ada/ledgerline", "a.py", "ledgerline/a.py"],
    ["~/notes", "/root/notes/x", "a.py", "x/a.py"],
    ["~", "/home/ada", "a.py", "a.py"],
    ["/", "/srv/x", "a.py", "srv/x/a.py"],
    ["C:\\Users\\ada", "C:\\Users\\ada\\x", "a.py", "x/a.py"],
    ["/home/ada", "/home/adam", "a.py", null],
    ["/home/ada", "/home/ada", "../../etc/passwd", null],
    ["/home/ada", "/home/ada", "/etc/passwd", null],
    ["/home/ada", "/home/ada", "", null],
  ])("%s, %s, %s: %s", (folder, root, path, wanted) => {
    serve(folder);
    expect(servedPath(root, path)).toBe(wanted);
  });

  it("goes through the application where it is exposed", async () => {
    serve("/home/ada");
    const setFragment = vi.fn();
    const execute = vi.fn(async () => ({ setFragment }));
    vi.stubGlobal("jupyterapp", { commands: { execute } });
    const el = put(<OneFinding number={0} />);
    press(el.querySelector("tbody") as Element, "src/ledgerline/api/invoices.py:142");
    await settled();
    expect(execute).toHaveBeenCalledWith("docmanager:open", {
      path: "ledgerline/src/ledgerline/api/invoices.py",
    });
    expect(setFragment).toHaveBeenCalledWith("#line=141");
    vi.unstubAllGlobals();
  });

  it("says so when it fails", async () => {
    serve("/home/ada");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const execute = vi.fn(async () => {
      throw new Error("no");
    });
    vi.stubGlobal("jupyterapp", { commands: { execute } });
    const el = put(<OneFinding number={0} />);
    press(el.querySelector("tbody") as Element, "src/");
    await settled();
    expect(textOf(el)).toContain("It could not be opened.");
    vi.unstubAllGlobals();
  });

  it("goes through the notebook's own links otherwise", () => {
    serve("/home/ada");
    const handleLink = vi.fn();
    const model = new FakeModel({});
    Object.assign(model, { widget_manager: { rendermime: { linkHandler: { handleLink } } } });
    noteFrontEnd(model);
    expect(door()?.open).toBeNull();
    const el = put(<OneFinding number={0} />);
    const button = el.querySelector("tbody button");
    expect(handleLink).toHaveBeenCalledWith(
      button,
      "ledgerline/src/ledgerline/api/invoices.py",
      "#line=141",
    );
    act(() => render(<OneFinding number={1} />, el));
    // A mark stays with its button, so another place has another button.
    expect(handleLink).toHaveBeenCalledTimes(4);
    expect(el.contains(button)).toBe(false);
    const bare = new FakeModel({});
    Object.assign(bare, { widget_manager: {} });
    noteFrontEnd(bare);
    expect(door()).toBeNull();
  });
});

describe("markdown", () => {
  it("becomes elements", () => {
    const el = put(
      <ShownOutput of={{ kind: "markdown", blocks: MARKDOWN }} label="x" root="" />,
    );
    expect([...el.querySelectorAll("h5")].map(textOf)).toEqual([
      "Audit of ledgerline",
      "What to do first",
    ]);
    expect(el.querySelectorAll("ol > li")).toHaveLength(2);
    expect(textOf(el.querySelector("ol ul li") as Element)).toBe("and change it");
    expect(el.querySelectorAll("table tbody tr")).toHaveLength(2);
    expect(el.querySelector("pre")?.textContent).toContain("raise NotFound");
    const link = el.querySelector("a") as HTMLAnchorElement;
    expect(link.getAttribute("href")).toBe("https://cwe.mitre.org/data/definitions/639.html");
    expect(link.rel).toContain("noopener");
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "/files/x.html", "//evil.example"])(
    "follows no link to %j, even if the kernel says so",
    (href) => {
      const line = [{ link: "words", href }];
      const el = put(<Markdown blocks={[{ kind: "paragraph", line }]} />);
      expect(el.querySelector("a")).toBeNull();
      expect(textOf(el)).toBe("words");
    },
  );
});

describe("outputs", () => {
  it("mark added and removed lines by sign, not by colour alone", () => {
    const el = put(<ShownOutput of={{ kind: "diff", text: DIFF }} label="x" root="" />);
    expect(textOf(el)).toContain("3 lines added (+), 1 line removed (-)");
    const added = [...el.querySelectorAll(".d-added")].map((each) => each.textContent);
    expect(added.every((line) => line?.startsWith("+"))).toBe(true);
    expect(added).toHaveLength(3);
  });

  it("show pictures of two kinds only", () => {
    const picture = (data: string, media_type: string): HTMLElement =>
      put(
        <ShownOutput
          of={{ kind: "image", data, media_type, alt: "A <b>plot</b>" } as Shown}
          label="x"
          root=""
        />,
      );
    const img = picture("iVBORw0KGgo=", "image/png").querySelector("img");
    expect(img?.getAttribute("src")).toBe("data:image/png;base64,iVBORw0KGgo=");
    expect(img?.alt).toBe("A <b>plot</b>");
    expect(picture("PHN2Zz4=", "image/svg+xml").querySelector("img")).toBeNull();
    expect(picture('x" onerror="alert(1)', "image/png").querySelector("img")).toBeNull();
  });

  it("show kinds of a later version as a sentence", () => {
    const el = put(
      <ShownOutput of={{ kind: "hologram" } as unknown as Shown} label="x" root="" />,
    );
    expect(textOf(el)).toBe("This view does not know how to show it.");
  });

  it("end somewhere, however deep they are", () => {
    let deep: Shown = { kind: "text", text: "x", note: "" };
    for (let n = 0; n < 50; n += 1) {
      deep = { kind: "report", summary: "", parts: [{ title: "p", what: "", shown: deep }] };
    }
    expect(textOf(put(<ShownOutput of={deep} label="x" root="" />))).toContain(
      "It goes on inside.",
    );
  });

  it("name each part of a report", () => {
    const of = SHOWN["map-repo"] as Shown;
    const el = put(<ShownOutput of={of} label="x" root="/srv" />);
    expect([...el.querySelectorAll("h5")].map((each) => each.firstChild?.textContent)).toEqual([
      "Findings",
      "What was changed",
      "Calls between modules",
      "Entry points",
      "What each tool did",
      "Counts",
    ]);
  });
});

describe("hostile text", () => {
  const HOSTILE = [
    '<script>globalThis.pwned = 1</script><img src=x onerror="globalThis.pwned = 1">',
    "[x](javascript:globalThis.pwned=1)",
    "\u001b[31mred\u001b[0m",
    "\u202egnp.exe\u2066\u200b",
    "W".repeat(100_000),
  ].join(" ");
  const every: Shown[] = [
    { kind: "text", text: HOSTILE, note: HOSTILE },
    { kind: "json", text: HOSTILE },
    {
      kind: "markdown",
      blocks: [
        { kind: "heading", top: true, line: [HOSTILE] },
        { kind: "paragraph", line: [{ em: HOSTILE }, { link: HOSTILE, href: HOSTILE }] },
        { kind: "quote", line: [{ strong: HOSTILE }] },
        { kind: "code", text: HOSTILE },
        { kind: "table", heads: [[HOSTILE]], rows: [[[{ code: HOSTILE }]]] },
        {
          kind: "list",
          ordered: false,
          start: 1,
          items: [{ line: [HOSTILE], inner: null }],
        },
      ],
    },
    { kind: "diff", text: `--- a\n+++ b\n@@ 1 @@\n+${HOSTILE}` },
    { kind: "none", why: HOSTILE },
    {
      kind: "table",
      columns: [{ name: HOSTILE, kind: "text" }],
      index: [HOSTILE],
      rows: [[HOSTILE]],
      total: 1,
      note: HOSTILE,
    },
    {
      kind: "findings",
      total: 1,
      rows: [
        {
          severity: HOSTILE as "low",
          category: HOSTILE,
          rule: HOSTILE,
          path: HOSTILE,
          line: 1,
          cell: null,
          text: HOSTILE,
          tool: HOSTILE,
          agent: HOSTILE,
        },
      ],
    },
    {
      kind: "report",
      summary: HOSTILE,
      parts: [{ title: HOSTILE, what: HOSTILE, shown: { kind: "none", why: HOSTILE } }],
    },
  ];

  it.each(every.map((of): [string, Shown] => [of.kind, of]))("in %s does nothing", (_, of) => {
    const el = put(<ShownOutput of={of} label={HOSTILE} root={HOSTILE} />);
    expect(el.querySelector("script, img, iframe, [onerror], [style*='url']")).toBeNull();
    for (const link of el.querySelectorAll("a")) {
      expect(link.getAttribute("href")).toMatch(/^(https?:|mailto:)/);
    }
    expect("pwned" in globalThis).toBe(false);
    for (const mark of ["\u001b", "\u202e", "\u2066", "\u200b"]) {
      expect(el.textContent).not.toContain(mark);
    }
    expect(el.textContent).toContain(shown("<script>"));
  });

  it("in an answer does nothing either", async () => {
    const page = open("succeeded", false);
    const { el } = page;
    await settled();
    const answer = outputOf("succeeded", "");
    await page.answer({
      ...answer,
      what: HOSTILE,
      python: HOSTILE,
      mission: {
        ...answer.mission,
        outputs: [{ task: HOSTILE, what: HOSTILE, python: HOSTILE }],
      },
    });
    expect(el.querySelector("script, img")).toBeNull();
    expect(textOf(el)).toContain("<script>");
    expect("pwned" in globalThis).toBe(false);
  });
});
