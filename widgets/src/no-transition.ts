/**
 * Stands in for d3-transition in the bundle. d3-zoom needs only its `interrupt`; the rest would
 * bring animated moves, and with them interpolation of colours, which views never make.
 */
export function interrupt(): void {
  // Nothing moves by itself, so there is nothing to stop.
}
