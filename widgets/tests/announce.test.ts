import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { pictureOf } from "../dev/fixtures";
import type { Here } from "../src/here";
import { KernelLink } from "../src/link";
import { Mission } from "../src/mission";
import type { Batch } from "../src/protocol";
import { newUi } from "../src/ui";
import { Announcer, announce, EVERY_MS } from "../src/views/announce";
import { batchAfter } from "./batch";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function heard(): { announcer: Announcer; said: string[]; times: number[] } {
  const said: string[] = [];
  const times: number[] = [];
  const announcer = new Announcer((sentence) => {
    said.push(sentence);
    times.push(Date.now());
  });
  return { announcer, said, times };
}

describe("announcements", () => {
  it("come one in five seconds at most, however much happens", () => {
    const { announcer, said, times } = heard();
    for (let n = 0; n < 200; n += 1) {
      announcer.hasFailed(`task-${n}`);
      if (n % 10 === 0) announcer.needed(`ask-${n}`);
      if (n % 50 === 0) announcer.stateIs(`State ${n}.`);
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(60_000);
    const gaps = times.slice(1).map((time, place) => time - (times[place] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(EVERY_MS);
    expect(said.length).toBeLessThanOrEqual(8);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("join what is of one kind, and put the state first", () => {
    const { announcer, said } = heard();
    announcer.needed("one");
    vi.advanceTimersByTime(0);
    for (const name of ["a", "b", "c", "d", "e"]) announcer.hasFailed(name);
    announcer.needed("two");
    announcer.stateIs("Mission m-7 is now paused.");
    announcer.stateIs("Mission m-7 is now running.");
    vi.advanceTimersByTime(20_000);
    expect(said).toEqual([
      "1 decision needs you: one.",
      "Mission m-7 is now running.",
      "1 decision needs you: two.",
      "5 tasks failed: a, b, c and 2 more.",
    ]);
  });

  it("stop when the view ends", () => {
    const { announcer, said } = heard();
    announcer.needed("one");
    announcer.close();
    vi.advanceTimersByTime(20_000);
    expect(said).toEqual([]);
  });
});

describe("a mission that is watched", () => {
  function watched() {
    const mission = new Mission(pictureOf("running"));
    const ui = newUi("graph", "comfortable");
    const link = new KernelLink(new FakeModel({}), () => undefined);
    const here: Here = { mission, ui, link };
    const end = announce(here);
    const said: string[] = [];
    const stop = ui.said.subscribe((sentence) => {
      if (sentence) said.push(sentence);
    });
    const close = (): void => {
      end();
      stop();
      link.close();
    };
    return { mission, said, close };
  }
  const step = (mission: Mission, more: Partial<Batch>) =>
    mission.apply(batchAfter(mission, more));

  it("says nothing of how it stood at first, nor of heartbeats", () => {
    const { mission, said, close } = watched();
    const task = mission.tasks[4];
    if (task) step(mission, { tasks: [{ ...task, heartbeat_at: new Date().toISOString() }] });
    step(mission, { head: { ...mission.head.peek(), elapsed_s: 200 } });
    vi.advanceTimersByTime(12_000);
    expect(said).toEqual([]);
    close();
  });

  it("says a task that failed once, a new need, and the end", () => {
    const { mission, said, close } = watched();
    const task = mission.tasks[4];
    if (!task) throw new Error("There is no task.");
    const failed = { ...task, state: "failed" as const };
    step(mission, { tasks: [failed] });
    step(mission, { tasks: [failed] });
    vi.advanceTimersByTime(6_000);
    const head = mission.head.peek();
    const need = { task: "audit-ui", what: ["Asks."], actions: [] };
    step(mission, { head: { ...head, needs: [...head.needs, need] } });
    vi.advanceTimersByTime(6_000);
    step(mission, { mission: { ...mission.facts.peek(), state: "failed" } });
    vi.advanceTimersByTime(6_000);
    expect(said).toEqual([
      "1 task failed: audit-auth.",
      "1 decision needs you: audit-ui.",
      "Mission m-7 has ended: failed.",
    ]);
    close();
  });
});
