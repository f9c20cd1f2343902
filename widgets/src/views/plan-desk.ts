import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Here } from "../here";
import { reasonOf } from "../link";
import type { Mission } from "../mission";
import type { Checked, Difference, Draft, PlanSpec, Problem, TaskSpec } from "../protocol";
import type { Ui } from "../ui";
import {
  added,
  addedChanged,
  applied,
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
import { specOf } from "./plan-fields";
import { NO_VALUE } from "./plan-values";

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
  readonly draft: Signal<Draft> = signal(NO_EDITS);
  /** The revision that the draft was begun on. */
  readonly base: Signal<number> = signal(0);
  /** Texts that are no values, by row and field. */
  readonly unread: Signal<ReadonlyMap<string, string>> = signal(new Map());
  readonly checked: Signal<Checked | null> = signal(null);
  /** Why the kernel could not check the draft; empty if it could. */
  readonly refusal: Signal<string> = signal("");
  /** Names of tasks that were edited and that a newer revision does not have. */
  readonly gone: Signal<readonly string[]> = signal([]);
  /** Comments that are being written, by task. */
  readonly comments: Signal<ReadonlyMap<string, string>> = signal(new Map());
  readonly filter: Signal<string> = signal("");
  readonly goTo: Signal<Place | null> = signal(null);
  /** The added task that is open, by its place; null if none is. */
  readonly openAdded: Signal<number | null> = signal(null);

  readonly rows: ReadonlySignal<readonly Row[]>;
  /** Row by the name of its task; those that are added do not hide those of the plan. */
  readonly byName: ReadonlySignal<ReadonlyMap<string, Row>>;
  readonly stored: ReadonlySignal<PlanSpec>;
  readonly plan: ReadonlySignal<PlanSpec>;
  /** The same as it last rested, for what is dear to draw; with the tasks that are to be
   * dropped, so that each keeps its number. */
  readonly drawn: ReadonlySignal<PlanSpec>;
  readonly dirty: ReadonlySignal<boolean>;
  readonly mayEdit: ReadonlySignal<boolean>;
  readonly editing: ReadonlySignal<boolean>;
  /** Whether another revision has come since the draft was begun. */
  readonly overtaken: ReadonlySignal<boolean>;
  readonly problems: ReadonlySignal<readonly Problem[]>;
  readonly problemsByRow: ReadonlySignal<ReadonlyMap<string, readonly Problem[]>>;
  readonly difference: ReadonlySignal<Difference | null>;

  readonly mission: Mission;
  readonly #ui: Ui;
  readonly #ask: Here["link"]["ask"];
  readonly #rested: Signal<Draft> = signal(NO_EDITS);
  #before: ReadonlyMap<string, Row> = new Map();
  #asked = 0;

  constructor({ mission, ui, link }: Here) {
    this.mission = mission;
    this.#ui = ui;
    this.#ask = link.ask.bind(link);
    this.stored = computed(() => mission.plan.value ?? NO_PLAN);
    this.rows = computed(() => {
      const rows = settled(rowsOf(this.stored.value, this.draft.value), this.#before);
      this.#before = new Map(rows.map((row) => [row.key, row]));
      return rows;
    });
    this.byName = computed(
      () => new Map([...this.rows.value].reverse().map((row) => [row.now.name, row])),
    );
    this.plan = computed(() => applied(this.stored.value, this.draft.value, this.rows.value));
    this.drawn = computed(() => {
      const draft = this.#rested.value;
      const stored = this.stored.value;
      if (isEmpty(draft)) return stored;
      return { ...stored, tasks: rowsOf(stored, draft).map((row) => row.now) };
    });
    this.dirty = computed(() => !isEmpty(this.draft.value) || this.unread.value.size > 0);
    // The state may follow a moment after the approval; nothing can be edited between them.
    this.mayEdit = computed(
      () =>
        mission.facts.value.state === "awaiting_approval" &&
        mission.head.value.decision !== null &&
        ui.choice.approved.value === "",
    );
    this.editing = computed(() => this.mayEdit.value && ui.choice.editing.value);
    this.overtaken = computed(
      () => this.dirty.value && mission.facts.value.revision !== this.base.value,
    );
    this.problems = computed(() => this.#allProblems());
    this.problemsByRow = computed(() => {
      const found = new Map<string, Problem[]>();
      for (const problem of this.problems.value) {
        const key = this.keyOf(problem.task);
        found.set(key, [...(found.get(key) ?? []), problem]);
      }
      return found;
    });
    this.difference = computed(() =>
      isEmpty(this.draft.value)
        ? (mission.head.value.decision?.difference ?? null)
        : (this.checked.value?.difference ?? null),
    );
  }

  /** Row of the task that a problem names. */
  keyOf(task: string): string {
    return task === "" ? WHOLE : (this.byName.value.get(task)?.key ?? WHOLE);
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

  /** Keep a text that is no value, so that it is neither lost nor taken for one. */
  putUnread(key: string, text: string | null): void {
    if (text === null && !this.unread.value.has(key)) return;
    this.#begin();
    const all = new Map(this.unread.value);
    if (text === null) all.delete(key);
    else all.set(key, text);
    this.unread.value = all;
    this.#ui.choice.dirty.value = this.dirty.value;
  }

  drop(row: Row): void {
    batch(() => {
      this.#forgetUnread(row.key);
      if (row.stored) this.#put(dropped(this.draft.value, row.stored.name));
      else this.#removeAdded(placeOf(row));
    });
  }

  /** Take back what was done to a task, or to the plan itself where there is no row. */
  undo(row: Row | null): void {
    const draft = this.draft.value;
    batch(() => {
      this.#forgetUnread(keyOf(row));
      this.#put(row ? undone(draft, row.stored?.name ?? "") : { ...draft, plan: {} });
    });
  }

  undoAll(): void {
    batch(() => {
      this.unread.value = new Map();
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
    batch(() => {
      const isAdded = key.startsWith("+");
      this.openAdded.value = isAdded ? Number(key.slice(1)) : null;
      this.#ui.task.value = isAdded || key === WHOLE ? null : key.slice(1);
    });
  }

  closeRow(): void {
    batch(() => {
      this.openAdded.value = null;
      this.#ui.task.value = null;
    });
  }

  /** Open what a problem is about, and bring the focus to the field. */
  show(problem: Problem): void {
    const key = this.keyOf(problem.task);
    batch(() => {
      if (this.mayEdit.value) this.#ui.choice.editing.value = true;
      if (key !== WHOLE) this.openRow(key);
      this.goTo.value = { key, field: problem.field };
      this.#ui.opened.value += 1;
    });
  }

  /** The kernel has made a revision of the draft. */
  saved(answer: Checked): void {
    batch(() => {
      this.#ui.choice.saved.value = answer.difference.to_revision;
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
      const place = this.openAdded.value;
      const open = place === null ? undefined : this.draft.value.add[place]?.name;
      this.undoAll();
      if (open !== undefined) this.#ui.task.value = open;
    });
  }

  /** Ask the kernel about the draft once it has rested. Returns what ends the waiting. */
  watch(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = this.draft.subscribe((draft) => {
      clearTimeout(timer);
      if (isEmpty(draft)) {
        this.#asked += 1;
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
    this.#asked += 1;
    const mine = this.#asked;
    this.#rested.value = this.draft.peek();
    try {
      const checked = await this.#ask<Checked>("check", { draft: this.draft.peek() });
      if (mine !== this.#asked) return;
      this.checked.value = checked;
      this.refusal.value = "";
    } catch (error) {
      const why = reasonOf(error);
      if (mine === this.#asked) this.refusal.value = why;
    }
  }

  #put(draft: Draft): void {
    batch(() => {
      this.#begin();
      this.draft.value = draft;
      this.#ui.choice.dirty.value = this.dirty.value;
    });
  }

  #begin(): void {
    if (this.dirty.value) return;
    this.base.value = Math.max(this.base.value, this.mission.facts.value.revision);
  }

  #removeAdded(place: number): void {
    this.openAdded.value = null;
    // What stands behind it moves up, and texts that cannot be read would stay behind.
    const rest = [...this.unread.value].filter(([key]) => !key.startsWith("+"));
    this.unread.value = new Map(rest);
    const { add } = this.draft.value;
    this.#put({ ...this.draft.value, add: add.filter((_, index) => index !== place) });
    this.goTo.value = ADDING;
  }

  #forgetUnread(key: string): void {
    const rest = [...this.unread.value].filter(([each]) => !each.startsWith(`${key}\n`));
    if (rest.length < this.unread.value.size) this.unread.value = new Map(rest);
  }

  #allProblems(): readonly Problem[] {
    const own = [...this.unread.value.keys()].map((key): Problem => {
      const cut = key.lastIndexOf("\n");
      const row = this.rows.value.find((each) => each.key === key.slice(0, cut)) ?? null;
      const field = key.slice(cut + 1);
      const text = NO_VALUE[specOf(row, field)?.kind ?? "text"] ?? "";
      return { task: row?.now.name ?? "", field, text, instead: null };
    });
    const said = isEmpty(this.draft.value)
      ? this.mission.head.value.decision?.problems
      : this.checked.value?.problems;
    // Tools are all of the work that has a field.
    return [...own, ...(said ?? [])].map((each) =>
      each.field === "work" ? { ...each, field: "tools" } : each,
    );
  }
}

/** What is kept of a row, or of the plan itself, by its key. */
export const keyOf = (row: Row | null): string => row?.key ?? WHOLE;

export const unreadKey = (row: Row | null, field: string): string => `${keyOf(row)}\n${field}`;

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
