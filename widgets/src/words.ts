/**
 * The vocabulary of the views where the kernel does not make the sentence: the same words and
 * roundings as `hypernb/views/words.py`.
 */
import type { AttemptState, MissionState, TaskState } from "./protocol";

export type Role = "active" | "attention" | "good" | "bad" | "neutral";

export interface StateWord {
  readonly word: string;
  readonly shape: string;
  readonly role: Role;
}

const word = (said: string, role: Role, shape: string = said): StateWord => ({
  word: said,
  shape,
  role,
});

const ENDS = {
  succeeded: word("succeeded", "good"),
  failed: word("failed", "bad"),
  cancelled: word("cancelled", "neutral"),
};

export const MISSION_WORDS: Readonly<Record<MissionState, StateWord>> = {
  planning: word("planning", "active"),
  awaiting_approval: word("awaiting approval", "attention", "awaiting"),
  running: word("running", "active"),
  paused: word("paused", "neutral"),
  rejected: word("rejected", "neutral"),
  ...ENDS,
};

/** How a mission is shown that awaits approval no longer and has not started yet. */
export const APPROVED = word("approved", "neutral", "ready");

export const TASK_WORDS: Readonly<Record<TaskState, StateWord>> = {
  pending: word("pending", "neutral"),
  ready: word("ready", "neutral"),
  waiting: word("waiting", "neutral"),
  running: word("running", "active"),
  verifying: word("verifying", "active"),
  awaiting_approval: word("awaiting approval", "attention", "awaiting"),
  stalled: word("stalled", "attention"),
  skipped: word("skipped", "neutral"),
  ...ENDS,
};

export const ATTEMPT_WORDS: Readonly<Record<AttemptState, StateWord>> = {
  running: word("running", "active"),
  abandoned: word("abandoned", "neutral"),
  refused: word("refused", "neutral"),
  ...ENDS,
};

const FINAL: ReadonlySet<string> = new Set([
  "succeeded",
  "failed",
  "cancelled",
  "rejected",
  "skipped",
]);
const ACTIVE: ReadonlySet<string> = new Set(["running", "verifying"]);

/** Whether a mission or a task is over. */
export const isFinal = (state: MissionState | TaskState): boolean => FINAL.has(state);

/** Whether an attempt of the task is at work. */
export const isActive = (state: TaskState | undefined): boolean => ACTIVE.has(state ?? "");

export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

export function grouped(number: number): string {
  // Not toLocaleString: its first call loads the rules of all languages, which takes 20 ms.
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

const UNITS: readonly [number, string, number, string][] = [
  [86_400, "d", 3600, "h"],
  [3600, "h", 60, "min"],
  [60, "min", 1, "s"],
];

/** A length of time as people say it, in at most two units: `3 min 12 s`. */
export function duration(seconds: number): string {
  const length = Math.max(seconds, 0);
  if (length === 0) return "0 s";
  if (length < 0.9995) return `${(length * 1000).toFixed(0)} ms`;
  if (length < 9.95) return `${length.toFixed(1).replace(/\.0$/, "")} s`;
  const whole = Math.round(length);
  for (const [size, unit, restSize, restUnit] of UNITS) {
    if (whole >= size) {
      const rest = Math.floor((whole % size) / restSize);
      return `${grouped(Math.floor(whole / size))} ${unit}${rest ? ` ${rest} ${restUnit}` : ""}`;
    }
  }
  return `${whole} s`;
}

/** The same in whole seconds, for what counts while one looks. */
export function counting(seconds: number): string {
  return seconds < 1
    ? "0 s"
    : duration(Math.floor(seconds) < 10 ? Math.floor(seconds) : seconds);
}

/** A part of a time, in two digits. */
export const two = (part: number): string => String(part).padStart(2, "0");

/** Time of day with seconds, in the reader's zone. */
export function clock(at: string | number): string {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** A sum to the cent, below ten cents with two digits that count: as `hypernb.errors.dollars`. */
export function money(amount: number): string {
  const few = amount > 0 && amount < 0.1;
  const places = few ? Math.min(1 - Math.floor(Math.log10(amount)), 12) : 2;
  const [whole = "", cents = ""] = amount.toFixed(places).split(".");
  return `$${grouped(Number(whole))}.${cents.replace(/0+$/, "").padEnd(2, "0")}`;
}

/**
 * Marks that reorder or hide text, and halves of letters: as in `hypernb/views/_clean.py`.
 * Joiners stay: Persian, Indic scripts and emoji need them.
 */
const MARKS =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const KEPT_MARKS = new Set(["\n", "\t"]);
/** What cutting may leave of a letter of two parts. */
const HALF = /[\ud800-\udbff]$/;

/**
 * A string that an agent made, safe to set as text: what reverses, hides or joins is written
 * out as its code, so that it is seen and does nothing.
 */
export function shown(text: string, cutAt = 2_000): string {
  const cut = text.length > cutAt ? `${text.slice(0, cutAt).replace(HALF, "")}…` : text;
  return cut.replace(MARKS, (mark) =>
    KEPT_MARKS.has(mark)
      ? mark
      : `\\u${(mark.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** The same on one line. */
export function line(text: string, cutAt = 200): string {
  return shown(text.replace(/\s+/g, " ").trim(), cutAt);
}

/** A few words as a sentence: with a large letter in front and a full stop. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${line(text).slice(1)}.`;
}
