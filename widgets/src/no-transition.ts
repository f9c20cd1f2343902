/**
 * Stands in for d3-transition in the bundle. d3-zoom only ever interrupts what it brings; the
 * rest would be animated moves, and with them interpolation of colours, which views never make.
 */
import { selection } from "d3-selection";

selection.prototype.interrupt = function interruptNothing<Chosen>(this: Chosen): Chosen {
  return this;
};

export function interrupt(): void {
  // Nothing moves by itself, so there is nothing to stop.
}
