import { effect } from "@preact/signals";
import type { Here } from "../here";
import type { Liveness } from "../link";
import type { MissionState } from "../protocol";
import { count, isFinal, line, MISSION_WORDS } from "../words";

/** At most one sentence in so long a time. */
export const EVERY_MS = 5_000;
const NAMED_AT_MOST = 3;

/**
 * Tells a screen reader what a person should hear of without looking: a change of the
 * mission's state, a new need, a task that failed, the end. Never heartbeats or tool calls.
 */
export class Announcer {
  readonly #say: (sentence: string) => void;
  #state = "";
  #line = "";
  readonly #needs = new Set<string>();
  readonly #failed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastAt = -Infinity;

  constructor(say: (sentence: string) => void) {
    this.#say = say;
  }

  /** Only the newest state counts: what was passed through meanwhile is over. */
  stateIs(sentence: string): void {
    this.#state = sentence;
    this.#soon();
  }

  lineIs(sentence: string): void {
    this.#line = sentence;
    this.#soon();
  }

  needed(task: string): void {
    this.#needs.add(task);
    this.#soon();
  }

  hasFailed(task: string): void {
    this.#failed.add(task);
    this.#soon();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #soon(): void {
    const wait = Math.max(0, this.#lastAt + EVERY_MS - Date.now());
    this.#timer ??= setTimeout(this.#next, wait);
  }

  readonly #next = (): void => {
    this.#timer = undefined;
    const sentence = this.#take();
    if (!sentence) return;
    this.#lastAt = Date.now();
    this.#say(sentence);
    this.#soon();
  };

  #take(): string {
    const said = this.#state || this.#line;
    if (this.#state) this.#state = "";
    else this.#line = "";
    if (said) return said;
    const [needs, failed] = [this.#needs, this.#failed];
    const of = needs.size > 0 ? needs : failed;
    if (of.size === 0) return "";
    const what =
      of === needs
        ? `${count(of.size, "decision needs", "decisions need")} you`
        : `${count(of.size, "task")} failed`;
    const names = named(of);
    of.clear();
    return `${what}: ${names}.`;
  }
}

function named(tasks: ReadonlySet<string>): string {
  const names = [...tasks].map((name) => line(name, 80));
  const more = names.length - NAMED_AT_MOST;
  const first = names.slice(0, NAMED_AT_MOST).join(", ");
  return more > 0 ? `${first} and ${more} more` : first;
}

/** Watch a mission and announce what changes; returns what ends it. */
export function announce({ mission, link, ui }: Here): () => void {
  const announcer = new Announcer((sentence) => {
    ui.said.value = sentence;
  });
  let state: MissionState | null = null;
  let needs: ReadonlySet<string> | null = null;
  let live: Liveness = link.liveness.peek();
  const failed = new Set(
    mission.tasks.filter((task) => task.state === "failed").map((task) => task.name),
  );
  const ends = [
    effect(() => {
      const { state: now, short_id: id } = mission.facts.value;
      if (state !== null && state !== now) announcer.stateIs(stateSentence(id, now));
      state = now;
    }),
    effect(() => {
      const now = new Set(mission.head.value.needs.map((need) => need.task));
      for (const task of now) if (needs !== null && !needs.has(task)) announcer.needed(task);
      needs = now;
    }),
    effect(() => {
      for (const name of mission.changed.value) {
        if (mission.task(name)?.state !== "failed") failed.delete(name);
        else if (!failed.has(name)) {
          failed.add(name);
          announcer.hasFailed(name);
        }
      }
    }),
    effect(() => {
      const now = link.liveness.value;
      if (now !== live) announcer.lineIs(now === "live" ? LIVE_AGAIN : NOT_LIVE);
      live = now;
    }),
  ];
  return () => {
    for (const end of ends) end();
    announcer.close();
  };
}

const LIVE_AGAIN = "This view is live again.";
const NOT_LIVE = "This view is no longer live.";

function stateSentence(id: string, state: MissionState): string {
  const { word } = MISSION_WORDS[state];
  if (isFinal(state)) return `Mission ${id} has ended: ${word}.`;
  return `Mission ${id} is now ${word}.`;
}
