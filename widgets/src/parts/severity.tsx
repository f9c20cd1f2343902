import type { JSX } from "preact";
import type { Severity as Level } from "../protocol";
import { line } from "../words";

export const LEVELS: readonly Level[] = ["critical", "high", "medium", "low"];

const ROLES = ["bad", "bad", "attention"];
const BARS = [0, 1, 2, 3] as const;

/** How much harm a finding can do: four rising bars and a word. */
export function Severity({ level }: { level: string }): JSX.Element {
  const rank = LEVELS.indexOf(level as Level);
  const filled = rank < 0 ? 0 : LEVELS.length - rank;
  return (
    <span class="severity">
      <svg
        class={`bars r-${ROLES[rank] ?? "neutral"}`}
        viewBox="0 0 22 14"
        width="22"
        height="14"
        aria-hidden="true"
      >
        {BARS.map((place) => (
          <rect
            key={place}
            class={place < filled ? "full" : "empty"}
            x={place * 6 + 0.5}
            y={10 - place * 3}
            width="3"
            height={place * 3 + 3}
          />
        ))}
      </svg>{" "}
      <span>{line(level, 40)}</span>
    </span>
  );
}
