import type { HeadFacts } from "../protocol";
import { clock, sentence } from "../words";

/** When a mission is expected to end, as a sentence; `at` is when its head was made. */
export function endOf(head: HeadFacts, at: number): string {
  const { left, left_s, left_limits_s, left_from } = head;
  if (left_s === null) return left ? sentence(left) : "Its end is not known.";
  const from = left_from ? `, ${left_from}` : "";
  const about = `about ${minute(at + left_s * 1000)}${from}.`;
  if (left_limits_s === null) return `Expected end ${about}`;
  const [soon, late] = left_limits_s.map((seconds) => minute(at + seconds * 1000));
  return `Expected end between ${soon} and ${late}, ${about}`;
}

/** Time of day to the minute: an estimate knows no seconds. */
function minute(at: number): string {
  return clock(at).slice(0, 5);
}
