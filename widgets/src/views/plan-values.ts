import type { TaskSpec } from "../protocol";
import { duration, money } from "../words";

/** What was read from a field's text: a value, or why there is none. */
export type Reading<Value> = { readonly value: Value } | { readonly problem: string };

/** The fields of a contract, as problems and differences name them, in the order of the form. */
export const FIELD_LABELS: Readonly<Record<string, string>> = {
  name: "name",
  goal: "goal",
  agent: "agent",
  needs: "needs",
  tools: "tools",
  work: "tools",
  params: "arguments of tools",
  scope: "scope",
  hosts: "hosts",
  check: "check",
  cap_cost: "cap on cost",
  timeout_s: "cap on time",
  attempts: "attempts",
  on_failure: "on failure",
  estimate_s: "estimate",
  backoff_s: "wait before a retry",
  repeatable: "repeatable",
  resources: "resources",
  budget: "budget",
  deadline_s: "deadline",
  concurrency: "at once",
  agent_concurrency: "at once for one agent",
  priority: "priority",
  result: "result",
  root: "folder",
  inputs: "inputs",
};

export function labelOf(field: string): string {
  const own = field.replace(/^work\./, "");
  return FIELD_LABELS[own] ?? own.replaceAll("_", " ");
}

/** What a failure does, in the words of a person who decides it. */
export const ON_FAILURE: readonly (readonly [NonNullable<TaskSpec["on_failure"]>, string])[] = [
  ["stop", "the mission stops"],
  ["skip", "what needs it is skipped"],
  ["continue", "the rest goes on without it"],
];

/** Seconds as a field shows them: minutes, or minutes and seconds; never rounded. */
export function minutesText(seconds: number): string {
  if (Number.isInteger(seconds / 60)) return String(seconds / 60);
  if (!Number.isInteger(seconds) || seconds < 0) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const NUMBER = String.raw`(\d+(?:[.,]\d*)?)`;
const ONLY_MINUTES = new RegExp(`^${NUMBER}\\s*(?:min)?$`);
const ONLY_SECONDS = new RegExp(`^${NUMBER}\\s*s$`);
const ONLY_HOURS = new RegExp(`^${NUMBER}\\s*h$`);
// What is typed on the way to a value, such as `1:`, is read as far as it goes.
const BOTH = /^(\d+)\s*(?::|min\s+)([0-5]?\d)?(?:\s*s)?$/;

export function readMinutes(text: string): Reading<number> {
  const said = text.trim();
  const both = BOTH.exec(said);
  if (both) return { value: Number(both[1]) * 60 + Number(both[2] ?? 0) };
  for (const [pattern, size] of [
    [ONLY_MINUTES, 60],
    [ONLY_SECONDS, 1],
    [ONLY_HOURS, 3600],
  ] as const) {
    const number = pattern.exec(said)?.[1];
    // To the millisecond: 1.1 min are 66 s, not 66.00000000000001.
    if (number !== undefined) {
      return { value: Math.round(Number(number.replace(",", ".")) * size * 1000) / 1000 };
    }
  }
  return { problem: "This is no length of time. Write minutes, such as 3, 0.5 or 1:30." };
}

export function readDollars(text: string): Reading<number | null> {
  const said = text.trim().replace(/^\$\s*/, "");
  if (said === "") return { value: null };
  if (/^(\d+\.?\d*|\.\d+)$/.test(said)) return { value: Number(said) };
  return { problem: "This is no sum. Write dollars, such as 0.04, or leave it empty." };
}

export function readWhole(text: string): Reading<number> {
  return /^\d{1,9}$/.test(text.trim())
    ? { value: Number(text.trim()) }
    : { problem: "This is no whole number. Write one, such as 3." };
}

/** The same where nothing may stand, and then means no limit. */
export function orNothing<Value>(
  read: (text: string) => Reading<Value>,
): (text: string) => Reading<Value | null> {
  return (text) => (text.trim() === "" ? { value: null } : read(text));
}

export const listText = (list: readonly string[]): string => list.join(", ");

/**
 * The parts of a list that was typed with commas. A comma may be part of a name, so the longest
 * run of pieces that is a known name is taken as one.
 */
export function readList(text: string, known: ReadonlySet<string>): string[] {
  const pieces = text.split(",");
  const found: string[] = [];
  for (let from = 0; from < pieces.length; ) {
    const many = knownRun(pieces, from, known);
    const part = pieces
      .slice(from, from + many)
      .join(",")
      .trim();
    if (part !== "" && !found.includes(part)) found.push(part);
    from += many;
  }
  return found;
}

const LONGEST_RUN = 6;

function knownRun(pieces: readonly string[], from: number, known: ReadonlySet<string>): number {
  for (let many = Math.min(LONGEST_RUN, pieces.length - from); many > 1; many -= 1) {
    const joined = pieces.slice(from, from + many).join(",");
    if (known.has(joined.trim())) return many;
  }
  return 1;
}

/** What comes next after the last comma, each as the whole text it would make. */
export function completions(
  text: string,
  names: Iterable<string>,
  limit = 40,
): { value: string; name: string }[] {
  const cut = text.lastIndexOf(",") + 1;
  const before = text.slice(0, cut).trim();
  const begun = text.slice(cut).trim().toLowerCase();
  const taken = new Set(before.split(",").map((part) => part.trim()));
  const found: { value: string; name: string }[] = [];
  for (const name of names) {
    if (found.length >= limit) break;
    if (taken.has(name) || !name.toLowerCase().includes(begun)) continue;
    found.push({ value: before ? `${before} ${name}` : name, name });
  }
  return found;
}

/** A task's caps as its row shows them. */
export function capsOf(task: TaskSpec): { cost: string; time: string } {
  return {
    cost: task.cap_cost == null ? "no cap" : money(task.cap_cost),
    time: duration(task.timeout_s ?? DEFAULT_TIMEOUT_S),
  };
}

/** Defaults are left out on the wire; these are those of `hypernb/model/_plan.py`. */
export const DEFAULT_TIMEOUT_S = 600;
export const DEFAULT_CONCURRENCY = 8;
export const DEFAULT_PRIORITY = 50;
export const DEFAULT_BACKOFF_S = 0.5;

/** Old and new text in four pieces: what both begin with, what was, what is, what both end with. */
export function wordDifference(
  old: string,
  now: string,
): { before: string; was: string; is: string; after: string } {
  const left = old.split(/(?<=\s)/);
  const right = now.split(/(?<=\s)/);
  const most = Math.min(left.length, right.length);
  let head = 0;
  while (head < most && left[head] === right[head]) head += 1;
  let tail = 0;
  while (
    tail < most - head &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  ) {
    tail += 1;
  }
  return {
    before: left.slice(0, head).join(""),
    was: left
      .slice(head, left.length - tail)
      .join("")
      .trim(),
    is: right
      .slice(head, right.length - tail)
      .join("")
      .trim(),
    after: left.slice(left.length - tail).join(""),
  };
}
