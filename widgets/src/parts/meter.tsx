import type { JSX } from "preact";
import type { TaskState } from "../protocol";
import { grouped, TASK_WORDS } from "../words";
import { Icon } from "./icon";

/** So many tasks have a segment each; of more, each state has one as long as its share. */
const SEGMENTS_AT_MOST = 60;

type Counts = readonly (readonly [TaskState, number])[];

/**
 * How far the tasks are, as a bar: what is done first, so that it grows from one end. What it
 * says stands beside it as a tally.
 */
export function Segments({ counts }: { counts: Counts }): JSX.Element {
  const total = counts.reduce((sum, [, many]) => sum + many, 0);
  const each: Counts =
    total > SEGMENTS_AT_MOST
      ? counts
      : counts.flatMap(([state, many]) =>
          Array.from({ length: many }, (): [TaskState, number] => [state, 1]),
        );
  return (
    <div class="bar" aria-hidden="true">
      {each.map(([state, many], place) => (
        <i
          key={place}
          class={`b-${TASK_WORDS[state].role} b-${state}`}
          style={{ flexGrow: many }}
        />
      ))}
    </div>
  );
}

/** How many tasks are in which state: shape, number, word. */
export function Tally({ counts }: { counts: Counts }): JSX.Element {
  return (
    <ul class="tally">
      {counts.map(([state, many]) => (
        <li key={state}>
          <Icon shape={TASK_WORDS[state].shape} role={TASK_WORDS[state].role} /> {grouped(many)}{" "}
          {TASK_WORDS[state].word}
        </li>
      ))}
    </ul>
  );
}

/** A length in segments of its own: `8 of 14 files read`. */
export function Steps({ done, total }: { done: number; total: number }): JSX.Element {
  return (
    <div class="bar" aria-hidden="true">
      {Array.from({ length: total }, (_, place) => (
        <i key={place} class={place < done ? "b-good" : place === done ? "b-active" : ""} />
      ))}
    </div>
  );
}

/** What is used up of a whole, what is kept, and a mark. */
export function Share({
  used,
  kept = 0,
  mark,
  whole,
}: {
  used: number;
  kept?: number;
  mark?: number | null;
  whole: number;
}): JSX.Element {
  const part = (amount: number): string =>
    `${(Math.min(Math.max(whole > 0 ? amount / whole : 0, 0), 1) * 100).toFixed(2)}%`;
  return (
    <div class="share" aria-hidden="true">
      <i class="used" style={{ width: part(used) }} />
      <i class="kept" style={{ width: part(Math.min(kept, Math.max(whole - used, 0))) }} />
      {mark !== null && mark !== undefined && <i class="mark" style={{ left: part(mark) }} />}
    </div>
  );
}
