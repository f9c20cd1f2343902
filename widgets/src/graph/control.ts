/** What is marked, hovered and told of a graph, and the surface that shows it. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Here } from "../here";
import { sameItems } from "../lists";
import { plain } from "../parts/phrase";
import type { PlanSpec, TaskFacts, TaskState } from "../protocol";
import { enumerated } from "../task-story";
import { openTask } from "../ui";
import { isActive, line, TASK_WORDS } from "../words";
import { type Arranged, arranged, edgesAlong } from "./arranged";
import { detailOf } from "./look";
import { type Elements, NAME_AT_MOST, type Owner, Surface } from "./surface";
import { stepOf } from "./ways";

/** The pointer may leave box and card for so long, on its way from one to the other. */
const LEAVE_MS = 300;
/** It rests so long on a task before the card comes. */
const REST_MS = 120;
/** So much larger or smaller each time. */
const STEP = 1.4;

const EMPTY: PlanSpec = { goal: "", tasks: [] };

export class Control {
  /** The task below the pointer; -1 if there is none. */
  readonly hovered: Signal<number> = signal(-1);
  /** The task that arrow keys start from: the last that was opened or stepped to. */
  readonly marked: Signal<number> = signal(-1);
  /** What a screen reader is told of a step. */
  readonly said: Signal<string> = signal("");
  /** Whether a part of the graph is out of sight. */
  readonly isCut: Signal<boolean> = signal(false);
  /** Whether boxes are so small that only their colour and length tell their state. */
  readonly isFar: Signal<boolean> = signal(false);
  /** Rises when something was drawn in another place or size. */
  readonly viewed: Signal<number> = signal(0);
  /** The task whose card is shown. */
  readonly shown: ReadonlySignal<number>;
  surface: Surface | null = null;

  readonly #here: Here;
  readonly #now: ReadonlySignal<number>;
  readonly #dismissed = signal(-1);
  #own: Arranged = arranged(EMPTY);
  #plan: PlanSpec = EMPTY;
  #critical: ReadonlySet<number> = new Set();
  #coming = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(here: Here, now: ReadonlySignal<number>) {
    this.#here = here;
    this.#now = now;
    this.shown = computed(() => {
      const isPointed = this.hovered.value >= 0;
      const task = isPointed ? this.hovered.value : this.marked.value;
      // An open task is told of below the drawing already.
      const isTold = !isPointed && this.nameOf(task) === here.ui.task.value;
      return isTold || task === this.#dismissed.value ? -1 : task;
    });
  }

  /** Begin to draw, and to follow the mission; returns what ends both. */
  attach(elements: Elements): () => void {
    const surface = new Surface(elements, this.#asOwner(), this.#own);
    this.surface = surface;
    const { mission, ui } = this.#here;
    let isDrawn = false;
    const stops = [
      effect(() => this.#takePlan(mission.plan.value ?? EMPTY)),
      // Not at once, as an effect would: all that has changed until now is drawn already.
      mission.changed.subscribe((changed) => {
        if (isDrawn) this.#takeChanged(changed);
        isDrawn = true;
      }),
      effect(() => this.#takeCritical(mission.critical.value)),
      effect(() => this.#follow(ui.task.value)),
      effect(() =>
        surface.mark(this.hovered.value >= 0 ? this.hovered.value : this.marked.value),
      ),
      effect(() => {
        this.#now.value;
        surface.drawTimes();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(this.#timer);
      surface.dispose();
      this.surface = null;
    };
  }

  get size(): number {
    return this.#own.names.length;
  }

  nameOf(task: number): string {
    return this.#own.names[task] ?? "";
  }

  // -- pointer

  /** The pointer is over a task, or over none (-1); what it only passes opens no card. */
  readonly hover = (task: number): void => {
    if (task === this.#coming) return;
    this.stay();
    if (task === this.hovered.peek()) return;
    this.#coming = task;
    this.#timer = setTimeout(
      () => {
        this.#coming = task;
        if (task >= 0) this.#dismissed.value = -1;
        this.hovered.value = task;
      },
      task >= 0 ? REST_MS : LEAVE_MS,
    );
  };

  /** The pointer has come to the card: leave it where it is. */
  readonly stay = (): void => {
    clearTimeout(this.#timer);
    this.#coming = this.hovered.peek();
  };

  /** Hide the card until another task is hovered or marked. */
  readonly dismiss = (): void => {
    this.#dismissed.value = this.shown.peek();
  };

  /** Open a task, and leave focus and pointer where they are. */
  readonly select = (task: number): void => {
    if (task < 0 || task >= this.size) return;
    this.#mark(task);
    this.#here.ui.task.value = this.nameOf(task);
  };

  /** Open a task and go to where it is shown. */
  readonly open = (task: number): void => {
    this.select(task);
    if (task >= 0 && task < this.size) openTask(this.#here.ui, this.nameOf(task));
  };

  #mark(task: number): void {
    this.#dismissed.value = -1;
    this.marked.value = task;
  }

  // -- keys

  readonly press = (event: KeyboardEvent): void => {
    // Keys in the card belong to its buttons.
    if (event.target !== event.currentTarget) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !this.act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** Do what a key asks for; false if it asks for nothing. */
  act(key: string): boolean {
    const { surface } = this;
    const { ways } = this.#own;
    if (!surface || this.size === 0) return false;
    const at = this.marked.peek();
    const step = stepOf(key, surface.isDown);
    if (step) this.#go(at < 0 ? this.#entrance() : ways.step(at, step));
    else if (key === "Home") this.#go(ways.first());
    else if (key === "End") this.#go(ways.last());
    else if (key === "Enter") this.open(at);
    else if (key === "+" || key === "=") surface.scaleBy(STEP);
    else if (key === "-") surface.scaleBy(1 / STEP);
    else if (key === "0") surface.fit();
    else return false;
    return true;
  }

  /** The first key marks what is hovered or at work, or else the first task. */
  #entrance(): number {
    if (this.hovered.peek() >= 0) return this.hovered.peek();
    const active = this.#here.mission.tasks.find((task) => isActive(task.state));
    return this.#own.numbers.get(active?.name ?? "") ?? this.#own.ways.first();
  }

  #go(task: number): void {
    if (task < 0) return;
    this.#mark(task);
    this.hovered.value = -1;
    this.said.value = this.#tell(task);
    this.surface?.reveal(task);
  }

  #tell(task: number): string {
    const list = (numbers: readonly number[]): string =>
      plain(enumerated(numbers.map((one) => this.nameOf(one)))) || "nothing";
    const { ways } = this.#own;
    const needs = list(ways.needsOf(task));
    const children = list(ways.childrenOf(task));
    const name = line(this.nameOf(task));
    return `${name}: ${this.#detailOf(task)}. Needs ${needs}. Leads to ${children}.`;
  }

  // -- facts

  #taskOf(number: number): TaskFacts | undefined {
    return this.#here.mission.task(this.nameOf(number));
  }

  #stateOf(number: number): TaskState {
    return this.#taskOf(number)?.state ?? "pending";
  }

  #unmet(number: number): number[] {
    return this.#own.ways.needsOf(number).filter((need) => this.#stateOf(need) !== "succeeded");
  }

  #detailOf(number: number): string {
    const task = this.#taskOf(number);
    if (task === undefined) return TASK_WORDS.pending.word;
    const most = this.#here.mission.spec(task.name)?.attempts ?? 1;
    return detailOf(task, this.#unmet(number).length, most, this.#now.peek());
  }

  #asOwner(): Owner {
    return {
      stateOf: (task) => this.#stateOf(task),
      nameOf: (task) => line(this.nameOf(task), NAME_AT_MOST),
      detailOf: (task) => this.#detailOf(task),
      isCritical: (edge) => this.#critical.has(edge),
      onHover: this.hover,
      onPress: this.select,
      onView: () => {
        this.viewed.value += 1;
        this.isCut.value = this.surface?.isCut ?? false;
        this.isFar.value = this.surface?.level === "dot";
      },
    };
  }

  // -- what the mission tells

  /** Arrange a plan; one that differs in nothing that is drawn leaves all in its place. */
  #takePlan(plan: PlanSpec): void {
    const isSame = sameGraph(plan, this.#plan);
    this.#plan = plan;
    if (isSame) return;
    const before = this.nameOf(this.marked.peek());
    this.#own = arranged(plan);
    this.marked.value = this.#own.numbers.get(before) ?? -1;
    this.hovered.value = -1;
    this.#critical = edgesAlong(this.#own, this.#here.mission.critical.peek());
    this.surface?.show(this.#own);
  }

  #takeChanged(changed: readonly string[]): void {
    const tasks: number[] = [];
    for (const name of changed) {
      const task = this.#own.numbers.get(name);
      if (task !== undefined) tasks.push(task);
    }
    this.surface?.change(tasks);
  }

  #takeCritical(critical: readonly string[]): void {
    this.#critical = edgesAlong(this.#own, critical);
    this.surface?.drawLater();
  }

  /** A task was opened, here or elsewhere: mark it. It was closed: no card takes its place. */
  #follow(name: string | null): void {
    const task = this.#own.numbers.get(name ?? "") ?? -1;
    if (task < 0) this.#dismissed.value = this.marked.peek();
    if (task < 0 || task === this.marked.peek()) return;
    this.#mark(task);
    this.surface?.reveal(task);
  }
}

/** Whether two plans have the same tasks in the same order, with the same needs. */
function sameGraph(one: PlanSpec, other: PlanSpec): boolean {
  const drawn = ({ tasks }: PlanSpec): string[] =>
    tasks.map(({ name, needs = [] }) => JSON.stringify([name, needs]));
  return one === other || sameItems(drawn(one), drawn(other));
}
