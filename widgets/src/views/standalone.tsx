import type { ComponentType, JSX } from "preact";
import { Decision } from "./decision";
import { Foot } from "./foot";
import { HeadLine } from "./head";
import { StaleNotice } from "./notice";

interface Props {
  part: ComponentType;
  /** Whether it is the plan, which is decided on. */
  plan?: boolean;
}

/** A part of the mission's view that stands in a cell by itself. */
export function Alone({ part: Part, plan }: Props): JSX.Element {
  return (
    <>
      <header class="head folded">
        <HeadLine />
      </header>
      <StaleNotice />
      {plan && <Decision />}
      <Part />
      <Foot />
    </>
  );
}
