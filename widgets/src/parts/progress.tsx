import type { JSX } from "preact";
import type { TaskState } from "../protocol";
import { grouped, TASK_WORDS } from "../words";
import { Icon } from "./icon";

type Counts = readonly (readonly [TaskState, number])[];

/** How far the tasks of a mission are: each state has a piece as long as its share. */
export function Progress({ counts }: { counts: Counts }): JSX.Element {
  return (
    <div class="progress" aria-hidden="true">
      {counts.map(([state, many]) => (
        <i
          key={state}
          class={`r-${TASK_WORDS[state].role} p-${state}`}
          style={{ flexGrow: many }}
        />
      ))}
    </div>
  );
}

/** The same in words, each state with its shape. */
export function Counted({ counts }: { counts: Counts }): JSX.Element {
  return (
    <ul class="counted">
      {counts.map(([state, many]) => (
        <li key={state}>
          <Icon shape={TASK_WORDS[state].shape} role={TASK_WORDS[state].role} /> {grouped(many)}{" "}
          {TASK_WORDS[state].word}
        </li>
      ))}
    </ul>
  );
}
