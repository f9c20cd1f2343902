/** How a task's box looks and what it says, by the state of the task. */
import type { TaskFacts, TaskState } from "../protocol";
import { secondsBetween } from "../slowly";
import { isFinal, type Role, TASK_WORDS, two } from "../words";
import type { Token } from "./palette";

export interface Look {
  readonly border: "thin" | "dashed" | "thick" | "double" | "dotted";
  readonly colour: Token;
  readonly fill: Token;
  readonly square: boolean;
  readonly shape: string;
  readonly role: Token;
  /** The colour of a box that is too small for a border. */
  readonly dot: Token;
  /** How much of such a box is filled: tells states apart without colour. */
  readonly share: number;
}

/** The more a state asks to be seen, the more of its box is filled. */
const SHARES: Readonly<Record<Role, number>> = {
  bad: 1,
  attention: 1,
  active: 0.75,
  good: 0.5,
  neutral: 0.5,
};

const look = (
  state: TaskState,
  border: Look["border"],
  fill: Token = "bg",
  more: Partial<Look> = {},
): Look => {
  const { shape, role } = TASK_WORDS[state];
  const colour: Token = role === "neutral" ? "edge" : role;
  const own: Token = role === "neutral" ? "muted" : role;
  const share = SHARES[role];
  return { border, colour, fill, square: false, shape, role: own, dot: colour, share, ...more };
};

export const LOOKS: Readonly<Record<TaskState, Look>> = {
  pending: look("pending", "dashed", "bg", { dot: "edge", share: 0.25 }),
  ready: look("ready", "thin"),
  waiting: look("waiting", "thin"),
  running: look("running", "thick"),
  verifying: look("verifying", "double"),
  awaiting_approval: look("awaiting_approval", "thick", "attention-tint"),
  stalled: look("stalled", "dotted", "attention-tint"),
  succeeded: look("succeeded", "thin", "good-tint"),
  failed: look("failed", "thick", "bad-tint", { square: true }),
  cancelled: look("cancelled", "thin", "bg", { share: 0.25 }),
  skipped: look("skipped", "dashed", "bg", { dot: "edge", share: 0.25 }),
};

/** What the boxes without borders mean: words, and the look they stand for. */
export const DOTS: readonly (readonly [said: string, Look])[] = [
  ["failed", LOOKS.failed],
  ["stalled or waiting for you", LOOKS.stalled],
  ["running", LOOKS.running],
  ["succeeded", LOOKS.succeeded],
  ["ready", LOOKS.ready],
  ["not started or not run", LOOKS.pending],
];

/** A length of time in the little room of a box: `2:24`. */
export function brief(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Seconds from a time until now; null if it has not come. */
export function since(at: string | null, now: number): number | null {
  return at === null ? null : secondsBetween(at, now);
}

function wholeSince(at: string | null, now: number): number | null {
  const seconds = since(at, now);
  return seconds === null ? null : Math.floor(seconds);
}

export function isOver(task: TaskFacts): boolean {
  return task.finished_at !== null || isFinal(task.state);
}

/** What a task has worked in all, with what its attempt under way has so far. */
export function workedOf(task: TaskFacts, now: number): number {
  if (isOver(task)) return task.worked_s;
  const running = ["running", "verifying", "stalled", "awaiting_approval"].includes(task.state);
  return task.worked_s + (running ? (since(task.started_at, now) ?? 0) : 0);
}

/** The second line of a box: the state in a word, with its time or what it still needs. */
export function detailOf(task: TaskFacts, unmet: number, most: number, now: number): string {
  const { word } = TASK_WORDS[task.state];
  const timed = (seconds: number | null): string =>
    seconds === null ? word : `${word} ${brief(seconds)}`;
  switch (task.state) {
    case "pending":
      return unmet > 0 ? `${word}, needs ${unmet}` : word;
    case "running":
    case "verifying":
      if (task.attempt > 1)
        return `${word} (${task.attempt} of ${Math.max(most, task.attempt)})`;
      return timed(wholeSince(task.started_at, now));
    case "stalled":
      return timed(wholeSince(task.heartbeat_at, now));
    case "succeeded":
    case "failed":
      return timed(task.worked_s > 0 ? task.worked_s : null);
    default:
      return word;
  }
}
