import { crewOf } from "../crew";
import { needsOf } from "../graph/arranged";
import { edgesOf, longestPaths } from "../graph/layout";
import { putTo } from "../lists";
import type { Mission } from "../mission";
import type { AttemptFacts, TaskFacts, TaskState } from "../protocol";
import { isFinal } from "../words";

/** How a bar is drawn, and its word in the legend. */
export type Kind =
  | "succeeded"
  | "running"
  | "verifying"
  | "awaiting"
  | "stalled"
  | "failed"
  | "other"
  | "expected";

/** A bar of the timeline; times in milliseconds. */
export interface Bar {
  readonly key: string;
  readonly agent: string;
  readonly task: string;
  /** Null for what has not begun. */
  readonly attempt: number | null;
  readonly kind: Kind;
  /** The state in a word. */
  readonly word: string;
  readonly from: number;
  /** Null while it goes on. */
  readonly to: number | null;
  readonly critical: boolean;
  readonly error: string;
}

export interface Group {
  readonly agent: string;
  readonly bars: readonly Bar[];
}

const LIVE: Partial<Record<TaskState, Kind>> = {
  verifying: "verifying",
  awaiting_approval: "awaiting",
  stalled: "stalled",
};

/** The attempts of a mission by agent, in plan order, and what is still to come. */
export function groupsOf(mission: Mission, now: number): Group[] {
  const groups = new Map<string, Bar[]>(crewOf(mission).map((agent) => [agent, []]));
  const critical = new Set(mission.head.peek().critical);
  const attempts = attemptsByTask(mission);
  const expected = expectedBars(mission, now, critical);
  for (const task of mission.tasks) {
    for (const attempt of attempts.get(task.id) ?? [])
      putTo(groups, task.agent, attemptBar(task, attempt, critical.has(task.name)));
    const coming = expected.get(task.name);
    if (coming) putTo(groups, task.agent, coming);
  }
  return [...groups]
    .filter(([, bars]) => bars.length > 0)
    .map(([agent, bars]) => ({ agent, bars }));
}

function attemptsByTask(mission: Mission): Map<string, AttemptFacts[]> {
  const byTask = new Map<string, AttemptFacts[]>();
  for (const attempt of mission.attempts) putTo(byTask, attempt.task_id, attempt);
  for (const attempts of byTask.values()) attempts.sort((a, b) => a.number - b.number);
  return byTask;
}

function attemptBar(task: TaskFacts, attempt: AttemptFacts, critical: boolean): Bar {
  const current = attempt.number === task.attempt && attempt.finished_at === null;
  const live = current ? LIVE[task.state] : undefined;
  return {
    key: `${task.id} ${attempt.number}`,
    agent: task.agent,
    task: task.name,
    attempt: attempt.number,
    kind: attempt.state === "running" ? (live ?? "running") : kindOf(attempt),
    word: live ? task.state.replace("_", " ") : attempt.state,
    from: Date.parse(attempt.started_at),
    to: attempt.finished_at === null ? null : Date.parse(attempt.finished_at),
    critical,
    error: attempt.error,
  };
}

function kindOf({ state }: AttemptFacts): Kind {
  return state === "succeeded" || state === "failed" ? state : "other";
}

/** When tasks that have not begun could be at work, at the earliest. */
function expectedBars(
  mission: Mission,
  now: number,
  critical: ReadonlySet<string>,
): Map<string, Bar> {
  const bars = new Map<string, Bar>();
  const state = mission.facts.peek().state;
  if (isFinal(state)) return bars;
  const ends = new Map<string, number>();
  for (const name of inOrder(mission)) {
    const task = mission.task(name);
    const length = lengthOf(mission, name);
    if (task === undefined || isFinal(task.state)) {
      ends.set(name, 0);
      continue;
    }
    const begun = task.started_at !== null && task.state !== "pending";
    const needs = mission.spec(name)?.needs ?? [];
    const from = begun
      ? Date.parse(task.started_at as string)
      : Math.max(now, ...needs.map((need) => ends.get(need) ?? 0));
    ends.set(name, Math.max(now, from + (length ?? 0) * 1000));
    if (begun || length === null || task.attempt > 0) continue;
    bars.set(name, {
      key: `${task.id} expected`,
      agent: task.agent,
      task: name,
      attempt: null,
      kind: "expected",
      word: "expected",
      from,
      to: from + length * 1000,
      critical: critical.has(name),
      error: "",
    });
  }
  return bars;
}

/** How long a task probably takes, in seconds; null where nothing is known. */
function lengthOf(mission: Mission, name: string): number | null {
  return mission.head.peek().expected_s[name] ?? mission.spec(name)?.estimate_s ?? null;
}

/** Names of the plan's tasks, each after those it needs. */
function inOrder(mission: Mission): string[] {
  const plan = mission.plan.peek();
  if (plan === null) return [];
  const [names, needs] = needsOf(plan);
  const wave = longestPaths(names.length, edgesOf(needs));
  return [...names.keys()]
    .sort((one, other) => (wave[one] ?? 0) - (wave[other] ?? 0))
    .flatMap((task) => names[task] ?? []);
}

/** The first bars, so many in all, still by agent. */
export function firstBars(groups: readonly Group[], most: number): Group[] {
  const shown: Group[] = [];
  let left = most;
  for (const { agent, bars } of groups) {
    if (left <= 0) break;
    shown.push({ agent, bars: bars.slice(0, left) });
    left -= bars.length;
  }
  return shown;
}
