/** What views reckon before they draw anything, timed: for benchmarks, not for tests. */
import { EventLog } from "../src/event-log";
import { layered } from "../src/graph/layout";
import { Mission } from "../src/mission";
import type { EventFacts } from "../src/protocol";
import { EVERYTHING, matcherOf } from "../src/views/feed-filter";
import { Matches } from "../src/views/feed-matches";
import { groupsOf } from "../src/views/timeline-rows";
import { at, NOW, pictureOf } from "./fixtures";

const TIMES = 5;
const EVENTS = 100_000;
const MANY = 10_000;

/** Milliseconds by what is done: the quickest of a few times. */
export function reckoning(): Record<string, number> {
  const log = new EventLog();
  log.reset(events(1, EVENTS + 1));
  const passes = matcherOf({ ...EVERYTHING, text: "step 4" }, () => undefined);
  const kept = new Matches(passes);
  kept.sync(log.items);
  let seq = EVENTS + 1;
  const mission = new Mission(missionOf(MANY));
  const needs = Array.from({ length: MANY }, (_, task) =>
    task < 50 ? [] : [task - 50, task - 50 - (task % 7)].filter((need) => need >= 0),
  );
  return {
    "filter 100,000 events": quickest(() => new Matches(passes).sync(log.items)),
    "take 1,000 more": quickest(() => {
      log.append(events(seq, seq + 1_000));
      kept.sync(log.items);
      seq += 1_000;
    }),
    "bars of 10,000 attempts": quickest(() => groupsOf(mission, NOW)),
    "layout of 10,000 tasks": quickest(() => layered(needs)),
  };
}

function quickest(act: () => void): number {
  const took = Array.from({ length: TIMES }, () => {
    const began = performance.now();
    act();
    return performance.now() - began;
  });
  return Math.round(Math.min(...took) * 10) / 10;
}

function events(from: number, to: number): EventFacts[] {
  return Array.from({ length: to - from }, (_, n) => ({
    seq: from + n,
    at: at(200),
    kind: "task.progressed",
    task: "audit-auth",
    attempt: 1,
    payload: { note: "a file was read", files: ["a.py"], share: 0.5 },
    told: [`Step ${from + n}.`],
  }));
}

function missionOf(many: number): ReturnType<typeof pictureOf> {
  const picture = pictureOf();
  const [task] = picture.tasks;
  if (task === undefined) return picture;
  const tasks = Array.from({ length: many }, (_, n) => ({
    ...task,
    id: `T${n}`,
    name: `task-${n}`,
    agent: `agent-${n % 10}`,
  }));
  const attempts = tasks.map(({ id }, n) => ({
    task_id: id,
    number: 1,
    state: "succeeded" as const,
    started_at: at(n % 100),
    finished_at: at((n % 100) + 20),
    pid: 1,
    error: "",
  }));
  return { ...picture, plan: null, tasks, attempts };
}
