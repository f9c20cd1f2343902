import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useHere } from "../here";
import { isFinal } from "../words";
import { DOTS } from "./look";

/** What lines mean, and where boxes have no room for words, what boxes mean. */
export function Legend({ isFar }: { isFar: ReadonlySignal<boolean> }): JSX.Element {
  const { mission } = useHere();
  const ended = isFinal(mission.facts.value.state);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form
    <div class="gr-legend" role="group" aria-label="Key">
      <span>
        <span class="gr-line gr-thick" aria-hidden="true" />
        critical path
      </span>
      <span>
        <span class="gr-line" aria-hidden="true" />
        output handed on
      </span>
      <span>
        <span class="gr-line gr-waited" aria-hidden="true" />
        {ended ? "not handed on" : "still waited for"}
      </span>
      {isFar.value &&
        DOTS.map(([said, look]) => (
          <span key={said}>
            <span class="gr-dot" aria-hidden="true">
              <span style={{ width: `${look.share * 100}%`, color: `var(--${look.dot})` }} />
            </span>
            {said}
          </span>
        ))}
      <span class="quiet">Arrow keys follow the edges, Enter opens a task.</span>
    </div>
  );
}
