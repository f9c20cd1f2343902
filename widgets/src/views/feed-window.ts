import type { EventFacts } from "../protocol";
import { placeOf } from "./feed-matches";
import { Offsets } from "./feed-offsets";

const FIRST_GUESS = 35;
/** So many rows beyond what is seen are drawn, so that scrolling never shows a gap. */
const BEYOND = 10;
/** The rows to draw change in such steps, not with each pixel. */
const STEP = 5;
const NEARLY = 4;

/**
 * Which rows of a long list are drawn, and where the list stands.
 *
 * The list either sticks to its end, or keeps an event in its place whatever comes before,
 * after or above it. Pure reckoning: who owns the scroll box tells what was measured.
 */
export class RowWindow {
  /** Whether one is at the end, so that new rows move the list. */
  stick = true;
  /** Height of the part that is seen. */
  height = 0;

  readonly #offsets = new Offsets(FIRST_GUESS);
  readonly #measured = new Map<number, number>();
  #items: readonly EventFacts[] = [];
  #generation = -1;
  #estimate = 0;
  #anchorSeq = 0;
  #anchorRest = 0;

  /** Take the rows as they are now: `count` of `items` are shown. */
  take(items: readonly EventFacts[], count: number, generation: number): void {
    const same = items === this.#items && generation === this.#generation;
    this.#items = items;
    this.#generation = generation;
    if (same && count >= this.#offsets.size) this.#offsets.grow(count);
    else this.#lay(count);
  }

  get total(): number {
    return this.#offsets.of(this.#offsets.size);
  }

  /** How far down the list stands. */
  get top(): number {
    const end = Math.max(0, this.total - this.height);
    if (this.stick) return end;
    const row = placeOf(this.#items, this.#anchorSeq);
    return Math.max(0, Math.min(end, this.#offsets.of(row) + this.#anchorRest));
  }

  /** First row to draw, and the one after the last. */
  get range(): readonly [number, number] {
    const { size } = this.#offsets;
    if (size === 0) return [0, 0];
    const first = this.#offsets.at(this.top) - BEYOND;
    const last = this.#offsets.at(this.top + this.height) + 1 + BEYOND;
    const from = Math.max(0, Math.floor(first / STEP) * STEP);
    return [from, Math.min(size, Math.ceil(last / STEP) * STEP)];
  }

  /** Where a row begins. */
  offset(row: number): number {
    return this.#offsets.of(row);
  }

  /** The list was scrolled. */
  scrolled(top: number): void {
    this.stick = top >= this.total - this.height - NEARLY;
    this.#hold(top);
  }

  /** Stick to the end if that is where the list has come to rest. */
  rest(): void {
    if (!this.stick) this.stick = this.top >= this.total - this.height - NEARLY;
  }

  /** Stay where the list is, also if that is the end. */
  stay(): void {
    this.#hold(this.top);
    this.stick = false;
  }

  /** Take the true heights of rows that were drawn. */
  measure(heights: readonly (readonly [row: number, height: number])[]): void {
    if (heights.length === 0) return;
    if (this.#estimate === 0) {
      this.#estimate = heights.reduce((sum, [, height]) => sum + height, 0) / heights.length;
      this.#lay(this.#offsets.size);
    }
    for (const [row, height] of heights) {
      const event = this.#items[row];
      if (event === undefined || this.#measured.get(event.seq) === height) continue;
      this.#measured.set(event.seq, height);
      this.#offsets.set(row, height);
    }
  }

  /** Lines break elsewhere now: what was measured holds no more. */
  forget(): void {
    this.#measured.clear();
    this.#estimate = 0;
    this.#lay(this.#offsets.size);
  }

  #hold(top: number): void {
    const row = this.#offsets.at(top);
    this.#anchorSeq = this.#items[row]?.seq ?? 0;
    this.#anchorRest = top - this.#offsets.of(row);
  }

  #lay(count: number): void {
    this.#offsets.reset(count, this.#estimate || FIRST_GUESS);
    const first = this.#items[0]?.seq ?? 0;
    for (const [seq, height] of this.#measured) {
      if (seq < first) this.#measured.delete(seq);
      const row = placeOf(this.#items, seq);
      if (row < count && this.#items[row]?.seq === seq) this.#offsets.set(row, height);
    }
  }
}
