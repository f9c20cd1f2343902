import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { PlanSpec, TaskSpec } from "../protocol";

/**
 * What a person is about to decide on a plan, before it is decided: which tasks are ticked and
 * whether there are edits that are not saved. The decision block and the plan's table share it.
 *
 * Ticks are always whole: a ticked task has all that it needs ticked as well, because the
 * kernel approves a task only together with what it needs.
 */
export interface PlanChoice {
  /** Whether a part is being chosen; the table shows its ticks while it is. */
  readonly picking: Signal<boolean>;
  /** Names of tasks that are not to be approved; new tasks begin ticked. */
  readonly unticked: Signal<ReadonlySet<string>>;
  /** Whether contracts may be edited: `Edit` of the decision block turns it on. */
  readonly editing: Signal<boolean>;
  /** Whether there are edits that are not saved; approving waits until there are none. */
  readonly dirty: Signal<boolean>;
  /** Whether nothing is unticked. */
  readonly whole: ReadonlySignal<boolean>;
  /** Hash of the plan that the person has looked at; empty before the first is shown. */
  readonly seen: Signal<string>;
  /** The revision that was last saved from this view. */
  readonly saved: Signal<number>;
  /** Whether a revision is being saved from this view. */
  readonly saving: Signal<boolean>;
  /** Hash of the plan that an approval from this view was given to. */
  readonly approved: Signal<string>;
}

export function newPlanChoice(): PlanChoice {
  const unticked = signal<ReadonlySet<string>>(new Set());
  return {
    picking: signal(false),
    unticked,
    editing: signal(false),
    dirty: signal(false),
    whole: computed(() => unticked.value.size === 0),
    seen: signal(""),
    saved: signal(0),
    saving: signal(false),
    approved: signal(""),
  };
}

/** The names that are ticked, in plan order. */
export function tickedIn(choice: PlanChoice, plan: PlanSpec): string[] {
  const left = choice.unticked.value;
  return plan.tasks.map((task) => task.name).filter((name) => !left.has(name));
}

/** Tick a task with all that it needs, or untick it with all that needs it. */
export function setTicked(
  choice: PlanChoice,
  plan: PlanSpec,
  name: string,
  ticked: boolean,
): void {
  const touched = reached(ticked ? needsOf(plan) : needingOf(plan), name);
  const left = new Set(choice.unticked.value);
  for (const each of touched) {
    if (ticked) left.delete(each);
    else left.add(each);
  }
  choice.unticked.value = left;
}

/** Tick every task, or none. */
export function setAllTicked(choice: PlanChoice, plan: PlanSpec, ticked: boolean): void {
  choice.unticked.value = new Set(ticked ? [] : plan.tasks.map((task) => task.name));
}

/** Choose no part any more: everything is ticked again. */
export function endPicking(choice: PlanChoice): void {
  choice.picking.value = false;
  choice.unticked.value = new Set();
}

type Ways = ReadonlyMap<string, readonly string[]>;

const needsOf = (plan: PlanSpec): Ways =>
  new Map(plan.tasks.map((task: TaskSpec) => [task.name, task.needs ?? []]));

function needingOf(plan: PlanSpec): Ways {
  const ways = new Map<string, string[]>();
  for (const task of plan.tasks) {
    for (const need of task.needs ?? []) {
      const known = ways.get(need);
      if (known) known.push(task.name);
      else ways.set(need, [task.name]);
    }
  }
  return ways;
}

function reached(ways: Ways, from: string): ReadonlySet<string> {
  const seen = new Set([from]);
  for (const name of seen) for (const next of ways.get(name) ?? []) seen.add(next);
  return seen;
}
