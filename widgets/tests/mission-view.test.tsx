import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { largePicture, pictureOf } from "../dev/fixtures";
import widget from "../src/index";
import type { MissionState, Picture } from "../src/protocol";
import { MISSION_WORDS } from "../src/words";
import { type OnPage, press, settle, showView } from "./shown";

const STATES = Object.keys(MISSION_WORDS) as MissionState[];
const pages: OnPage[] = [];
const show = (...args: Parameters<typeof showView>): OnPage => {
  const page = showView(...args);
  pages.push(page);
  return page;
};
afterEach(() => {
  vi.useRealTimers();
  for (const page of pages.splice(0)) page.end();
});

const tablist = (page: OnPage) => page.el.querySelector("[role=tablist]");
const change = (picture: Picture, head: Partial<Picture["head"]>): Picture => ({
  ...picture,
  head: { ...picture.head, ...head },
});

describe.each(STATES)("a mission that is %s", (state) => {
  it("says what it is, its state, and all three sentences", async () => {
    const page = show(pictureOf(state));
    await page.drawn();
    expect(page.el.querySelector("h3")?.textContent).toContain("Audit ledgerline");
    const word = page.el.querySelector(".stateline .word")?.textContent ?? "";
    expect(word.toLowerCase()).toBe(MISSION_WORDS[state].word);
    const labels = [...page.el.querySelectorAll(".now dt")].map((each) => each.textContent);
    expect(labels).toEqual(["Now", "Waiting for", "Next"]);
    const answers = [...page.el.querySelectorAll(".now dd")];
    expect(answers.every((each) => (each.textContent ?? "").length > 5)).toBe(true);
  });

  it("has tabs only if something has run", async () => {
    const page = show(pictureOf(state));
    await page.drawn();
    const before = ["planning", "awaiting_approval", "rejected"].includes(state);
    expect(tablist(page) === null).toBe(before);
  });

  it("has every button with its magic", async () => {
    const page = show(pictureOf(state));
    await page.drawn();
    for (const act of page.el.querySelectorAll(".act"))
      expect(act.querySelector("[role=tooltip] code")?.textContent).toMatch(/^%hyper /);
  });
});

describe("the head", () => {
  it("raises no alarm between the approval and the start", async () => {
    const page = show(change(pictureOf("awaiting_approval"), { decision: null, actions: [] }));
    await page.drawn();
    expect(page.el.querySelector(".stateline .word")?.textContent).toBe("Approved");
    expect(page.el.querySelector(".stateline .r-attention")).toBeNull();
  });

  it("says that nobody need act only where the mission goes on", async () => {
    const what = [{ code: "audit-ui" }, " failed: it ended."];
    const alarm = { task: "audit-ui", what, actions: [] };
    const page = show(
      change(pictureOf("running"), { needs: [], alarms: [{ ...alarm, ends: true }] }),
    );
    await page.drawn();
    expect(page.text()).toContain("Nothing more starts: audit-ui failed");
    expect(page.text()).not.toContain("You need not act: audit-ui");
  });

  it("does not count the time between an end and its retry", async () => {
    const whole = show(pictureOf("succeeded"));
    const rested = show(change(pictureOf("succeeded"), { rested_s: 60 }));
    await rested.drawn();
    const took = (page: OnPage): string =>
      /in (.*?), /.exec(page.el.querySelector(".since")?.textContent ?? "")?.[1] ?? "";
    expect(rested.text()).toContain(", with a pause of 1 min");
    expect(took(rested)).not.toBe(took(whole));
  });

  it("tells how long it took to the same digit as its events do", async () => {
    const picture = pictureOf("succeeded");
    const ended = Date.parse(picture.mission.started_at ?? "") + 4_130;
    const finished_at = new Date(ended).toISOString();
    const page = show({ ...picture, mission: { ...picture.mission, finished_at } });
    await page.drawn();
    expect(page.el.querySelector(".since")?.textContent).toMatch(/^in 4\.1 s/);
  });

  it("says on demand what the states mean", async () => {
    const page = show(pictureOf("running"));
    page.button("What the states mean").click();
    await page.drawn();
    const legend = page.el.querySelector(".legend-of-states") as Element;
    expect(legend.querySelectorAll("tbody tr")).toHaveLength(8 + 11 + 6);
    expect(legend.textContent).toContain("stalledNo heartbeat. Says what happens next");
  });

  it("counts the elapsed time, and only that", async () => {
    vi.useFakeTimers();
    const page = show(pictureOf("running"));
    await vi.advanceTimersByTimeAsync(100);
    const before = page.text();
    expect(before).toContain("3 min 12 s ago");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(page.text()).toContain("3 min 14 s ago");
    expect(page.text().replace(/3 min 14 s ago/, "3 min 12 s ago")).toBe(before);
    vi.useRealTimers();
  });

  it("counts no time that nobody tells of", async () => {
    vi.useFakeTimers();
    const page = show(pictureOf("running"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(page.text()).toContain("3 min 22 s ago");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.text()).toContain("Not live since");
    expect(page.text()).toContain("3 min 12 s ago");
    vi.useRealTimers();
  });

  it("shows time where there is neither a budget nor a cost", async () => {
    const page = show(change(pictureOf("running"), { budget: null, cost: 0, quote: null }));
    await page.drawn();
    expect(page.text()).toMatch(/3 min \d+ s of at most 20 min/);
    expect(page.text()).not.toContain("spent");
  });

  it("says that costs are unknown where calls have no known price, and never 0", async () => {
    const head = {
      budget: null,
      cost: 0,
      quote: null,
      unknown: 3,
      cost_says: "3 calls of unknown cost",
      spent: "3 calls of unknown cost",
    };
    const under = change(pictureOf("running"), head);
    const tasks = under.tasks.map((task) => ({ ...task, cost: 0, tokens: 900 }));
    const page = show({ ...under, tasks }, { tab: "board", task: "audit-schema" });
    await page.drawn();
    expect(page.el.querySelector(".meters")?.textContent).toContain("3 calls of unknown cost");
    expect(page.text()).not.toContain("$0.00");
    expect(page.el.querySelector(".task-panel")?.textContent).toContain(
      "cost not known, 900 tokens",
    );
    const ended = show(change(pictureOf("succeeded"), head));
    await ended.drawn();
    expect(ended.text()).toMatch(/in \d[^,]* for 3 calls of unknown cost/);
  });

  it("draws a segment for each task, and of very many one for each state", async () => {
    const segments = async (picture: Picture): Promise<number> => {
      const page = show(picture);
      await page.drawn();
      return page.el.querySelectorAll(".meters .bar i").length;
    };
    expect(await segments(pictureOf("running"))).toBe(14);
    const counts: ["succeeded" | "pending", number][] = [
      ["succeeded", 400],
      ["pending", 600],
    ];
    const large = largePicture(200);
    expect(await segments({ ...large, head: { ...large.head, total: 1_000, counts } })).toBe(2);
  });

  it("folds to one line, and unfolds", async () => {
    const page = show();
    await page.drawn();
    page.button("Fold head").click();
    await page.drawn();
    expect(page.el.querySelector("h3")).toBeNull();
    expect(page.el.querySelector(".headline")?.textContent).toContain(
      "5 of 14 tasks succeeded",
    );
    page.model.say(pictureOf("running"));
    await page.drawn();
    page.button("Unfold head").click();
    await page.drawn();
    expect(page.el.querySelector("h3")).not.toBeNull();
  });

  it("keeps the goal and the focus when it is folded and unfolded", async () => {
    const page = show();
    await page.drawn();
    page.button("Fold head").focus();
    page.button("Fold head").click();
    await page.drawn();
    expect(document.activeElement).toBe(page.button("Unfold head"));
    const goal = page.el.querySelector(".folded-goal");
    expect(goal?.textContent).toContain("Audit ledgerline");
    expect(goal?.getAttribute("title")).toContain("Audit ledgerline");
    page.button("Unfold head").click();
    await page.drawn();
    expect(document.activeElement).toBe(page.button("Fold head"));
  });

  it("tells what failed from what is missing", async () => {
    const picture = pictureOf("failed");
    const failed = picture.tasks.find((task) => task.state === "failed")?.name ?? "";
    const ending = picture.head.ending && {
      ...picture.head.ending,
      gaps: [
        { task: failed, why: ["It gave up."] },
        { task: "write-report", why: ["It needs what failed."] },
      ],
    };
    const tasks = picture.tasks.map((task) =>
      task.name === "write-report" ? { ...task, state: "skipped" as const } : task,
    );
    const page = show({ ...change(picture, { ending }), tasks });
    await page.drawn();
    const listed = [...page.el.querySelectorAll(".block")].map((each) =>
      (each.textContent ?? "").replace(/\s+/g, " "),
    );
    const [what] = listed.filter((each) => each.startsWith("What failed"));
    const [rest] = listed.filter((each) => each.startsWith("What is missing"));
    expect(failed && what).toContain(failed);
    expect(what).not.toContain("write-report");
    expect(rest).toContain("write-report");
  });

  it("takes the focus when a decision goes, before the state says so or after", async () => {
    for (const first of ["head", "state"] as const) {
      const page = show(pictureOf("awaiting_approval"));
      await page.drawn();
      page.button("Approve all 14 tasks").focus();
      const awaiting = pictureOf("awaiting_approval");
      const running = pictureOf("running");
      const between =
        first === "head"
          ? { ...awaiting, head: running.head }
          : { ...running, head: awaiting.head };
      page.model.say(between);
      await page.drawn();
      page.model.say(running);
      await page.drawn();
      expect(document.activeElement?.matches("[data-landing]")).toBe(true);
    }
  });

  it("keeps its buttons in their places when one task is focused on", async () => {
    const page = show();
    await page.drawn();
    const names = () =>
      [...page.el.querySelectorAll(".eyebrow button")].map((each) => each.textContent);
    const before = names();
    page.button("Focus on one task").click();
    await page.drawn();
    expect(names()).toEqual(before);
    expect(page.button("Focus on one task").disabled).toBe(true);
  });

  it("tells Python of the density and the tab, and follows Python", async () => {
    const page = show();
    await page.drawn();
    page.button("Density: comfortable").click();
    page.button("Feed").click();
    await page.drawn();
    expect(page.model.get("density")).toBe("compact");
    expect(page.model.get("tab")).toBe("feed");
    page.model.set("tab", "board");
    await page.drawn();
    expect(page.button("Board").getAttribute("aria-selected")).toBe("true");
  });

  it("says why a click may wait, near the buttons", async () => {
    const clicks = {
      at_once: false,
      why: "The kernel is busy: type %hyper pause in a terminal.",
    };
    const page = show({ ...pictureOf("running"), clicks });
    await page.drawn();
    expect(page.el.querySelector(".stateline .why")?.textContent).toBe(clicks.why);
  });
});

describe("a decision", () => {
  const asked = (page: OnPage) => page.model.sent.filter((each) => each.type === "ask");

  it("approves all, with what the kernel gave for it", async () => {
    const page = show(pictureOf("awaiting_approval"));
    await page.drawn();
    page.button("Approve all 14 tasks").click();
    expect(asked(page)).toMatchObject([{ verb: "approve", args: {} }]);
  });

  it("waits until the problems are fixed, and leads to them", async () => {
    const picture = pictureOf("awaiting_approval");
    const decision = picture.head.decision;
    if (!decision) throw new Error("There is no decision.");
    const problem = {
      task: "audit-ui",
      field: "needs",
      text: "No task is called map-repoo.",
      instead: "map-repo",
    };
    const page = show(change(picture, { decision: { ...decision, problems: [problem] } }));
    await page.drawn();
    expect(page.button("Approve all 14 tasks").disabled).toBe(true);
    expect(page.text()).toContain("No task is called map-repoo.");
    page.button("audit-ui, needs:").click();
    await page.drawn();
    expect(page.model.get("task")).toBe("audit-ui");
    expect(document.activeElement?.closest("[data-field]")).toHaveProperty(
      "dataset.field",
      "needs",
    );
  });
});

describe("the open task", () => {
  const open = async (tab = "board"): Promise<OnPage> => {
    const page = show(pictureOf("running"), { tab, task: "audit-schema" });
    await page.drawn();
    return page;
  };
  const panel = (page: OnPage) => page.el.querySelector(".task-panel");

  it("shows its state, attempts and errors, and closes by Escape", async () => {
    const page = await open();
    expect(panel(page)?.textContent).toContain("running, attempt 2 of 3");
    expect(panel(page)?.querySelectorAll("tbody tr").length).toBe(2);
    expect(panel(page)?.textContent).toContain("2 of 5 findings have no line number");
    press(panel(page) as Element, "Escape");
    await page.drawn();
    expect(panel(page)).toBeNull();
    expect(page.model.get("task")).toBe("");
  });

  it("takes the focus when a link to it is pressed", async () => {
    const page = await open();
    page.button("map-repo").click();
    await page.drawn();
    expect(document.activeElement?.textContent).toContain("map-repo");
    expect(document.activeElement?.tagName).toBe("H4");
  });

  it("stands below what was pressed, so that nothing there moves", async () => {
    for (const [tab, above] of [
      ["graph", ".gr > div"],
      ["board", ".bd"],
      ["feed", ".fd"],
      ["timeline", ".tl"],
    ] as const) {
      const page = await open(tab);
      const before = page.el.querySelector(above) as Element;
      expect(before.compareDocumentPosition(panel(page) as Element)).toBe(
        Node.DOCUMENT_POSITION_FOLLOWING,
      );
    }
  });

  it("takes the focus once, and not again with another tab", async () => {
    const page = await open();
    page.button("map-repo").click();
    await page.drawn();
    const tab = page.button("Timeline");
    tab.focus();
    tab.click();
    await page.drawn();
    expect(panel(page)?.textContent).toContain("map-repo");
    expect(document.activeElement).toBe(page.button("Timeline"));
  });

  it("leads to its output", async () => {
    const page = show(pictureOf("running"), { tab: "board", task: "map-repo" });
    await page.drawn();
    page.button("Show it under Result").click();
    await page.drawn();
    expect(page.model.get("tab")).toBe("result");
  });
});

describe("focus on one task", () => {
  const focused = async (): Promise<OnPage> => {
    const page = show();
    await page.drawn();
    page.button("Focus on one task").focus();
    page.button("Focus on one task").click();
    await page.drawn();
    return page;
  };

  it("hides and counts the rest, and still says what needs a person", async () => {
    const page = await focused();
    expect(page.el.querySelector(".solo")?.textContent).toContain("audit-auth");
    expect(tablist(page)).toBeNull();
    expect(page.text()).toContain("13 other tasks are hidden and go on as before.");
    expect(page.text()).toContain("1 decision needs you when you are ready.");
    expect(page.el.querySelectorAll(".solo .now dt").length).toBe(3);
    expect(page.el.querySelectorAll(".solo .bar i").length).toBe(14);
  });

  it("takes the focus, so that a key reaches it", async () => {
    const page = await focused();
    expect(document.activeElement).toBe(page.el.querySelector(".solo-name"));
  });

  it("is left by Escape", async () => {
    const page = await focused();
    press(page.el.querySelector(".solo") as Element, "Escape");
    await page.drawn();
    expect(page.el.querySelector(".solo")).toBeNull();
    expect(document.activeElement?.hasAttribute("data-landing")).toBe(true);
  });

  it("is left for what needs a person", async () => {
    const page = await focused();
    page.button("Show the decision").click();
    await page.drawn();
    expect(document.activeElement?.textContent).toContain("Needs you: 1 decision");
  });

  it("shows another task when one is chosen", async () => {
    const page = await focused();
    const select = page.el.querySelector(".solo select") as HTMLSelectElement;
    select.value = "audit-ui";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await page.drawn();
    expect(page.el.querySelector(".solo h4")?.textContent).toBe("audit-ui");
    expect(page.el.querySelector(".solo .now")?.textContent).toContain("no sign of life");
  });
});

describe("a view that is not live", () => {
  it("says so, and its buttons are off", async () => {
    const page = show();
    await page.drawn();
    Object.assign(page.model, { comm_live: false });
    page.model.emit("comm_live_update");
    await page.drawn();
    expect(page.text()).toContain(
      "This view is no longer live: its kernel has ended or was restarted. The mission " +
        "itself is not affected. To go on watching, run %load_ext hypernb, then %hyper attach " +
        "m-7. Running a %%hyper cell again would plan a new mission.",
    );
    expect(page.button("Pause").disabled).toBe(true);
  });

  it("proposes nothing where the mission is gone", async () => {
    const page = show();
    page.model.say({ type: "closed", reason: "This mission was forgotten: somebody did it." });
    await page.drawn();
    expect(page.text()).not.toContain("%hyper attach m-7. ");
    page.model.say({ type: "closed", reason: "The session was closed." });
    await page.drawn();
    expect(page.text()).toContain("run %load_ext hypernb, then %hyper attach m-7");
  });

  it("says why it was closed", async () => {
    const page = show();
    page.model.say({ type: "closed", reason: "The mission was forgotten" });
    await page.drawn();
    expect(page.text()).toContain("This view is no longer live: The mission was forgotten.");
    expect(page.button("Pause").disabled).toBe(true);
  });

  it("says that it waits before there is a picture", async () => {
    const page = show(null);
    await page.drawn();
    expect(page.text()).toContain("Waiting for the kernel");
  });
});

const HOSTILE = [
  '<script>globalThis.ran = "script"</script>',
  '<img src=x onerror="globalThis.ran = true">',
  "javascript:globalThis.ran=1",
  "\u001b[31mred\u001b[0m",
  "safe\u202egnp.exe",
  "zero\u200bwidth\ufeff",
  "w".repeat(100_000),
];

function poisoned(text: string): Picture {
  const picture = pictureOf("running");
  const said = [text, { code: text }, { strong: text }];
  const { head } = picture;
  return {
    ...picture,
    mission: {
      ...picture.mission,
      goal: text,
      error: text,
      forked_from: text,
      forked_at: text,
    },
    tasks: picture.tasks.map((task) => ({ ...task, note: text, error: text, agent: text })),
    attempts: picture.attempts.map((attempt) => ({ ...attempt, error: text })),
    plan: picture.plan && {
      ...picture.plan,
      tasks: picture.plan.tasks.map((task) => ({ ...task, goal: text, check: text })),
    },
    head: {
      ...head,
      since: text,
      now: said,
      waiting: said,
      next: said,
      findings: text,
      last_change: said,
      needs: head.needs.map((need) => ({ ...need, what: said })),
      alarms: head.alarms.map((alarm) => ({ ...alarm, what: said })),
      actions: head.actions.map((action) => ({
        ...action,
        label: "Do",
        twin: `%hyper ${text}`,
      })),
    },
    clicks: { at_once: false, why: text },
  };
}

describe.each(HOSTILE.map((text) => [text.slice(0, 24), text]))("the string %s", (_, text) => {
  it("is text wherever it stands, and does nothing", async () => {
    const page = show(poisoned(text), { tab: "board", task: "audit-schema" });
    await page.drawn();
    const all = page.el.innerHTML;
    expect(page.el.querySelector("script, img, iframe, a[href^=javascript]")).toBeNull();
    expect((globalThis as { ran?: unknown }).ran).toBeUndefined();
    expect(/\p{Cf}/u.test(all)).toBe(false);
    expect(all.includes(String.fromCharCode(27))).toBe(false);
    expect(all.length).toBeLessThan(400_000);
    page.button("Focus on this task").click();
    await page.drawn();
    expect(page.el.querySelector("script, img, iframe")).toBeNull();
  });
});

describe("keys that are typed in a view", () => {
  it("are no shortcuts of JupyterLab's", async () => {
    const page = show();
    await page.drawn();
    const button = page.button("Board");
    // Where Lumino looks for shortcuts: at what has the focus, before anything around it.
    button.focus();
    expect(button.dataset.lmSuppressShortcuts).toBe("true");
    // What goes with Ctrl is for the notebook as a whole.
    button.dispatchEvent(
      new KeyboardEvent("keydown", { key: "s", ctrlKey: true, bubbles: true }),
    );
    expect(button.dataset.lmSuppressShortcuts).toBeUndefined();
  });
});

describe("a view that ends", () => {
  it("leaves no listener, no timer and no element behind, a hundred times", {
    timeout: 60_000,
  }, async () => {
    vi.useFakeTimers();
    const add = vi.spyOn(document, "addEventListener");
    const remove = vi.spyOn(document, "removeEventListener");
    const elements = document.querySelectorAll("*").length;
    for (let n = 0; n < 100; n += 1) {
      const model = new FakeModel({
        component: "mission",
        tab: "board",
        density: "",
        task: "",
      });
      const { initialize, render } = widget();
      const close = initialize({ model });
      const first = document.body.appendChild(document.createElement("div"));
      const second = document.body.appendChild(document.createElement("div"));
      const ends = [render({ model, el: first }), render({ model, el: second })];
      model.say(pictureOf("running"));
      await vi.advanceTimersByTimeAsync(50);
      expect(first.querySelector(".mission-view")).not.toBeNull();
      for (const end of ends) end();
      close();
      first.remove();
      second.remove();
      await vi.advanceTimersByTimeAsync(100);
      expect(model.listening).toBe(0);
    }
    expect(vi.getTimerCount()).toBe(0);
    expect(document.querySelectorAll("*").length).toBe(elements);
    expect(add.mock.calls.length).toBe(remove.mock.calls.length);
    add.mockRestore();
    remove.mockRestore();
  });

  it("leaves the other views of its widget as they are", async () => {
    const model = new FakeModel({ component: "mission", tab: "board", density: "", task: "" });
    const { initialize, render } = widget();
    const close = initialize({ model });
    const [one, two] = [document.createElement("div"), document.createElement("div")];
    document.body.append(one, two);
    const endOne = render({ model, el: one });
    const endTwo = render({ model, el: two });
    model.say(pictureOf("running"));
    await settle();
    const feed = [...one.querySelectorAll("button")].find((b) => b.textContent === "Feed");
    feed?.click();
    await settle();
    expect(two.querySelector("[aria-selected=true]")?.textContent).toBe("Board");
    endOne();
    model.say(pictureOf("paused"));
    await settle();
    expect(one.innerHTML).toBe("");
    expect(two.querySelector(".stateline .word")?.textContent).toBe("Paused");
    endTwo();
    close();
    one.remove();
    two.remove();
  });
});
