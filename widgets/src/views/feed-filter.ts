import { type Signal, signal } from "@preact/signals";
import { bare } from "../parts/phrase";
import type { EventFacts } from "../protocol";
import type { Role } from "../words";

export const HEARTBEAT = "task.heartbeat";

/** Which events a feed shows. */
export interface Filter {
  readonly text: string;
  /** Null for all; an empty name stands for Python functions. */
  readonly agent: string | null;
  /** Empty for all. */
  readonly task: string;
  /** Empty for all but heartbeats. */
  readonly kind: string;
}

export const EVERYTHING: Filter = { text: "", agent: null, task: "", kind: "" };

export interface FeedChoice {
  readonly filter: Signal<Filter>;
  /** The last event that is shown while the feed is paused. */
  readonly pausedAt: Signal<number | null>;
}

export const newFeedChoice = (): FeedChoice => ({
  filter: signal(EVERYTHING),
  pausedAt: signal(null),
});

export const isEverything = (filter: Filter): boolean =>
  !filter.text && filter.agent === null && !filter.task && !filter.kind;

export type Test = (event: EventFacts) => boolean;

/** A filter as a test; `agentOf` names the agent of a task. */
export function matcherOf(filter: Filter, agentOf: (task: string) => string | undefined): Test {
  const pattern = patternOf(filter.text.trim());
  const { agent, task, kind } = filter;
  return (event) =>
    (kind ? event.kind === kind : event.kind !== HEARTBEAT) &&
    (!task || event.task === task) &&
    (agent === null || (event.task !== null && agentOf(event.task) === agent)) &&
    (pattern === null || contains(event, pattern));
}

/** The arguments of the verb `events` for a filter; what is not asked for is left out. */
export function argsOf(filter: Filter): Record<string, unknown> {
  return {
    ...(filter.text.trim() ? { text: filter.text.trim() } : {}),
    ...(filter.agent === null ? {} : { agent: filter.agent }),
    ...(filter.task ? { task: filter.task } : {}),
    ...(filter.kind ? { kinds: [filter.kind] } : {}),
  };
}

// A pattern looks at each string where it lies: copies in lower case of a hundred thousand
// events would take longer to make than the search itself.
function patternOf(text: string): RegExp | null {
  return text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i") : null;
}

function contains(event: EventFacts, pattern: RegExp): boolean {
  const [first] = event.told;
  const told =
    event.told.length === 1 && typeof first === "string"
      ? first
      : event.told.map(bare).join("");
  return (
    pattern.test(told) ||
    pattern.test(event.kind) ||
    (event.task !== null && pattern.test(event.task)) ||
    occursIn(event.payload, pattern)
  );
}

/** Whether it stands anywhere in the facts of an event: the kernel searches these too. */
function occursIn(value: unknown, pattern: RegExp): boolean {
  if (typeof value === "string") return pattern.test(value);
  // To write each number out would take longer than all else; only digits can be in one.
  if (typeof value === "number") return DIGITS.test(pattern.source) && pattern.test(`${value}`);
  if (typeof value !== "object" || value === null) return false;
  for (const part of Object.values(value)) if (occursIn(part, pattern)) return true;
  return false;
}

const DIGITS = /^[\d.\\-]+$/;

/** Why an event is marked: shape and words, so that colour is never alone. */
export interface Mark {
  readonly shape: string;
  readonly role: Role;
  readonly said: string;
}

const ASKS: Mark = { shape: "awaiting", role: "attention", said: "asks you" };
const FAILED: Mark = { shape: "failed", role: "bad", said: "failed" };
const MARKS: Readonly<Record<string, Mark>> = {
  "approval.requested": ASKS,
  "plan.proposed": ASKS,
  "budget.exhausted": ASKS,
  "check.failed": FAILED,
  "task.stalled": { shape: "stalled", role: "attention", said: "stalled" },
  "attempt.abandoned": { shape: "abandoned", role: "attention", said: "lost" },
  "lease.lost": { shape: "abandoned", role: "attention", said: "lost" },
  "command.refused": { shape: "refused", role: "attention", said: "refused" },
};

/** The mark of an event that needs a person or looks alarming; null for all others. */
export function markOf(event: EventFacts): Mark | null {
  const ended = event.kind === "task.finished" || event.kind === "mission.finished";
  if (ended) return event.payload.state === "failed" ? FAILED : null;
  return Object.hasOwn(MARKS, event.kind) ? (MARKS[event.kind] ?? null) : null;
}
