import { type Signal, signal } from "@preact/signals";
import type { EventFacts } from "./protocol";

/** So many events are kept for the feed; earlier ones are asked for when they are wanted. */
const KEPT = 100_000;

/** The newest events of a mission, in order of `seq`, each once. */
export class EventLog {
  readonly items: EventFacts[] = [];
  /** Rises with each change of `items`. */
  readonly version: Signal<number> = signal(0);
  /** All kinds that have occurred. */
  readonly kinds = new Set<string>();

  get lastSeq(): number {
    return this.items.at(-1)?.seq ?? 0;
  }

  reset(events: readonly EventFacts[]): void {
    this.items.length = 0;
    this.kinds.clear();
    this.#add(events);
    this.version.value += 1;
  }

  append(events: readonly EventFacts[]): void {
    const last = this.lastSeq;
    const fresh = events.filter((event) => event.seq > last);
    if (fresh.length === 0) return;
    this.#add(fresh);
    if (this.items.length > KEPT) this.items.splice(0, this.items.length - KEPT);
    this.version.value += 1;
  }

  /** Put earlier events in front. */
  prepend(events: readonly EventFacts[]): void {
    const first = this.items[0]?.seq ?? Infinity;
    const earlier = events.filter((event) => event.seq < first);
    if (earlier.length === 0) return;
    const later = this.items.splice(0);
    this.#add(earlier);
    this.#add(later);
    this.version.value += 1;
  }

  /** One by one: a call takes no hundred thousand arguments. */
  #add(events: readonly EventFacts[]): void {
    for (const event of events) {
      this.items.push(event);
      this.kinds.add(event.kind);
    }
  }
}
