import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useHere } from "../here";
import { Quiet } from "../parts/quiet";
import { isFinal } from "../words";
import { DOTS } from "./look";

/** What lines mean, and where boxes have no room for words, what boxes mean. */
export function Legend({ isFar }: { isFar: ReadonlySignal<boolean> }): JSX.Element {
  const { mission } = useHere();
  const ended = isFinal(mission.facts.value.state);
  const lines = [
    ["gr-thick", "critical path"],
    ["", "output handed on"],
    ["gr-waited", ended ? "not handed on" : "still waited for"],
  ] as const;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form
    <div class="gr-legend" role="group" aria-label="Key">
      {lines.map(([style, said]) => (
        <span key={style}>
          <span class={`gr-line ${style}`} aria-hidden="true" />
          {said}
        </span>
      ))}
      {isFar.value &&
        DOTS.map(([said, look]) => (
          <span key={said}>
            <span class="gr-dot" aria-hidden="true">
              <span style={{ width: `${look.share * 100}%`, color: `var(--${look.dot})` }} />
            </span>
            {said}
          </span>
        ))}
      <Quiet>Arrow keys follow the edges, Enter opens a task.</Quiet>
    </div>
  );
}
