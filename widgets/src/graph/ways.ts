/** Where the arrow keys lead from a task. */
import { type Layout, type Lists, lists } from "./layout";

/** Along an edge forward or back, or to a neighbour in the same layer. */
export type Step = "on" | "back" | "before" | "after";

export class Ways {
  readonly #layers: number[][];
  readonly #layout: Layout;
  // Only made when somebody looks closer: the first paint of a large plan needs neither.
  #needs: Lists | null = null;
  #children: Lists | null = null;

  constructor(layout: Layout) {
    this.#layout = layout;
    const { across } = layout;
    this.#layers = Array.from({ length: layout.layers }, () => []);
    layout.layer.forEach((layer, task) => {
      this.#layers[layer]?.push(task);
    });
    for (const layer of this.#layers)
      layer.sort((a, b) => (across[a] ?? 0) - (across[b] ?? 0) || a - b);
  }

  /** Tasks of a layer in the order in which they are drawn. */
  inLayer(layer: number): readonly number[] {
    return this.#layers[layer] ?? [];
  }

  needsOf(task: number): readonly number[] {
    const { from, to } = this.#layout.edges;
    this.#needs ??= lists(this.#layout.layer.length, to, from);
    return listOf(this.#needs, task);
  }

  childrenOf(task: number): readonly number[] {
    const { from, to } = this.#layout.edges;
    this.#children ??= lists(this.#layout.layer.length, from, to);
    return listOf(this.#children, task);
  }

  /** The task that is one step away; the same one where there is none. */
  step(task: number, step: Step): number {
    if (step === "on") return this.#nearest(task, this.childrenOf(task));
    if (step === "back") return this.#nearest(task, this.needsOf(task));
    const layer = this.inLayer(this.#layout.layer[task] ?? 0);
    return layer[layer.indexOf(task) + (step === "before" ? -1 : 1)] ?? task;
  }

  /** The first task of the first layer; -1 in an empty plan. */
  first(): number {
    return this.inLayer(0)[0] ?? -1;
  }

  /** The last one of the last layer. */
  last(): number {
    return this.#layers.at(-1)?.at(-1) ?? -1;
  }

  #nearest(task: number, others: readonly number[]): number {
    const { across } = this.#layout;
    const far = (other: number): number => Math.abs((across[other] ?? 0) - (across[task] ?? 0));
    return others.reduce((best, one) => (far(one) < far(best) ? one : best), others[0] ?? task);
  }
}

function listOf({ starts, all }: Lists, task: number): number[] {
  return Array.from(all.subarray(starts[task] ?? 0, starts[task + 1] ?? 0));
}

/** The step of each key where layers run from left to right, and from top to bottom. */
const STEPS: Readonly<Record<string, readonly [Step, Step]>> = {
  ArrowRight: ["on", "after"],
  ArrowLeft: ["back", "before"],
  ArrowUp: ["before", "back"],
  ArrowDown: ["after", "on"],
};

/** The step that a key asks for; undefined if none. */
export function stepOf(key: string, down: boolean): Step | undefined {
  return STEPS[key]?.[down ? 1 : 0];
}
