/**
 * What brings the view of a mission back when its kernel has gone: commands, in order.
 *
 * Not "run the cell again": a new kernel does not know `%%hyper` before the extension is loaded,
 * and then plans another mission.
 */
export function attaching(mission: string): readonly [string, string] {
  return ["%load_ext hypernb", mission ? `%hyper attach ${mission}` : "%hyper attach"];
}

export const NOT_THE_CELL = "Running a %%hyper cell again would plan a new mission.";

/** The same as a sentence. */
export function attachAgain(mission: string): string {
  const [load, attach] = attaching(mission);
  return `Run ${load}, then ${attach}. ${NOT_THE_CELL}`;
}
