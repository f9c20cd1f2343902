import type { JSX } from "preact";
import type { Role, StateWord } from "../words";

interface Stroke {
  readonly d: string;
  /** Filled, drawn as an outline, cut out of what lies below, or drawn bold. */
  readonly as: "fill" | "line" | "cut" | "bold";
  readonly dash?: string;
}

const fill = (d: string): Stroke => ({ d, as: "fill" });
const drawn = (d: string, dash?: string): Stroke =>
  dash === undefined ? { d, as: "line" } : { d, as: "line", dash };
const cut = (d: string): Stroke => ({ d, as: "cut" });
const bold = (d: string): Stroke => ({ d, as: "bold" });

const ring = (r: number): string =>
  `M${8 - r} 8a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
const RING = ring(6);
const SQUARE =
  "M3 1.5h10a1.5 1.5 0 0 1 1.5 1.5v10a1.5 1.5 0 0 1-1.5 1.5H3A1.5 1.5 0 0 1 1.5 13V3A1.5 1.5 0 0 1 3 1.5z";
const SMALL_SQUARE =
  "M3.5 2h9A1.5 1.5 0 0 1 14 3.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 12.5v-9A1.5 1.5 0 0 1 3.5 2z";

/** The shapes of states, on a field of 16 by 16; as in `hypernb/views/_icons.py`. */
export const SHAPES: Readonly<Record<string, readonly Stroke[]>> = {
  planning: [drawn("M3 13l.8-3.4 7-7 2.6 2.6-7 7z")],
  pending: [drawn(RING, "2.7 2")],
  ready: [drawn(RING), fill(ring(2.3))],
  running: [fill("M3 1.5v13L14.5 8z")],
  verifying: [drawn("M2 6.5a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0"), bold("M10 10l4.2 4.2")],
  // An exclamation mark: a question mark in a diamond is how broken text looks.
  awaiting: [fill("M8 .5L15.5 8 8 15.5.5 8z"), cut("M8 4.4v4.4M8 11.4v.3")],
  stalled: [
    drawn("M3 1.5h10M3 14.5h10"),
    drawn("M4.5 2c0 3.5 3.5 4 3.5 6s-3.5 2.5-3.5 6"),
    drawn("M11.5 2c0 3.5-3.5 4-3.5 6s3.5 2.5 3.5 6"),
    fill("M5.5 13.5L8 10l2.5 3.5z"),
  ],
  waiting: [drawn(RING), drawn("M8 4.5V8l2.6 1.8")],
  refused: [drawn(RING), drawn("M5 8h6")],
  paused: [fill("M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z")],
  succeeded: [fill(ring(7)), cut("M4.7 8.3L7 10.6l4.4-5")],
  failed: [fill(SQUARE), cut("M5 5l6 6M11 5l-6 6")],
  cancelled: [drawn(RING), drawn("M3.8 12.2l8.4-8.4")],
  rejected: [drawn("M8 1.3L14.7 8 8 14.7 1.3 8z"), drawn("M6 6l4 4M10 6l-4 4")],
  skipped: [bold("M2.5 3l5 5-5 5M8.5 3l5 5-5 5")],
  abandoned: [drawn(SMALL_SQUARE, "2.6 2"), drawn("M5.2 8h5.6")],
  none: [drawn("M3 8h10")],
};

/** A shape in the colour of its role. The word must stand beside it. */
export function Icon({ shape, role }: { shape: string; role: Role }): JSX.Element {
  return (
    <svg class={`ico r-${role}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {(SHAPES[shape] ?? []).map((stroke) => (
        <path
          key={stroke.d}
          class={`s-${stroke.as}`}
          d={stroke.d}
          stroke-dasharray={stroke.dash}
        />
      ))}
    </svg>
  );
}

/** A state: its shape, its word, and what else belongs to it. */
export function State({ of, more }: { of: StateWord; more?: string | undefined }): JSX.Element {
  return (
    <span class="state">
      <Icon shape={of.shape} role={of.role} />{" "}
      <span>{more ? `${of.word}, ${more}` : of.word}</span>
    </span>
  );
}
