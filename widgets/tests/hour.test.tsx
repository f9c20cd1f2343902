import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { at, MISSION_ID, NOW, pictureOf } from "../dev/fixtures";
import { Connection } from "../src/connection";
import widget from "../src/index";
import type { Batch, EventFacts, TaskFacts } from "../src/protocol";
import { EVERYTHING, matcherOf } from "../src/views/feed-filter";
import { Matches } from "../src/views/feed-matches";

const EACH_SECOND = 50;
const SECONDS = 3_600;
/** Drawing each second of the hour would take minutes, and show nothing else. */
const DRAWN_EVERY = 30;
const LOG_FULL_AFTER = 2_100;

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

/** What a mission of eight tasks tells in each second of an hour. */
class Hour {
  private readonly tasks: readonly TaskFacts[];
  private seq: number;
  private second = 0;

  constructor() {
    const picture = pictureOf();
    this.tasks = picture.tasks;
    this.seq = picture.seq;
  }

  next(): Batch {
    this.second += 1;
    const from = this.seq;
    this.seq += EACH_SECOND;
    const task = this.tasks[this.second % this.tasks.length] as TaskFacts;
    const events = Array.from(
      { length: EACH_SECOND },
      (_, n): EventFacts => ({
        seq: from + n + 1,
        at: at(200 + this.second),
        kind: n % 10 === 0 ? "tool.finished" : "task.progressed",
        task: task.name,
        attempt: 1,
        payload: { note: `file ${n}`, share: n / EACH_SECOND },
        told: [`Second ${this.second}, file ${n}.`],
      }),
    );
    return {
      type: "batch",
      mission_id: MISSION_ID,
      n: this.second + 1,
      from_seq: from,
      seq: this.seq,
      now: at(200 + this.second),
      tasks: [{ ...task, note: `second ${this.second}`, heartbeat_at: at(200 + this.second) }],
      attempts: [],
      events,
      total_events: this.seq,
    };
  }
}

/** How many things each collection in reach of an object holds, by the way to it. */
function sizes(root: object): Map<string, number> {
  const found = new Map<string, number>();
  const seen = new Set<unknown>();
  const look = (value: unknown, way: string, depth: number): void => {
    if (typeof value !== "object" || value === null || seen.has(value) || depth > 8) return;
    if (value instanceof Node || value instanceof FakeModel) return;
    seen.add(value);
    if (value instanceof Map || value instanceof Set) found.set(way, value.size);
    if (Array.isArray(value)) found.set(way, value.length);
    const many = Array.isArray(value) && value.length > 200;
    if (many) return;
    const inside = value instanceof Map ? [...value] : Object.entries(value);
    for (const [name, each] of inside) look(each, `${way}.${String(name)}`, depth + 1);
  };
  look(root, "connection", 0);
  return found;
}

test("a connection that is told 50 events a second for an hour stops growing", () => {
  const model = new FakeModel({ component: "feed" });
  const connection = new Connection(model);
  model.say(pictureOf());
  const mission = connection.mission.peek();
  if (mission === null) throw new Error("There is no mission.");
  const found = new Matches(matcherOf({ ...EVERYTHING, text: "file 7" }, () => undefined));
  const hour = new Hour();
  let before = new Map<string, number>();
  for (let second = 1; second <= SECONDS; second += 1) {
    model.say(hour.next());
    found.sync(mission.log.items);
    vi.advanceTimersByTime(1_000);
    expect(mission.log.items.length).toBeLessThanOrEqual(100_000);
    expect(found.items.length).toBeLessThan(4_500);
    if (second === LOG_FULL_AFTER) before = sizes(connection);
  }
  expect(before.size).toBeGreaterThan(10);
  expect([...before]).toContainEqual(["connection.mission.v.log.items", 100_000]);
  expect(sizes(connection)).toEqual(before);
  expect(mission.seq.peek()).toBe(pictureOf().seq + EACH_SECOND * SECONDS);
  expect(mission.log.items.at(-1)?.seq).toBe(mission.seq.peek());
  const acks = model.sent.filter((each) => each.type === "ack").length;
  expect(acks).toBe(SECONDS + 1);
  connection.close();
  expect(model.listening).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("a feed that is told 50 events a second for an hour draws no more at its end", async () => {
  const model = new FakeModel({ component: "feed", density: "comfortable" });
  const { initialize, render } = widget();
  const el = document.body.appendChild(document.createElement("main"));
  const end = initialize({ model });
  const remove = render({ model, el });
  model.say(pictureOf());
  const hour = new Hour();
  const nodes = (): number => document.querySelectorAll("*").length;
  const timers: number[] = [];
  let most = 0;
  for (let second = 1; second <= SECONDS; second += 1) {
    model.say(hour.next());
    vi.advanceTimersByTime(1_000);
    if (second % DRAWN_EVERY > 0) continue;
    await vi.advanceTimersByTimeAsync(0);
    if (second === 60) most = nodes();
    if (second > 60) expect(nodes()).toBeLessThanOrEqual(most + 50);
    if (second % 600 === 0) {
      timers.push(vi.getTimerCount());
      expect(el.querySelectorAll("tr[data-seq]").length).toBeLessThan(60);
    }
  }
  const last = [...el.querySelectorAll<HTMLElement>("tr[data-seq]")].at(-1)?.dataset.seq;
  expect(Number(last)).toBe(pictureOf().seq + EACH_SECOND * SECONDS);
  expect(most).toBeGreaterThan(100);
  expect(Math.max(...timers)).toBeLessThan(10);
  remove();
  end();
  expect(model.listening).toBe(0);
  expect(el.childElementCount).toBe(0);
}, 60_000);
