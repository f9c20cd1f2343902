import type { JSX } from "preact";
import type { Question } from "../question";
import { shown } from "../words";

interface Props {
  of: Question<unknown>;
  /** What is being done until there is an answer. */
  doing: string;
}

/** Says that an answer is waited for, or why there is none. */
export function Wait({ of: { value, refused }, doing }: Props): JSX.Element {
  const why = refused.value;
  return (
    <p class={why ? "refused" : "quiet"} role="status">
      {why ? shown(why) : value.value === null && doing}
    </p>
  );
}
