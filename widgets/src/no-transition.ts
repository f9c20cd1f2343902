/**
 * Stands in for d3-transition and d3-interpolate in the bundle. d3-zoom only ever interrupts
 * what they bring; the rest would be animated moves, and with them interpolation of colours,
 * which views never make.
 */
import { selection } from "d3-selection";

selection.prototype.interrupt = function interruptNothing<Chosen>(this: Chosen): Chosen {
  return this;
};

export function interrupt(): void {
  // Nothing moves by itself, so there is nothing to stop.
}

/** Where d3-zoom would find the way of an animated move. */
export function interpolateZoom(): never {
  throw new Error("Views do not move by themselves; set the transform of the zoom at once.");
}
