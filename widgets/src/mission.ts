import { batch, type Signal, signal } from "@preact/signals";
import { EventLog } from "./event-log";
import { sameItems } from "./lists";
import type {
  AgentFacts,
  AttemptFacts,
  Batch,
  ClickFacts,
  HeadFacts,
  Meanings,
  MissionFacts,
  Picture,
  PlanSpec,
  TaskFacts,
  TaskSpec,
} from "./protocol";
import { isFinal } from "./words";

/**
 * A mission as a view knows it: begun by a picture, kept current by batches.
 *
 * Rows that change are replaced, never changed in place. Lists are kept in place and have a
 * version beside them, because a plan may have ten thousand tasks.
 */
export class Mission {
  readonly facts: Signal<MissionFacts>;
  readonly plan: Signal<PlanSpec | null>;
  readonly head: Signal<HeadFacts>;
  /** Names along the critical path: the same list as long as they are the same. */
  readonly critical: Signal<readonly string[]> = signal([]);
  readonly clicks: Signal<ClickFacts>;
  readonly totalEvents: Signal<number>;
  readonly log = new EventLog();
  /** In plan order. */
  readonly tasks: TaskFacts[] = [];
  /** Rises with each change of `tasks`. */
  readonly tasksVersion: Signal<number> = signal(0);
  /** Names of the tasks that the last message changed; all of them after a picture. */
  readonly changed: Signal<readonly string[]> = signal([]);
  /** In order of their start. */
  readonly attempts: AttemptFacts[] = [];
  readonly attemptsVersion: Signal<number> = signal(0);
  agents: readonly AgentFacts[];
  tools: readonly string[];
  meanings: Meanings;
  /** The last event that is included in all of this. */
  readonly seq: Signal<number> = signal(0);
  /** How much the kernel's clock is ahead of this one, in milliseconds. */
  skewMs = 0;

  readonly #places = new Map<string, number>();
  readonly #names = new Map<string, string>();
  readonly #attemptPlaces = new Map<string, number>();
  #specs: ReadonlyMap<string, TaskSpec> = new Map();
  #specsOf: PlanSpec | null = null;

  constructor(picture: Picture) {
    this.facts = signal(picture.mission);
    this.plan = signal(picture.plan);
    this.head = signal(picture.head);
    this.clicks = signal(picture.clicks);
    this.totalEvents = signal(picture.total_events);
    this.agents = picture.agents;
    this.tools = picture.tools;
    this.meanings = picture.meanings;
    this.begin(picture);
  }

  /** Take a picture in the place of all that is known. */
  begin(picture: Picture): void {
    batch(() => {
      this.seq.value = picture.seq;
      this.skewMs = Date.parse(picture.now) - Date.now();
      this.facts.value = picture.mission;
      this.plan.value = picture.plan;
      this.#takeHead(picture.head);
      this.clicks.value = picture.clicks;
      this.totalEvents.value = picture.total_events;
      this.agents = picture.agents;
      this.tools = picture.tools;
      this.meanings = picture.meanings;
      this.log.reset(picture.events);
      this.#forgetTasks();
      this.#putTasks(picture.tasks);
      this.attempts.length = 0;
      this.#attemptPlaces.clear();
      this.#putAttempts(picture.attempts);
    });
  }

  /** Take what has changed. Returns false if something before it is missing. */
  apply(message: Batch): boolean {
    if (message.from_seq > this.seq.peek()) return false;
    if (message.seq < this.seq.peek()) return true;
    batch(() => {
      this.seq.value = message.seq;
      this.skewMs = Date.parse(message.now) - Date.now();
      if (message.mission) this.facts.value = message.mission;
      if (message.plan) this.plan.value = message.plan;
      if (message.plan && message.tasks.length >= message.plan.tasks.length)
        this.#forgetTasks();
      if (message.head) this.#takeHead(message.head);
      this.totalEvents.value = message.total_events;
      this.log.append(message.events);
      if (message.tasks.length > 0) this.#putTasks(message.tasks);
      if (message.attempts.length > 0) this.#putAttempts(message.attempts);
    });
    return true;
  }

  task(name: string): TaskFacts | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.tasks[place];
  }

  /** Name of the task with an id; attempts know only the id. */
  nameOf(id: string): string {
    return this.#names.get(id) ?? "";
  }

  /** What a task needs that has not ended, in plan order. */
  unmet(name: string): string[] {
    return (this.spec(name)?.needs ?? []).filter((need) => {
      const task = this.task(need);
      return task === undefined || !isFinal(task.state);
    });
  }

  spec(name: string): TaskSpec | undefined {
    if (this.#specsOf !== this.plan.peek()) {
      this.#specsOf = this.plan.peek();
      this.#specs = new Map(this.#specsOf?.tasks.map((task) => [task.name, task]) ?? []);
    }
    return this.#specs.get(name);
  }

  #takeHead(head: HeadFacts): void {
    this.head.value = head;
    if (!sameItems(head.critical, this.critical.peek())) this.critical.value = head.critical;
  }

  #forgetTasks(): void {
    this.tasks.length = 0;
    this.#places.clear();
    this.#names.clear();
  }

  #putTasks(tasks: readonly TaskFacts[]): void {
    const revised = tasks.some((task) => this.#names.get(task.id) === undefined);
    // A new revision has new rows; a batch then brings all of them.
    if (revised && this.tasks.length > 0) this.#forgetTasks();
    for (const task of tasks) {
      const place = this.#places.get(task.name);
      if (place === undefined) {
        this.#places.set(task.name, this.tasks.length);
        this.#names.set(task.id, task.name);
        this.tasks.push(task);
      } else {
        this.tasks[place] = task;
      }
    }
    this.tasksVersion.value += 1;
    this.changed.value = tasks.map((task) => task.name);
  }

  #putAttempts(attempts: readonly AttemptFacts[]): void {
    for (const attempt of attempts) {
      const key = `${attempt.task_id} ${attempt.number}`;
      const place = this.#attemptPlaces.get(key);
      if (place === undefined) {
        this.#attemptPlaces.set(key, this.attempts.length);
        this.attempts.push(attempt);
      } else {
        this.attempts[place] = attempt;
      }
    }
    this.attemptsVersion.value += 1;
  }
}
