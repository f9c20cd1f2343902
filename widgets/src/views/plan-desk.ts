import { batch, computed, type Signal, signal } from "@preact/signals";
import type { Here } from "../here";
import { reasonOf } from "../link";
import type { Mission } from "../mission";
import type {
  Checked,
  Choice,
  Decision,
  Difference,
  Draft,
  PlanSpec,
  Problem,
  TaskSpec,
} from "../protocol";
import type { Ui } from "../ui";
import {
  added,
  addedChanged,
  changed,
  dropped,
  isEmpty,
  NO_EDITS,
  type PlanFields,
  planChanged,
  type Row,
  rebased,
  rowsOf,
  settled,
  undone,
} from "./plan-draft";

import { fieldsOf } from "./plan-fields";

/** Row and field to which the focus is to go. */
export interface Place {
  readonly key: string;
  readonly field: string;
}

/** The row of what belongs to no task: the plan itself. */
export const WHOLE = "";

/** Where tasks are added. */
export const ADDING: Place = { key: "+", field: "" };

const REST_MS = 300;
const NO_PLAN: PlanSpec = { goal: "", tasks: [] };

/**
 * A person's edits of one mission's plan in one view, and what the kernel says of them.
 *
 * It outlives the tab that shows it, so edits are still there when one comes back. Timers are
 * those of `watch`, which ends with the tab.
 */
export class PlanDesk {
  readonly mission: Mission;
  readonly #here: Here;

  readonly draft: Signal<Draft> = signal(NO_EDITS);
  /** The revision that the draft was begun on. */
  readonly base: Signal<number> = signal(0);
  readonly checked: Signal<Checked | null> = signal(null);
  /** Why the kernel could not check the draft; empty if it could. */
  readonly refusal: Signal<string> = signal("");
  /** Names of tasks that were edited and that a newer revision does not have. */
  readonly gone: Signal<readonly string[]> = signal([]);
  /** Comments that are being written, by task. */
  readonly comments: Signal<ReadonlyMap<string, string>> = signal(new Map());
  readonly filter: Signal<string> = signal("");
  readonly goTo: Signal<Place | null> = signal(null);
  /** Key of the added task that is open; null if none is. */
  readonly openAdded: Signal<string | null> = signal(null);
  readonly #rested: Signal<Draft> = signal(NO_EDITS);
  #before: ReadonlyMap<string, Row> = new Map();

  readonly stored = computed((): PlanSpec => this.mission.plan.value ?? NO_PLAN);
  readonly rows = computed((): readonly Row[] => {
    const rows = settled(rowsOf(this.stored.value, this.draft.value), this.#before);
    this.#before = new Map(rows.map((row) => [row.key, row]));
    return rows;
  });
  /** Row by the name of its task; those that are added do not hide those of the plan. */
  readonly byName = computed(
    (): ReadonlyMap<string, Row> =>
      new Map([...this.rows.value].reverse().map((row) => [row.now.name, row])),
  );
  /** The plan as the draft would have it, as far as a view can tell. */
  readonly plan = computed((): PlanSpec => {
    const { draft, stored, rows } = this;
    if (isEmpty(draft.value)) return stored.value;
    const tasks = rows.value.filter((row) => !row.dropped).map((row) => row.now);
    return { ...stored.value, ...draft.value.plan, tasks };
  });
  /** The same as it last rested, for what is dear to draw; with the tasks that are to be
   * dropped, so that each keeps its number. */
  readonly drawn = computed((): PlanSpec => {
    const draft = this.#rested.value;
    const stored = this.stored.value;
    if (isEmpty(draft)) return stored;
    return { ...stored, tasks: rowsOf(stored, draft).map((row) => row.now) };
  });
  readonly dirty = computed(() => !isEmpty(this.draft.value));
  // The state may follow a moment after the approval; nothing can be edited between them.
  readonly mayEdit = computed(
    () =>
      this.mission.facts.value.state === "awaiting_approval" &&
      this.mission.head.value.decision !== null &&
      this.#here.ui.choice.approved.value === "",
  );
  readonly editing = computed(() => this.mayEdit.value && this.#here.ui.choice.editing.value);
  /** Whether another revision has come since the draft was begun. */
  readonly overtaken = computed(
    () => this.dirty.value && this.mission.facts.value.revision !== this.base.value,
  );
  /** What the kernel finds wrong; tools are all of the work that has a field. */
  readonly problems = computed((): readonly Problem[] =>
    (this.#told()?.problems ?? []).map((each) =>
      each.field === "work" ? { ...each, field: "tools" } : each,
    ),
  );
  readonly problemsByRow = computed(() => {
    const found = new Map<string, Problem[]>();
    for (const problem of this.problems.value) {
      const key = this.keyOf(problem.task);
      found.set(key, [...(found.get(key) ?? []), problem]);
    }
    return found;
  });
  /** Models that tasks can be given. */
  readonly models = computed(
    (): readonly Choice[] => this.mission.head.value.decision?.models ?? [],
  );
  readonly difference = computed((): Difference | null => this.#told()?.difference ?? null);

  constructor(here: Here) {
    this.#here = here;
    this.mission = here.mission;
  }

  /** What the kernel says of the draft, or of the plan while there is none. */
  #told(): Checked | Decision | null {
    return this.dirty.value ? this.checked.value : this.mission.head.value.decision;
  }

  /** Row of the task that a problem names. */
  keyOf(task: string): string {
    return task === "" ? WHOLE : (this.byName.value.get(task)?.key ?? WHOLE);
  }

  /** What there is of a task, or of the plan itself. */
  fieldsOf(row: Row | null): string[] {
    return fieldsOf(row, this.models.value.length > 0);
  }

  problemsOf(key: string, field: string): readonly Problem[] {
    return (this.problemsByRow.value.get(key) ?? []).filter((one) => one.field === field);
  }

  /** Give a task new values, or the plan itself where there is no row. */
  edit(row: Row | null, values: Partial<TaskSpec> & Partial<PlanFields>): void {
    const draft = this.draft.value;
    this.#put(
      row === null
        ? planChanged(draft, this.stored.value, values)
        : row.stored
          ? changed(draft, row.stored, values)
          : addedChanged(draft, placeOf(row), values),
    );
  }

  drop(row: Row): void {
    const { draft } = this;
    if (row.stored) this.#put(dropped(draft.value, row.stored.name));
    else {
      const add = draft.value.add.filter((_, index) => index !== placeOf(row));
      this.openAdded.value = null;
      this.#put({ ...draft.value, add });
      this.goTo.value = ADDING;
    }
  }

  /** Take back what was done to a task, or to the plan itself where there is no row. */
  undo(row: Row | null): void {
    const draft = this.draft.value;
    this.#put(row ? undone(draft, row.stored?.name ?? "") : { ...draft, plan: {} });
  }

  undoAll(): void {
    batch(() => {
      this.gone.value = [];
      this.openAdded.value = null;
      this.#put(NO_EDITS);
    });
  }

  /** Add a task and open its contract. */
  add(): void {
    const agent = this.mission.agents[0]?.name ?? "";
    batch(() => {
      this.#put(added(this.draft.value, this.stored.value, agent));
      const key = `+${this.draft.value.add.length - 1}`;
      this.openRow(key);
      this.goTo.value = { key, field: "name" };
      this.filter.value = "";
    });
  }

  openRow(key: string): void {
    const isAdded = key.startsWith("+");
    batch(() => {
      this.openAdded.value = isAdded ? key : null;
      this.#here.ui.task.value = isAdded || key === WHOLE ? null : key.slice(1);
    });
  }

  closeRow(): void {
    this.openRow(WHOLE);
  }

  /** Open what a problem is about, and bring the focus to the field. */
  show(problem: Problem): void {
    const key = this.keyOf(problem.task);
    batch(() => {
      if (this.mayEdit.value) this.#here.ui.choice.editing.value = true;
      if (key !== WHOLE) this.openRow(key);
      this.goTo.value = { key, field: problem.field };
      this.#here.ui.opened.value += 1;
    });
  }

  /** The kernel has made a revision of the draft. */
  saved(answer: Checked): void {
    batch(() => {
      this.#here.ui.choice.saved.value = answer.difference.to_revision;
      this.#finish();
      this.checked.value = null;
      this.base.value = answer.difference.to_revision;
    });
  }

  /** Go on with the draft on the revision that has come meanwhile. */
  rebase(): void {
    batch(() => {
      const { draft, gone } = rebased(this.draft.value, this.stored.value);
      this.gone.value = gone;
      this.base.value = this.mission.facts.value.revision;
      this.#put(draft);
    });
  }

  /** Take away what a newer revision already has; no edits are left where it has all. */
  settle(): void {
    if (isEmpty(this.draft.peek())) return;
    const { draft, gone } = rebased(this.draft.peek(), this.stored.peek());
    if (isEmpty(draft) && gone.length === 0) this.#finish();
  }

  /** Nothing is left to save; a new task that was open is one of the plan now. */
  #finish(): void {
    batch(() => {
      const open = this.rows.value.find(({ key }) => key === this.openAdded.value);
      this.undoAll();
      if (open) this.#here.ui.task.value = open.now.name;
    });
  }

  /** Ask the kernel about the draft once it has rested. Returns what ends the waiting. */
  watch(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = this.draft.subscribe((draft) => {
      clearTimeout(timer);
      if (isEmpty(draft)) {
        this.checked.value = null;
        this.refusal.value = "";
        this.#rested.value = draft;
      } else {
        timer = setTimeout(() => void this.#check(), REST_MS);
      }
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }

  async #check(): Promise<void> {
    const draft = this.draft.peek();
    this.#rested.value = draft;
    try {
      const checked = await this.#here.link.ask<Checked>("check", { draft });
      if (draft !== this.#rested.peek()) return;
      this.checked.value = checked;
      this.refusal.value = "";
    } catch (error) {
      const why = reasonOf(error);
      if (draft === this.#rested.peek()) this.refusal.value = why;
    }
  }

  #put(draft: Draft): void {
    const { dirty, base } = this;
    batch(() => {
      if (!dirty.value) base.value = Math.max(base.value, this.mission.facts.value.revision);
      this.draft.value = draft;
      this.#here.ui.choice.dirty.value = dirty.value;
    });
  }
}

/** The key of a row, or of the plan itself. */
export const keyOf = (row: Row | null): string => row?.key ?? WHOLE;

const placeOf = (row: Row): number => Number(row.key.slice(1));

const desks = new WeakMap<Ui, PlanDesk>();

/** The desk of a view; the same for as long as the view shows the mission. */
export function deskOf(here: Here): PlanDesk {
  const known = desks.get(here.ui);
  if (known && known.mission === here.mission) return known;
  const made = new PlanDesk(here);
  desks.set(here.ui, made);
  return made;
}
