import { firstOf } from "../lists";

/**
 * Where rows of unequal height stand: how much each differs from an estimate, in a Fenwick
 * tree, so that a place among a hundred thousand rows is found in a few steps.
 */
export class Offsets {
  size = 0;
  #estimate: number;
  // Both count from 1, as such a tree does.
  #differences: number[] = [0];
  #tree: number[] = [0];

  constructor(estimate: number) {
    this.#estimate = estimate;
  }

  /** Begin anew with so many rows of the estimated height. */
  reset(size: number, estimate: number): void {
    this.#estimate = estimate;
    this.size = 0;
    this.#tree = [0];
    this.#differences = [0];
    this.grow(size);
  }

  /** Rows are added at the end. */
  grow(size: number): void {
    while (this.size < size) {
      this.size += 1;
      let sum = 0;
      for (let below = 1; below < (this.size & -this.size); below <<= 1)
        sum += this.#tree[this.size - below] ?? 0;
      this.#tree.push(sum);
      this.#differences.push(0);
    }
  }

  /** Set the true height of a row. */
  set(row: number, height: number): void {
    const difference = height - this.#estimate;
    const change = difference - (this.#differences[row + 1] ?? 0);
    if (change === 0) return;
    this.#differences[row + 1] = difference;
    for (let at = row + 1; at <= this.size; at += at & -at) {
      this.#tree[at] = (this.#tree[at] ?? 0) + change;
    }
  }

  /** Where a row begins; that of the size is the height of all. */
  of(row: number): number {
    let sum = row * this.#estimate;
    for (let at = row; at > 0; at -= at & -at) sum += this.#tree[at] ?? 0;
    return sum;
  }

  /** The row that stands at a height. */
  at(top: number): number {
    return Math.max(0, firstOf(this.size, (row) => this.of(row) > top) - 1);
  }
}
