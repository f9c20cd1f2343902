import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { at, eventsOf, NOW, pictureOf } from "../dev/fixtures";
import { EventLog } from "../src/event-log";
import type { EventFacts } from "../src/protocol";
import { Feed } from "../src/views/feed";
import { argsOf, EVERYTHING, markOf, matcherOf } from "../src/views/feed-filter";
import { Matches } from "../src/views/feed-matches";
import { Offsets } from "../src/views/feed-offsets";
import { RowWindow } from "../src/views/feed-window";
import { clock } from "../src/words";
import {
  afterFrame,
  drawn,
  HOSTILE,
  harmOf,
  LONG,
  leftBehind,
  onStage,
  type Stage,
  textOf,
} from "./on-stage";

let stage: Stage;

const rows = (): HTMLElement[] => [...stage.root.querySelectorAll<HTMLElement>("tr[data-seq]")];
const seqs = (): number[] => rows().map((each) => Number(each.dataset.seq));
const head = (): string => textOf(stage.root.querySelector(".fd-head p"));
const button = (said: string): HTMLButtonElement | undefined =>
  [...stage.root.querySelectorAll("button")].find((each) => textOf(each) === said);

const event = (seq: number, more: Partial<EventFacts> = {}): EventFacts => ({
  seq,
  at: at(200),
  kind: "task.progressed",
  task: "audit-auth",
  attempt: 1,
  payload: { note: "a file was read", files: ["a.py"], share: 0.5 },
  told: [`Step ${seq}.`],
  ...more,
});
const many = (from: number, to: number): EventFacts[] =>
  Array.from({ length: to - from }, (_, n) => event(from + n));

async function choose(label: string, value: string): Promise<void> {
  const id = [...stage.root.querySelectorAll("label")].find((each) => textOf(each) === label);
  const field = stage.root.querySelector<HTMLSelectElement | HTMLInputElement>(
    `[id="${id?.getAttribute("for")}"]`,
  );
  if (field === null) throw new Error(`No field is called ${label}.`);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  await drawn();
}

async function press(said: string): Promise<void> {
  button(said)?.click();
  await drawn();
}

test("events stand in order, newest last, as a table that counts its rows", async () => {
  stage = await onStage(Feed, pictureOf());
  expect(seqs()).toEqual(eventsOf().map((each) => each.seq));
  expect(stage.root.querySelector("table")?.getAttribute("aria-rowcount")).toBe("14");
  expect(rows()[0]?.getAttribute("aria-rowindex")).toBe("2");
  expect(head()).toBe("13 newest of 71 events, heartbeats left out. Newest last.");
});

test("a time is absolute and relative", async () => {
  stage = await onStage(Feed, pictureOf());
  expect(textOf(rows()[5]?.querySelector(".fd-time"))).toBe(`${clock(at(91))} 1 min 41 s ago`);
});

test("relative times move every five seconds, not every second", async () => {
  stage = await onStage(Feed, pictureOf());
  stage.ui.now.value = NOW + 1_000;
  await drawn();
  expect(textOf(rows()[5]?.querySelector(".fd-ago"))).toBe("1 min 41 s ago");
  stage.ui.now.value = NOW + 7_000;
  await drawn();
  expect(textOf(rows()[5]?.querySelector(".fd-ago"))).toBe("1 min 48 s ago");
});

test("in a mission that has ended, times count from its start", async () => {
  stage = await onStage(Feed, pictureOf("succeeded"));
  expect(textOf(rows()[5]?.querySelector(".fd-ago"))).toBe("after 1 min 31 s");
});

test("an event that comes is there before anything else is drawn", async () => {
  stage = await onStage(Feed, pictureOf("running", 5_000));
  await stage.change({ events: [event(9_000)] });
  expect(seqs().at(-1)).toBe(9_000);
});

test("only a part of a long log is drawn", async () => {
  stage = await onStage(Feed, pictureOf("running", 5_000));
  expect(rows().length).toBeLessThan(60);
  expect(stage.root.querySelector("table")?.getAttribute("aria-rowcount")).toBe("5014");
});

test("text, agent, task and kind narrow the feed down", async () => {
  stage = await onStage(Feed, pictureOf());
  await choose("Text", "HEARTBEAT for");
  expect(seqs()).toEqual([163]);
  await choose("Text", "");
  await choose("Agent", "=database-architect");
  expect(seqs()).toEqual([142, 149, 156, 184]);
  await choose("Kind", "check.failed");
  expect(seqs()).toEqual([142]);
  expect(head()).toBe("Newest 1 event that matches; 71 in all. Newest last.");
  await choose("Task", "map-repo");
  expect(seqs()).toEqual([]);
  expect(head()).toBe("No event matches so far; earlier ones may. 71 in all.");
});

test("heartbeats are left out unless they are asked for", async () => {
  stage = await onStage(Feed, pictureOf());
  await stage.change({ events: [event(500, { kind: "task.heartbeat" }), event(501)] });
  expect(seqs().at(-2)).toBe(184);
  await choose("Kind", "task.heartbeat");
  expect(seqs()).toEqual([500]);
});

test("heartbeats that the picture left out are fetched when they are chosen", async () => {
  stage = await onStage(Feed, pictureOf());
  await choose("Kind", "task.heartbeat");
  await afterFrame();
  const asked = stage.asked()[0];
  expect(asked?.args).toEqual({ before: null, limit: 50, kinds: ["task.heartbeat"] });
  const beats = [event(110, { kind: "task.heartbeat" })];
  await stage.answer({ ok: true, value: { events: beats, more: false } });
  expect(seqs()).toEqual([110]);
});

test("a paused feed stands still and counts what waits", async () => {
  stage = await onStage(Feed, pictureOf());
  await press("Pause feed");
  await stage.change({ events: many(500, 512) });
  expect(seqs().at(-1)).toBe(184);
  expect(head()).toContain("12 new events wait.");
  await press("Go on");
  expect(seqs().at(-1)).toBe(511);
});

test("earlier events are asked for and stand in front", async () => {
  stage = await onStage(Feed, pictureOf());
  await afterFrame();
  await press("Show 50 earlier");
  expect(stage.asked()[0]).toMatchObject({ verb: "events", args: { before: 100, limit: 50 } });
  await stage.answer({ ok: true, value: { events: many(10, 13), more: false } });
  expect(seqs().slice(0, 4)).toEqual([10, 11, 12, 100]);
  expect(stage.ui.said.value).toBe("3 earlier events, the first among them.");
  expect(button("Show 50 earlier")).toBeUndefined();
  expect(document.activeElement?.className).toBe("fd-box");
});

test("nothing earlier is offered where the log goes back to the beginning", async () => {
  const picture = pictureOf();
  const created = event(1, { kind: "mission.created", task: null });
  stage = await onStage(Feed, { ...picture, events: [created, ...picture.events] });
  expect(button("Show 50 earlier")).toBeUndefined();
  stage.end();
  stage = await onStage(Feed, { ...picture, total_events: picture.events.length });
  expect(button("Show 50 earlier")).toBeUndefined();
});

test("earlier events that match are asked for with the filter", async () => {
  stage = await onStage(Feed, pictureOf());
  await choose("Agent", "=database-architect");
  await choose("Text", "step");
  await press("Show 50 earlier");
  expect(stage.asked()[0]?.args).toEqual({
    before: 100,
    limit: 50,
    agent: "database-architect",
    text: "step",
  });
  const events = [event(9), event(10, { task: "audit-schema" })];
  await stage.answer({ ok: true, value: { events, more: true } });
  expect(seqs()).toEqual([10]);
  await press("Show 50 earlier");
  expect(stage.asked()[1]?.args.before).toBe(9);
  await choose("Agent", "");
  await choose("Text", "");
  expect(seqs()[0]).toBe(100);
});

test("earlier events are looked through from where the kernel stopped", async () => {
  stage = await onStage(Feed, pictureOf());
  await choose("Text", "rare");
  await press("Show 50 earlier");
  await stage.answer({ ok: true, value: { events: [], more: true, before: 40 } });
  expect(stage.ui.said.value).toBe(
    "None among the events just before; there are still earlier ones.",
  );
  await press("Show 50 earlier");
  expect(stage.asked()[1]?.args).toEqual({ before: 40, limit: 50, text: "rare" });
  await stage.answer({ ok: true, value: { events: [], more: false, before: null } });
  expect(button("Show 50 earlier")).toBeUndefined();
});

test("an answer for a filter that is no longer set changes nothing", async () => {
  stage = await onStage(Feed, pictureOf());
  await choose("Text", "step");
  await press("Show 50 earlier");
  await choose("Text", "");
  await stage.answer({ ok: true, value: { events: many(10, 12), more: true } });
  expect(seqs()[0]).toBe(100);
});

test("a refusal is told beside the button", async () => {
  stage = await onStage(Feed, pictureOf());
  await press("Show 50 earlier");
  const error = { code: "store", message: "The store is gone.", hint: "Open it again." };
  await stage.answer({ ok: false, error });
  expect(textOf(stage.root.querySelector("[role=alert]"))).toBe(
    "The store is gone. Open it again.",
  );
});

test("an event unfolds as JSON under its row, and folds again", async () => {
  stage = await onStage(Feed, pictureOf());
  const toggle = rows()[3]?.querySelector<HTMLElement>(".fd-seq button");
  toggle?.click();
  await drawn();
  const json = rows()[3]?.querySelector("pre.box")?.textContent ?? "";
  expect(JSON.parse(json)).toMatchObject({ seq: 121, kind: "task.finished" });
  expect(toggle?.getAttribute("aria-expanded")).toBe("true");
  toggle?.click();
  await drawn();
  expect(stage.root.querySelector("pre")).toBeNull();
});

test("a feed at its end goes on following after an event was unfolded and folded", async () => {
  stage = await onStage(Feed, pictureOf());
  for (let n = 0; n < 2; n += 1) {
    rows().at(-1)?.querySelector<HTMLElement>(".fd-seq button")?.click();
    await drawn();
  }
  await stage.change({ events: many(500, 600) });
  expect(seqs().at(-1)).toBe(599);
});

test("what asks you or has failed is marked by shape and word", async () => {
  stage = await onStage(Feed, pictureOf());
  const marked = rows().filter((each) => each.classList.contains("fd-marked"));
  expect(marked.map((each) => textOf(each.querySelector(".fd-told .vh")))).toEqual([
    "asks you:",
    "failed:",
    "stalled:",
  ]);
  expect(marked.every((each) => each.querySelector("svg") !== null)).toBe(true);
});

test.each([
  [event(1, { kind: "task.finished", payload: { state: "failed" } }), "failed"],
  [event(1, { kind: "task.finished", payload: { state: "succeeded" } }), undefined],
  [event(1, { kind: "constructor" }), undefined],
])("marks depend on what happened (%#)", (each, said) => {
  expect(markOf(each)?.said).toBe(said);
});

test("a task's name marks it in every part of the view", async () => {
  stage = await onStage(Feed, pictureOf());
  rows()[1]?.querySelector<HTMLElement>(".fd-task button")?.click();
  await drawn();
  expect(stage.ui.task.value).toBe("map-repo");
  expect(rows()[4]?.getAttribute("aria-current")).toBe("true");
});

test("many tasks are typed, and a name that is none says so", async () => {
  const picture = pictureOf();
  const tasks = Array.from({ length: 500 }, (_, n) => ({
    name: `task-${n}`,
    work: { kind: "agent" as const },
  }));
  stage = await onStage(Feed, { ...picture, plan: picture.plan && { ...picture.plan, tasks } });
  expect(stage.root.querySelectorAll("datalist option")).toHaveLength(100);
  await choose("Task", "task-49");
  expect(stage.root.querySelectorAll("datalist option")).toHaveLength(11);
  await choose("Task", "nobody");
  expect(textOf(stage.root.querySelector("[role=status]"))).toBe(
    "No task is called that. All are shown.",
  );
});

test.each(HOSTILE)("hostile text is shown and does nothing (%#)", async (text) => {
  stage = await onStage(Feed, pictureOf());
  await stage.change({
    events: [
      event(500, {
        kind: text,
        task: text,
        told: [text, { code: text }, { strong: text }],
        payload: { [text]: text },
      }),
    ],
  });
  rows().at(-1)?.querySelector<HTMLElement>(".fd-seq button")?.click();
  await drawn();
  expect(harmOf(stage.root)).toEqual([]);
  expect(stage.root.textContent?.length).toBeLessThan(80_000);
});

test("text is looked for in the facts of an event too", async () => {
  stage = await onStage(Feed, pictureOf());
  await stage.change({
    events: [event(500, { payload: { files: [{ path: "src/deep.py" }] } })],
  });
  await choose("Text", "DEEP.py");
  expect(seqs()).toEqual([500]);
  await stage.change({ events: [event(501, { payload: { pid: 48_377 } })] });
  await choose("Text", "8377");
  expect(seqs()).toEqual([156, 501]);
});

test("what was chosen stays chosen while another tab is looked at", async () => {
  stage = await onStage(Feed, pictureOf());
  await choose("Kind", "check.failed");
  await stage.show(null);
  await stage.show(Feed);
  expect(seqs()).toEqual([142]);
});

test("searching text takes signs as they are", () => {
  const passes = matcherOf({ ...EVERYTHING, text: "a.b(" }, () => undefined);
  expect(passes(event(1, { told: ["Reads ", { code: "A.B(c)" }] }))).toBe(true);
  expect(passes(event(1, { told: ["Reads axb("] }))).toBe(false);
});

test("a filter that asks for everything has no arguments", () => {
  expect(argsOf(EVERYTHING)).toEqual({});
  expect(argsOf({ ...EVERYTHING, agent: "" })).toEqual({ agent: "" });
});

// -- large logs ---------------------------------------------------------------------------

const LARGE = many(1, 100_001);
const all = matcherOf(EVERYTHING, () => undefined);

test("of 100,000 events each is tested once", () => {
  const passes = vi.fn(matcherOf({ ...EVERYTHING, text: "step 4" }, () => undefined));
  const found = new Matches(passes);
  found.sync(LARGE);
  expect(passes).toHaveBeenCalledTimes(100_000);
  expect(found.items).toHaveLength(11_111);
});

test("of a log that grows only new events are tested", () => {
  const passes = vi.fn(all);
  const found = new Matches(passes);
  const log = [...LARGE];
  found.sync(log);
  log.push(...many(200_000, 200_010));
  passes.mockClear();
  found.sync(log);
  expect(passes).toHaveBeenCalledTimes(10);
  expect(found.items).toHaveLength(100_010);
});

test("of a full log that drops its first events only new ones are tested", () => {
  const log = new EventLog();
  log.reset(LARGE);
  const passes = vi.fn(all);
  const found = new Matches(passes);
  found.sync(log.items);
  passes.mockClear();
  for (let seq = 200_000; seq < 210_000; seq += 1_000) {
    log.append(many(seq, seq + 1_000));
    found.sync(log.items);
  }
  expect(passes).toHaveBeenCalledTimes(10_000);
  expect(log.items).toHaveLength(100_000);
  expect(found.items.length).toBeLessThanOrEqual(102_000);
});

test("a full log goes on with a burst, and draws no more rows than before", async () => {
  stage = await onStage(Feed, pictureOf("running", 100_000));
  for (let seq = 200_000; seq < 205_000; seq += 1_000) {
    await stage.change({ events: many(seq, seq + 1_000) });
    expect(seqs().at(-1)).toBe(seq + 999);
  }
  expect(rows().length).toBeLessThan(60);
  expect(stage.mission.log.items).toHaveLength(100_000);
});

test("a log that was begun anew is tested anew", () => {
  const found = new Matches(all);
  found.sync(many(1, 10));
  found.sync(many(1, 5));
  expect(found.items).toHaveLength(4);
  found.sync([]);
  expect(found.items).toHaveLength(0);
});

test("events that the log has dropped are let go of", () => {
  const found = new Matches(all);
  const log = many(1, 5_001);
  found.sync(log);
  const { generation } = found;
  log.splice(0, 100);
  found.sync(log);
  expect([found.items.length, found.generation]).toEqual([5_000, generation]);
  log.splice(0, 3_000);
  found.sync(log);
  expect([found.items.length, found.generation]).toEqual([1_900, generation + 1]);
});

test("earlier events in the log and such as were fetched are merged once", () => {
  const found = new Matches(all);
  const log = many(10, 20);
  found.sync(log);
  found.fetch(many(5, 12), log);
  expect(found.items.map((each) => each.seq)).toEqual(many(5, 20).map((each) => each.seq));
  log.unshift(...many(1, 10));
  found.sync(log);
  expect(found.items).toHaveLength(19);
});

test("rows of unequal height are found where they stand", () => {
  const offsets = new Offsets(10);
  offsets.reset(3, 10);
  offsets.grow(2_000);
  offsets.set(1, 40);
  offsets.set(1_500, 5);
  expect([offsets.of(1), offsets.of(2), offsets.of(2_000)]).toEqual([10, 50, 20_025]);
  expect([offsets.at(0), offsets.at(49), offsets.at(50), offsets.at(99_999)]).toEqual([
    0, 1, 2, 1_999,
  ]);
});

test("rows that are added keep the sums of those before", () => {
  const offsets = new Offsets(10);
  for (let size = 1; size <= 300; size += 1) {
    offsets.grow(size);
    offsets.set(size - 1, size);
  }
  expect(offsets.of(300)).toBe((300 * 301) / 2);
  expect(offsets.of(17)).toBe((17 * 18) / 2);
});

function windowOn(items: EventFacts[]): RowWindow {
  const list = new RowWindow();
  list.height = 300;
  list.take(items, items.length, 1);
  list.measure(items.slice(0, 10).map((_, row) => [row, 30]));
  return list;
}

test("a list at its end stays there when rows are added", () => {
  const items = many(1, 101);
  const list = windowOn(items);
  expect(list.top).toBe(2_700);
  items.push(...many(101, 111));
  list.take(items, 110, 1);
  expect(list.top).toBe(3_000);
});

test("a list that was scrolled keeps its place whatever comes before or after", () => {
  const items = many(101, 201);
  const list = windowOn(items);
  list.scrolled(605);
  expect(list.stick).toBe(false);
  items.push(...many(201, 301));
  list.take(items, 200, 1);
  expect(list.top).toBe(605);
  const longer = [...many(51, 101), ...items];
  list.take(longer, 250, 2);
  expect(list.top).toBe(605 + 50 * 30);
  list.measure([[3, 90]]);
  expect(list.top).toBe(605 + 50 * 30 + 60);
});

test("scrolling back to the end makes the list stick again", () => {
  const list = windowOn(many(1, 101));
  list.scrolled(100);
  list.scrolled(2_699);
  expect(list.stick).toBe(true);
});

test("the rows to draw cover what is seen and little more", () => {
  const list = windowOn(LARGE);
  list.scrolled(50_000 * 30);
  const [from, to] = list.range;
  expect(from).toBeLessThanOrEqual(50_000 - 10);
  expect(to).toBeGreaterThanOrEqual(50_020);
  expect(to - from).toBeLessThan(50);
});

// -- nothing outlives the view ------------------------------------------------------------

let observing = 0;

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe(): void {
        observing += 1;
      }
      disconnect(): void {
        observing -= 1;
      }
    },
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("a hundred feeds that come and go leave nothing behind", LONG, async () => {
  await afterFrame();
  observing = 0;
  expect(await leftBehind(Feed)).toEqual({ watched: 0, elsewhere: 0, timers: 0 });
  expect(observing).toBe(0);
});
