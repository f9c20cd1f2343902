import { useComputed } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useHere } from "../here";
import { useLostFocus } from "../lost-focus";
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
  const { mission } = useHere();
  const root = useRef<HTMLDivElement>(null);
  const isLost = useLostFocus(root);
  const { state } = mission.facts.value;
  const decides = useComputed(() => mission.head.value.decision !== null).value;
  useLayoutEffect(() => {
    // Buttons of a decision go with it.
    if (isLost()) root.current?.querySelector<HTMLElement>("[data-landing]")?.focus();
  }, [state, decides]);
  return (
    <div ref={root} class="alone">
      <header class="head folded">
        <HeadLine />
      </header>
      <StaleNotice />
      {plan && <Decision />}
      <Part />
      <Foot />
    </div>
  );
}
