import type { Ui } from "./ui";

/**
 * The time of a view for figures that do not count along: whoever reads it is drawn anew every
 * five seconds. Only one number on a page counts seconds, because a page of them is restless.
 */
export function slowNow(ui: Ui): number {
  // Read for its changes only; drawn for another reason, a figure shows the current time.
  void ui.steps.value;
  return ui.now.peek();
}

/** Seconds from one moment to another, never less than none. */
export function secondsBetween(from: string, to: number): number {
  return Math.max(0, (to - Date.parse(from)) / 1000);
}
