import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type FeedChoice, newFeedChoice } from "./views/feed-filter";
import { newPlanChoice, type PlanChoice } from "./views/plan-choice";

export type Tab = "plan" | "graph" | "board" | "feed" | "timeline" | "result";
export type Density = "comfortable" | "compact";

/**
 * What one view shows at the moment: not part of the mission, and not shared with other views.
 *
 * `now` is the kernel's time in milliseconds; it moves once a second while a mission is under
 * way and the view can be seen, and stands still otherwise.
 */
export interface Ui {
  readonly tab: Signal<Tab>;
  readonly density: Signal<Density>;
  /** The task that is open or marked; null if none is. */
  readonly task: Signal<string | null>;
  /**
   * Rises when a task is opened on purpose. What shows the task then takes the focus, once, and
   * makes this 0 again.
   */
  readonly opened: Signal<number>;
  /** The one task that focus mode shows; null outside of it. */
  readonly focus: Signal<string | null>;
  /** Whether the head is folded to one line. */
  readonly folded: Signal<boolean>;
  readonly now: Signal<number>;
  /** Rises every five seconds of `now`; see `slowNow`. */
  readonly steps: ReadonlySignal<number>;
  /** Which part of the feed is shown; stays while another tab is looked at. */
  readonly feed: FeedChoice;
  /** What is about to be decided on a plan: ticks and edits that are not saved. */
  readonly choice: PlanChoice;
  /** What a screen reader is told next. */
  readonly said: Signal<string>;
}

const STEP_MS = 5_000;

export function newUi(tab: Tab, density: Density, now = signal(Date.now())): Ui {
  return {
    tab: signal(tab),
    density: signal(density),
    task: signal(null),
    opened: signal(0),
    focus: signal(null),
    folded: signal(false),
    now,
    steps: computed(() => Math.floor(now.value / STEP_MS)),
    feed: newFeedChoice(),
    choice: newPlanChoice(),
    said: signal(""),
  };
}

/** Open a task and go to where it is shown. */
export function openTask(ui: Ui, name: string): void {
  ui.task.value = name;
  ui.opened.value += 1;
}
