import { firstOf } from "../lists";
import type { EventFacts } from "../protocol";
import type { Test } from "./feed-filter";

/** Events that a full log has dropped are let go of in steps, so that places seldom shift. */
const LET_GO = 2_000;

/** Place of the first event with at least this number. */
export function placeOf(events: readonly EventFacts[], seq: number): number {
  return firstOf(events.length, (place) => (events[place] as EventFacts).seq >= seq);
}

/**
 * The events of a log that pass a test, kept current: each event is tested once.
 *
 * Earlier events that were fetched for this test alone are merged in front.
 */
export class Matches {
  readonly items: EventFacts[] = [];
  /** Rises when anything but the end has changed: places then mean other events. */
  generation = 0;
  /** From where earlier events are to be fetched; null before any were. */
  reach: number | null = null;

  readonly #test: Test;
  #fetched: readonly EventFacts[] = [];
  #first: EventFacts | undefined;
  #last: EventFacts | undefined;

  constructor(test: Test) {
    this.#test = test;
  }

  /** Take in what has changed in the log. */
  sync(log: readonly EventFacts[]): void {
    const seen = this.#last ? placeOf(log, this.#last.seq) : -1;
    if (seen < 0 || log[seen] !== this.#last) {
      this.#rebuild(log);
      return;
    }
    this.#syncFront(log);
    for (let place = seen + 1; place < log.length; place += 1) {
      this.#push(log[place] as EventFacts);
    }
    this.#first = log[0];
    this.#last = log.at(-1);
  }

  /** Take in earlier events that were fetched for this test, and test the log again. */
  fetch(
    events: readonly EventFacts[],
    log: readonly EventFacts[],
    before: number | null = null,
  ): void {
    this.reach = before ?? events[0]?.seq ?? this.reach;
    this.#fetched = merge(events.filter(this.#test), this.#fetched);
    this.#rebuild(log);
  }

  #push(event: EventFacts): void {
    const newest = this.items.at(-1)?.seq ?? 0;
    if (event.seq > newest && this.#test(event)) this.items.push(event);
  }

  #syncFront(log: readonly EventFacts[]): void {
    const first = this.#first as EventFacts;
    const place = placeOf(log, first.seq);
    if (place > 0 && log[place] === first) {
      const earlier = log.slice(0, place).filter(this.#test);
      this.#replace(merge(earlier, this.items));
    } else {
      const gone = placeOf(this.items, log[0]?.seq ?? 0);
      if (gone - this.#fetched.length < LET_GO) return;
      this.items.splice(0, gone);
      this.#fetched = [];
      this.generation += 1;
    }
  }

  #rebuild(log: readonly EventFacts[]): void {
    const tested = log.filter(this.#test);
    this.#replace(this.#fetched.length > 0 ? merge(this.#fetched, tested) : tested);
    this.#first = log[0];
    this.#last = log.at(-1);
  }

  #replace(events: readonly EventFacts[]): void {
    this.items.length = 0;
    for (const event of events) this.items.push(event);
    this.generation += 1;
  }
}

/** Two lists in order of their numbers as one, each event once. */
function merge(a: readonly EventFacts[], b: readonly EventFacts[]): EventFacts[] {
  const merged: EventFacts[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i]?.seq ?? Infinity;
    const right = b[j]?.seq ?? Infinity;
    merged.push((left <= right ? a[i] : b[j]) as EventFacts);
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return merged;
}
