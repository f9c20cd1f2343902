import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { answerAsks } from "../dev/answers";
import { rowOf } from "../dev/fixtures-results";
import type { MissionRow } from "../src/protocol";
import { button, OnPage, press, settled, textOf } from "./on-page";

let page: OnPage;

afterEach(() => page.close());

function open(rows: MissionRow[] | null, answers = false): HTMLElement {
  page = new OnPage("hyper_board", (model) =>
    answers ? answerAsks(model, { missions: 6 }) : () => {},
  );
  if (rows) tell(rows);
  return page.el;
}

let n = 0;
function tell(rows: MissionRow[], total = rows.length): void {
  n += 1;
  page.say({ type: "missions", n, now: "2026-11-20T14:05:22Z", rows, total });
}

const LIVE = [
  rowOf(6, "running"),
  rowOf(5, "paused"),
  rowOf(4, "awaiting_approval"),
  { ...rowOf(3, "awaiting_approval"), needs_you: false },
];

const sections = (): string[] =>
  [...page.el.querySelectorAll("h4")].map((each) => textOf(each));

describe("the board of all live missions", () => {
  it("puts those that need you first", () => {
    open(LIVE);
    expect(sections()).toEqual([
      "Needs you: 1 mission",
      "Running: 1 mission",
      "Not started yet: 1 mission",
      "Paused: 1 mission",
    ]);
    expect(textOf(page.el.querySelector('[role="status"]'))).toBe("1 mission needs you.");
    expect(page.text).toContain("4 missions, 4 tasks running");
  });

  it("says of each what it does, how far it is, and what it costs", () => {
    open([rowOf(5, "running")]);
    const card = page.el.querySelector("article");
    expect(card?.getAttribute("aria-label")).toContain("m-5: ");
    expect(textOf(card)).toContain("4 tasks are running: audit-auth, audit-api and 2 more.");
    expect(textOf(card)).toContain("5 succeeded 3 running 1 verifying 1 stalled 4 pending");
    expect(textOf(card)).toContain(
      "$0.35 of $0.50 spent, 5 findings so far, about 4 min left (3 to 6)",
    );
  });

  it("counts a running mission that asks something to those that need you", () => {
    open([{ ...rowOf(5, "running"), needs_you: true }]);
    expect(sections()).toEqual(["Needs you: 1 mission"]);
    expect(textOf(button(page.el, "Open"))).toBe("Open m-5");
  });

  it("says what to do when there is none", () => {
    open([rowOf(2, "succeeded")]);
    expect(page.text).toContain("No mission is under way, and none waits for you.");
    expect(page.text).toContain("A cell with %%hyper and a goal below it starts one.");
    expect(page.el.querySelector("article")).toBeNull();
  });

  it("waits for the kernel", () => {
    open(null);
    expect(page.text).toContain("Waiting for the kernel to tell which missions there are.");
    tell(LIVE);
    expect(page.text).not.toContain("Waiting for the kernel");
  });

  it("moves a mission when its state changes", () => {
    open([rowOf(5, "running")]);
    tell([rowOf(5, "paused")]);
    expect(sections()).toEqual(["Paused: 1 mission"]);
    tell([rowOf(5, "succeeded")]);
    expect(sections()).toEqual([]);
  });

  it("says how many more there are", () => {
    open([]);
    tell([rowOf(5, "running")], 31);
    expect(page.text).toContain("And 30 more live missions, which %hyper ls lists.");
  });

  it("asks for what its buttons say, with the mission", async () => {
    open([rowOf(5, "running")]);
    press(page.el, "Pause");
    await settled();
    expect(page.asks().at(-1)).toMatchObject({ verb: "pause", args: { mission: "m-5" } });
    press(page.el, "Cancel mission…");
    press(page.el, "Cancel m-5");
    await settled();
    expect(page.asks().at(-1)).toMatchObject({ verb: "cancel", args: { mission: "m-5" } });
  });

  it("lets a plan be read before it is approved", async () => {
    open([rowOf(4, "awaiting_approval")], true);
    expect(page.el.querySelectorAll("article button")).toHaveLength(1);
    press(page.el, "Read the plan and decide");
    await settled();
    expect(page.asks("open")[0]?.args).toEqual({ mission: "m-4" });
    expect(page.el.querySelector(".mission")).not.toBeNull();
    press(page.el, "Back to the board");
    await settled();
    expect(document.activeElement?.textContent).toContain("Live missions");
  });

  it("says that it is closed", () => {
    open(LIVE);
    page.say({ type: "closed", reason: "The view was closed." });
    expect(page.text).toContain("The view was closed.");
    expect(button(page.el, "Open").disabled).toBe(true);
  });

  it("has nothing that axe finds", async () => {
    const el = open(LIVE);
    const found = await axe.run(el, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });

  it("makes nothing of hostile text", () => {
    const hostile = `<img src=x onerror="globalThis.pwned = 1"> \u001b[31m\u202e ${"W".repeat(
      100_000,
    )}`;
    const row = rowOf(5, "running");
    const el = open([
      {
        ...row,
        figures: hostile,
        told: [hostile, { code: hostile }],
        mission: { ...row.mission, goal: hostile, playbook: hostile },
      },
    ]);
    expect(el.querySelector("img, script")).toBeNull();
    expect(el.textContent).toContain("<img src=x");
    for (const mark of ["\u001b", "\u202e"]) expect(el.textContent).not.toContain(mark);
    expect("pwned" in globalThis).toBe(false);
  });
});
