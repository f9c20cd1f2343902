/**
 * Where the tasks of a plan stand in a drawing, in grid units; pure numbers, no picture.
 *
 * Layers by longest path, so a task's layer is its wave; an order within each layer by the mean
 * place of its neighbours; places by least squares. Time about in proportion to tasks and
 * edges. The same as `hypernb/plan/_layout.py` does for pictures that need no browser.
 */

/** An edge from a task to one that needs it, both by their numbers. */
export type Edge = readonly [from: number, to: number];

/** A stop of an edge: the layer and the place across. */
export type Stop = readonly [layer: number, across: number];

/**
 * A layered drawing. `across` is the place within the layer: at least 1 from task to task,
 * starting at 0. Draw layers left to right or top to bottom.
 */
export interface Layout {
  readonly layers: number;
  /** How much room the widest layer takes. */
  readonly breadth: number;
  readonly layer: readonly number[];
  readonly across: readonly number[];
  readonly edges: readonly Edge[];
  /** What each edge passes between its ends, in the order of `edges`. */
  readonly bends: readonly (readonly Stop[])[];
}

const SWEEPS = 6;
const COUNTED_AT_MOST = 20_000;
const BENDS_EACH = 10;
const BENDS_FREE = 2_000;
const BEND_ROOM = 0.5;
const BEND_WEIGHT = 0.0001;

/** Arrange tasks that are given by the numbers of what each needs. */
export function layered(needs: readonly (readonly number[])[]): Layout {
  const edges = edgesOf(needs);
  const layer = longestPaths(needs.length, edges);
  const drawing = joined(layer, edges);
  const columns = aligned(drawing, ordered(drawing));
  return {
    layers: columns.length,
    breadth: breadthOf(drawing.across, needs.length),
    layer,
    across: drawing.across.slice(0, needs.length),
    edges,
    bends: drawing.stops.map((stops) =>
      stops.map((stop): Stop => [drawing.layer[stop] ?? 0, drawing.across[stop] ?? 0]),
    ),
  };
}

/** Every edge once; a task that needs itself, or one that is not there, needs nothing by it. */
export function edgesOf(needs: readonly (readonly number[])[]): Edge[] {
  const edges: Edge[] = [];
  for (let to = 0; to < needs.length; to += 1) {
    for (const from of new Set(needs[to])) {
      if (from !== to && from >= 0 && from < needs.length) edges.push([from, to]);
    }
  }
  return edges;
}

/**
 * The layer of each task: one more than the last of what it needs.
 *
 * A plan under edit may go in a circle. The first task of it, in plan order, then stands as if
 * the circle were cut before it, and the edge that closes the circle points back.
 */
export function longestPaths(size: number, edges: readonly Edge[]): number[] {
  const after: number[][] = Array.from({ length: size }, () => []);
  const open = new Int32Array(size);
  for (const [from, to] of edges) {
    after[from]?.push(to);
    open[to] = (open[to] ?? 0) + 1;
  }
  const layer = new Array<number>(size).fill(0);
  const seen = new Uint8Array(size);
  const queue: number[] = [];
  const enter = (task: number): void => {
    seen[task] = 1;
    queue.push(task);
  };
  for (let task = 0; task < size; task += 1) if (open[task] === 0) enter(task);
  let cut = 0;
  for (let head = 0; head < size; head += 1) {
    if (head === queue.length) {
      while (seen[cut] === 1) cut += 1;
      enter(cut);
    }
    const task = queue[head] ?? 0;
    for (const next of after[task] ?? []) {
      if (seen[next] === 1) continue;
      layer[next] = Math.max(layer[next] ?? 0, (layer[task] ?? 0) + 1);
      open[next] = (open[next] ?? 0) - 1;
      if (open[next] === 0) enter(next);
    }
  }
  return layer;
}

/** Tasks, and after them the bends of long edges, as points joined only to the next layer. */
interface Drawing {
  readonly tasks: number;
  readonly layer: number[];
  readonly across: number[];
  /** The bends of each edge, in the order of the edges. */
  readonly stops: number[][];
  readonly before: number[][];
  readonly after: number[][];
}

/**
 * Cut edges into pieces from layer to layer. Edges that leave the same task, or come to the
 * same, share their bends, so that a task that everything waits for does not fill the drawing.
 * All bends together are bounded in proportion to the tasks; what is longer runs straight.
 */
function joined(taskLayer: readonly number[], edges: readonly Edge[]): Drawing {
  const tasks = taskLayer.length;
  const layer = [...taskLayer];
  const [into, out] = degrees(tasks, edges);
  const span = (edge: number): number => {
    const [from, to] = edges[edge] ?? [0, 0];
    return (layer[to] ?? 0) - (layer[from] ?? 0);
  };
  const stops: number[][] = edges.map(() => []);
  const long = edges.map((_, edge) => edge).filter((edge) => span(edge) > 1);
  long.sort((a, b) => span(a) - span(b) || a - b);
  const bends = new Map<number, number>();
  const layers = taskLayer.reduce((most, one) => Math.max(most, one + 1), 0);
  let room = BENDS_FREE + BENDS_EACH * tasks;
  for (const edge of long) {
    const length = span(edge) - 1;
    if (length > room) continue;
    room -= length;
    const [from, to] = edges[edge] ?? [0, 0];
    const byTarget = (into[to] ?? 0) > (out[from] ?? 0);
    const start = layer[from] ?? 0;
    for (let at = start + 1; at <= start + length; at += 1) {
      const key = ((byTarget ? to : from) * 2 + (byTarget ? 1 : 0)) * layers + at;
      let bend = bends.get(key);
      if (bend === undefined) {
        bend = layer.length;
        layer.push(at);
        bends.set(key, bend);
      }
      stops[edge]?.push(bend);
    }
  }
  return { tasks, layer, across: [], stops, ...neighbours(layer, edges, stops) };
}

function degrees(size: number, edges: readonly Edge[]): [Int32Array, Int32Array] {
  const into = new Int32Array(size);
  const out = new Int32Array(size);
  for (const [from, to] of edges) {
    into[to] = (into[to] ?? 0) + 1;
    out[from] = (out[from] ?? 0) + 1;
  }
  return [into, out];
}

function neighbours(
  layer: readonly number[],
  edges: readonly Edge[],
  stops: readonly (readonly number[])[],
): { before: number[][]; after: number[][] } {
  const before: number[][] = layer.map(() => []);
  const after: number[][] = layer.map(() => []);
  const known = new Set<number>();
  const join = (one: number, other: number): void => {
    if ((layer[other] ?? 0) - (layer[one] ?? 0) !== 1) return;
    const key = one * layer.length + other;
    if (known.has(key)) return;
    known.add(key);
    after[one]?.push(other);
    before[other]?.push(one);
  };
  edges.forEach(([from, to], edge) => {
    let last = from;
    for (const stop of stops[edge] ?? []) {
      join(last, stop);
      last = stop;
    }
    join(last, to);
  });
  return { before, after };
}

/** Order each layer by the mean place of its neighbours, back and forth; keep the best. */
function ordered(drawing: Drawing): number[][] {
  const columns: number[][] = [];
  drawing.layer.forEach((layer, point) => {
    while (columns.length <= layer) columns.push([]);
    columns[layer]?.push(point);
  });
  const joints = drawing.after.reduce((sum, each) => sum + each.length, 0);
  const counted = joints <= COUNTED_AT_MOST;
  const place = placesOf(drawing, columns);
  let best = columns.map((column) => [...column]);
  let fewest = counted ? crossings(drawing, columns, place) : 1;
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep += 1) {
    sweepOver(drawing, columns, place, sweep % 2 === 0);
    const now = counted ? crossings(drawing, columns, place) : 0;
    if (!counted || now < fewest) {
      best = columns.map((column) => [...column]);
      if (counted) fewest = now;
    }
  }
  return best;
}

function placesOf(drawing: Drawing, columns: readonly (readonly number[])[]): Int32Array {
  const place = new Int32Array(drawing.layer.length);
  for (const column of columns) {
    column.forEach((point, order) => {
      place[point] = order;
    });
  }
  return place;
}

function sweepOver(
  drawing: Drawing,
  columns: number[][],
  place: Int32Array,
  forward: boolean,
): void {
  const near = forward ? drawing.before : drawing.after;
  const wish = new Float64Array(drawing.layer.length);
  for (let step = 0; step < columns.length; step += 1) {
    const column = columns[forward ? step : columns.length - 1 - step] ?? [];
    for (const point of column) wish[point] = mean(near[point] ?? [], place, place[point] ?? 0);
    column.sort((a, b) => (wish[a] ?? 0) - (wish[b] ?? 0) || (place[a] ?? 0) - (place[b] ?? 0));
    column.forEach((point, order) => {
      place[point] = order;
    });
  }
}

function mean(points: readonly number[], at: ArrayLike<number>, otherwise: number): number {
  if (points.length === 0) return otherwise;
  let sum = 0;
  for (const point of points) sum += at[point] ?? 0;
  return sum / points.length;
}

/** Count crossings: inversions among the far ends, met in order of the near ends. */
function crossings(
  drawing: Drawing,
  columns: readonly (readonly number[])[],
  place: Int32Array,
): number {
  let total = 0;
  for (let at = 0; at + 1 < columns.length; at += 1) {
    const tree = new Int32Array((columns[at + 1]?.length ?? 0) + 1);
    let met = 0;
    for (const point of columns[at] ?? []) {
      const ends = (drawing.after[point] ?? []).map((end) => place[end] ?? 0);
      for (const end of ends) total += met - countUpTo(tree, end);
      for (const end of ends) countOne(tree, end);
      met += ends.length;
    }
  }
  return total;
}

function countUpTo(tree: Int32Array, end: number): number {
  let total = 0;
  for (let node = end + 1; node > 0; node &= node - 1) total += tree[node] ?? 0;
  return total;
}

function countOne(tree: Int32Array, end: number): void {
  for (let node = end + 1; node < tree.length; node += node & -node)
    tree[node] = (tree[node] ?? 0) + 1;
}

/** Give each point a place near those of its neighbours, keeping order and distance. */
function aligned(drawing: Drawing, columns: number[][]): number[][] {
  const { across, tasks } = drawing;
  across.length = drawing.layer.length;
  const offsets = columns.map((column) => packed(column, tasks));
  columns.forEach((column, at) => {
    column.forEach((point, order) => {
      across[point] = offsets[at]?.[order] ?? 0;
    });
  });
  const pulls = [pullsOf(drawing.before, tasks), pullsOf(drawing.after, tasks)];
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const near = pulls[sweep % 2] ?? [];
    for (let step = 0; step < columns.length; step += 1) {
      const at = sweep % 2 === 0 ? step : columns.length - 1 - step;
      const column = columns[at] ?? [];
      const wishes = column.map((point) => mean(near[point] ?? [], across, across[point] ?? 0));
      spread(column, wishes, offsets[at] ?? [], tasks, across);
    }
  }
  settle(across, tasks);
  return columns;
}

/** The places of a layer packed as closely as may be; bends need less room. */
function packed(column: readonly number[], tasks: number): number[] {
  let at = 0;
  return column.map((point, order) => {
    if (order > 0) {
      const bends = Number(point >= tasks) + Number((column[order - 1] ?? 0) >= tasks);
      at += bends === 0 ? 1 : bends === 2 ? BEND_ROOM : (1 + BEND_ROOM) / 2;
    }
    return at;
  });
}

/** What each point wants to stand near; a task heeds bends only for want of tasks. */
function pullsOf(near: readonly (readonly number[])[], tasks: number): (readonly number[])[] {
  return near.map((around, point) => {
    if (point >= tasks) return around;
    const only = around.filter((one) => one < tasks);
    return only.length > 0 ? only : around;
  });
}

/**
 * Set the places nearest to the wishes, in least squares, that are at least the offsets apart.
 *
 * Taking the offsets away leaves the rule that values must not fall, which pooling adjacent
 * violators solves in one pass.
 */
function spread(
  column: readonly number[],
  wishes: readonly number[],
  offsets: readonly number[],
  tasks: number,
  across: number[],
): void {
  const levels: number[] = [];
  const masses: number[] = [];
  const sizes: number[] = [];
  column.forEach((point, order) => {
    let level = (wishes[order] ?? 0) - (offsets[order] ?? 0);
    let mass = point < tasks ? 1 : BEND_WEIGHT;
    let size = 1;
    while (levels.length > 0 && (levels.at(-1) ?? 0) > level) {
      const more = masses.pop() ?? 0;
      level = (level * mass + (levels.pop() ?? 0) * more) / (mass + more);
      mass += more;
      size += sizes.pop() ?? 0;
    }
    levels.push(level);
    masses.push(mass);
    sizes.push(size);
  });
  let order = 0;
  levels.forEach((level, pool) => {
    for (const end = order + (sizes[pool] ?? 0); order < end; order += 1)
      across[column[order] ?? 0] = level + (offsets[order] ?? 0);
  });
}

/** Let places begin at 0, in thousandths, so that the same plan gives the same drawing. */
function settle(across: number[], tasks: number): void {
  let lowest = Number.POSITIVE_INFINITY;
  for (let task = 0; task < tasks; task += 1) lowest = Math.min(lowest, across[task] ?? 0);
  if (tasks === 0) lowest = 0;
  for (let point = 0; point < across.length; point += 1)
    across[point] = Math.round(((across[point] ?? 0) - lowest) * 1000) / 1000;
}

export function breadthOf(across: readonly number[], tasks: number): number {
  let most = -1;
  for (let task = 0; task < tasks; task += 1) most = Math.max(most, across[task] ?? 0);
  return most + 1;
}
