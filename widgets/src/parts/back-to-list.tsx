import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Opening } from "../opening";

/** Goes back from an opened mission to where it was opened. */
export function BackToList({ opening, what }: { opening: Opening; what: string }): JSX.Element {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <p class="block back">
      <button ref={button} type="button" class="btn small" onClick={opening.back}>
        Back to {what}
      </button>
    </p>
  );
}
