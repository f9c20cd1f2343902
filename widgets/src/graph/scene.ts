/** A graph with its places: what lies in a part of it, and what is at a point. */
import { firstOf } from "../lists";
import type { Arranged } from "./arranged";
import { type Geometry, type Measure, placed } from "./geometry";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Layers are the columns of a grid, and tasks within one are in order: both ends are found at once. */
export class Scene {
  readonly geometry: Geometry;
  readonly arranged: Arranged;
  /** Left, top, right and bottom of each edge; made when edges are first drawn. */
  #bounds: Float64Array | null = null;

  constructor(arranged: Arranged, measure: Measure) {
    this.arranged = arranged;
    this.geometry = placed(arranged.layout, measure);
  }

  get size(): number {
    return this.arranged.names.length;
  }

  box(task: number): Rect {
    const { x, y, measure } = this.geometry;
    return {
      x: x[task] ?? 0,
      y: y[task] ?? 0,
      width: measure.width,
      height: measure.height,
    };
  }

  /** Call `take` for each task whose box is partly in the rectangle. */
  eachIn(rect: Rect, take: (task: number) => void): void {
    const { x, y, measure } = this.geometry;
    const { down, width, height, gapAlong, margin } = measure;
    const extent = down ? height : width;
    const from = down ? rect.y : rect.x;
    const to = from + (down ? rect.height : rect.width);
    const pitch = extent + gapAlong;
    const first = Math.max(0, Math.ceil((from - margin - extent) / pitch));
    const last = Math.min(this.arranged.layout.layers - 1, Math.floor((to - margin) / pitch));
    const places = down ? x : y;
    const low = (down ? rect.x : rect.y) - (down ? width : height);
    const high = (down ? rect.x : rect.y) + (down ? rect.width : rect.height);
    for (let layer = first; layer <= last; layer += 1) {
      const tasks = this.arranged.ways.inLayer(layer);
      const nearest = firstOf(tasks.length, (at) => (places[tasks[at] ?? 0] ?? 0) >= low);
      for (let at = nearest; at < tasks.length; at += 1) {
        const task = tasks[at] ?? 0;
        if ((places[task] ?? 0) > high) break;
        take(task);
      }
    }
  }

  /** The task whose box is at a point, or nearest to it within `reach`; -1 if there is none. */
  taskAt(x: number, y: number, reach = 0): number {
    let best = -1;
    let nearest = Infinity;
    const area = { x: x - reach, y: y - reach, width: 2 * reach, height: 2 * reach };
    this.eachIn(area, (task) => {
      const box = this.box(task);
      const far = Math.hypot(
        Math.max(box.x - x, 0, x - box.x - box.width),
        Math.max(box.y - y, 0, y - box.y - box.height),
      );
      if (far <= reach && far < nearest) {
        best = task;
        nearest = far;
      }
    });
    return best;
  }

  /** Whether an edge may be seen in the rectangle. */
  isEdgeIn(edge: number, rect: Rect): boolean {
    const at = edge * 4;
    this.#bounds ??= boundsOf(this.geometry);
    const bounds = this.#bounds;
    return (
      (bounds[at] ?? 0) <= rect.x + rect.width &&
      (bounds[at + 2] ?? 0) >= rect.x &&
      (bounds[at + 1] ?? 0) <= rect.y + rect.height &&
      (bounds[at + 3] ?? 0) >= rect.y
    );
  }
}

/** Whether two rectangles share a point. */
export function meet(one: Rect, other: Rect): boolean {
  return (
    one.x <= other.x + other.width &&
    other.x <= one.x + one.width &&
    one.y <= other.y + other.height &&
    other.y <= one.y + one.height
  );
}

function boundsOf({ points, starts }: Geometry): Float64Array {
  const count = starts.length - 1;
  const bounds = new Float64Array(count * 4);
  for (let edge = 0; edge < count; edge += 1) {
    let left = Infinity;
    let top = Infinity;
    let right = -Infinity;
    let bottom = -Infinity;
    const end = starts[edge + 1] ?? 0;
    for (let at = starts[edge] ?? 0; at < end; at += 2) {
      const x = points[at] ?? 0;
      const y = points[at + 1] ?? 0;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    bounds.set([left, top, right, bottom], edge * 4);
  }
  return bounds;
}
