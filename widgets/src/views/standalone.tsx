import type { ComponentType, JSX } from "preact";
import { useHere } from "../here";
import { Decision } from "./decision";
import { Foot } from "./foot";
import { HeadLine } from "./head";
import { StaleNotice } from "./notice";
import { TaskPanel } from "./task-panel";

interface Props {
  part: ComponentType;
  /** Whether it is the plan, which is decided on and opens its tasks itself. */
  plan?: boolean;
}

/** A part of the mission's view that stands in a cell by itself. */
export function Alone({ part: Part, plan }: Props): JSX.Element {
  const { ui } = useHere();
  return (
    <>
      <header class="head folded">
        <HeadLine />
      </header>
      <StaleNotice />
      {plan ? <Decision /> : ui.task.value !== null && <TaskPanel />}
      <Part />
      <Foot />
    </>
  );
}
