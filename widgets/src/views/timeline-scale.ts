import { duration } from "../words";

const S = 1;
const MIN = 60;
const H = 3_600;
const D = 86_400;
const STEPS: readonly number[] = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  ...[S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S],
  ...[MIN, 2 * MIN, 5 * MIN, 10 * MIN, 15 * MIN, 30 * MIN],
  ...[H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 7 * D],
];
const TICKS_AT_MOST = 8;
/** As much of the axis is left free around the word "now". */
const NEAR_NOW = 0.055;

/** From the start to an end that is a whole number of ticks, so that it seldom moves. */
export interface Scale {
  /** Seconds from the first to the last tick. */
  readonly length: number;
  readonly step: number;
}

export function scaleOf(seconds: number): Scale {
  const wanted = Math.max(seconds, 0.001);
  const step = STEPS.find((each) => wanted / each <= TICKS_AT_MOST) ?? weeks(wanted);
  return { length: Math.max(1, Math.ceil(wanted / step - 1e-9)) * step, step };
}

function weeks(seconds: number): number {
  return Math.ceil(seconds / TICKS_AT_MOST / (7 * D)) * 7 * D;
}

/** Where on the axis something stands, as a share of it. */
export function shareOf(scale: Scale, seconds: number): number {
  return Math.min(1, Math.max(0, seconds / scale.length));
}

export interface Tick {
  readonly share: number;
  readonly label: string;
}

/** Labels of the axis; one that would stand in the way of "now" is left out. */
export function ticksOf(scale: Scale, now: number | null): Tick[] {
  const ticks: Tick[] = [];
  for (let n = 0; n * scale.step < scale.length * 0.97; n += 1) {
    const seconds = n * scale.step;
    const share = shareOf(scale, seconds);
    if (now !== null && Math.abs(share - shareOf(scale, now)) < NEAR_NOW) continue;
    ticks.push({ share, label: n === 0 ? `0 ${unitOf(scale.step)}` : duration(seconds) });
  }
  return ticks;
}

function unitOf(step: number): string {
  if (step < S) return "ms";
  if (step < MIN) return "s";
  if (step < H) return "min";
  return step < D ? "h" : "d";
}
