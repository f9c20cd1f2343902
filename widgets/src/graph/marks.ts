/** Leaves a measure for benchmarks: from the arrival of the data to the first paint. */

/** Set by whoever receives the data; without it, the time at which the view was made counts. */
export const ARRIVED = "hypernb:arrived";
export const PAINTED = "hypernb:graph-painted";

/** Measure once the frame that is being made is on the screen. */
export function measurePainted(madeAt: number): () => void {
  const arrived = performance.getEntriesByName(ARRIVED).at(-1)?.startTime ?? madeAt;
  // Timers run after the frame of which this callback is a part.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const request = requestAnimationFrame(() => {
    timer = setTimeout(() => {
      performance.clearMeasures(PAINTED);
      performance.measure(PAINTED, { start: arrived, end: performance.now() });
    });
  });
  return () => {
    cancelAnimationFrame(request);
    clearTimeout(timer);
  };
}
