/** Where the arrow keys lead from a task. */
import type { Layout } from "./layout";

/** Along an edge forward or back, or to a neighbour in the same layer. */
export type Step = "on" | "back" | "before" | "after";

export class Ways {
  private readonly needs = new Map<number, number[]>();
  private readonly children = new Map<number, number[]>();
  private readonly layers: number[][];
  private readonly place: Int32Array;
  private readonly layout: Layout;

  constructor(layout: Layout) {
    this.layout = layout;
    const { edges } = layout;
    for (let edge = 0; edge < edges.count; edge += 1) {
      const from = edges.from[edge] ?? 0;
      const to = edges.to[edge] ?? 0;
      put(this.children, from, to);
      put(this.needs, to, from);
    }
    this.layers = Array.from({ length: layout.layers }, () => []);
    layout.layer.forEach((layer, task) => {
      this.layers[layer]?.push(task);
    });
    this.place = new Int32Array(layout.layer.length);
    for (const layer of this.layers) {
      layer.sort((a, b) => (layout.across[a] ?? 0) - (layout.across[b] ?? 0) || a - b);
      layer.forEach((task, order) => {
        this.place[task] = order;
      });
    }
  }

  /** Tasks of a layer in the order in which they are drawn. */
  inLayer(layer: number): readonly number[] {
    return this.layers[layer] ?? [];
  }

  needsOf(task: number): readonly number[] {
    return this.needs.get(task) ?? [];
  }

  childrenOf(task: number): readonly number[] {
    return this.children.get(task) ?? [];
  }

  /** The task that is one step away; the same one where there is none. */
  step(task: number, step: Step): number {
    if (step === "on") return this.nearest(task, this.childrenOf(task));
    if (step === "back") return this.nearest(task, this.needsOf(task));
    const layer = this.inLayer(this.layout.layer[task] ?? 0);
    return layer[(this.place[task] ?? 0) + (step === "before" ? -1 : 1)] ?? task;
  }

  /** The first task of the first layer; -1 in an empty plan. */
  first(): number {
    return this.inLayer(0)[0] ?? -1;
  }

  /** The last one of the last layer. */
  last(): number {
    return this.layers.at(-1)?.at(-1) ?? -1;
  }

  private nearest(task: number, others: readonly number[]): number {
    const { across } = this.layout;
    const far = (other: number): number => Math.abs((across[other] ?? 0) - (across[task] ?? 0));
    return others.reduce((best, one) => (far(one) < far(best) ? one : best), others[0] ?? task);
  }
}

function put(lists: Map<number, number[]>, key: number, value: number): void {
  const known = lists.get(key);
  if (known) known.push(value);
  else lists.set(key, [value]);
}

const LEFT_TO_RIGHT: Readonly<Record<string, Step>> = {
  ArrowRight: "on",
  ArrowLeft: "back",
  ArrowUp: "before",
  ArrowDown: "after",
};
const TOP_TO_BOTTOM: Readonly<Record<string, Step>> = {
  ArrowDown: "on",
  ArrowUp: "back",
  ArrowLeft: "before",
  ArrowRight: "after",
};

/** What a key asks for: a step, or the first or last task; undefined if nothing. */
export function stepOf(key: string, down: boolean): Step | undefined {
  return (down ? TOP_TO_BOTTOM : LEFT_TO_RIGHT)[key];
}
