import type { HeadFacts } from "../protocol";
import { clock } from "../words";

const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600, d: 86_400 };
const RANGE = /\((\d+) to (\d+)\)/;
const UNIT = /\d (s|min|h|d) left/;

/** When a mission is expected to end, as a sentence; `at` is when its head was made. */
export function endOf(head: HeadFacts, at: number): string {
  if (head.left_s === null)
    return head.left ? `${capital(head.left)}.` : "Its end is not known.";
  const about = `about ${minute(at + head.left_s * 1000)}`;
  const from = head.left_from ? `, ${head.left_from}` : "";
  const range = RANGE.exec(head.left);
  const unit = UNITS[UNIT.exec(head.left)?.[1] ?? ""];
  if (range === null || unit === undefined) return `Expected end ${about}${from}.`;
  const [soon, late] = [Number(range[1]) * unit, Number(range[2]) * unit];
  const between = `${minute(at + soon * 1000)} and ${minute(at + late * 1000)}`;
  return `Expected end between ${between}, ${about}${from}.`;
}

/** Time of day to the minute: an estimate knows no seconds. */
function minute(at: number): string {
  return clock(at).slice(0, 5);
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
