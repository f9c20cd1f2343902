/**
 * Where the tasks of a plan stand in a drawing, in grid units; pure numbers, no picture.
 *
 * Layers by longest path, so a task's layer is its wave; an order within each layer by the mean
 * place of its neighbours; places by least squares. Time about in proportion to tasks and
 * edges. The same as `hypernb/plan/_layout.py` does for pictures that need no browser. All in
 * flat arrays: with an object for each edge, collecting garbage took longer than the layout.
 *
 * Dagre was tried for small plans: it crosses twice as often and takes ten times as long.
 */

/** Edges from a task to one that needs it, both by their numbers. */
export interface Edges {
  readonly count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** What edges pass between their ends: from `starts[edge]` up to `starts[edge + 1]`. */
export interface Bends {
  readonly starts: Int32Array;
  readonly layer: Int32Array;
  readonly across: Float64Array;
}

/**
 * A layered drawing. `across` is the place within the layer: at least 1 from task to task,
 * starting at 0. Draw layers left to right or top to bottom.
 */
export interface Layout {
  readonly layers: number;
  /** How much room the widest layer takes. */
  readonly breadth: number;
  readonly layer: Int32Array;
  readonly across: Float64Array;
  readonly edges: Edges;
  readonly bends: Bends;
}

const SWEEPS = 6;
/** Beyond so many joints, crossings are not counted and fewer sweeps are made. */
const COUNTED_AT_MOST = 8_000;
const SWEEPS_UNCOUNTED = 4;
const SWAP_ROUNDS = 4;
/** Two points with more pairs of edges than this are not compared. */
const PAIRS_AT_MOST = 4_000;
const BENDS_EACH = 10;
const BENDS_FREE = 2_000;
const BEND_ROOM = 0.5;
const BEND_WEIGHT = 0.0001;

type Needs = readonly (readonly number[])[];

/** Arrange tasks that are given by the numbers of what each needs. */
export function layered(needs: Needs): Layout {
  const edges = edgesOf(needs);
  const layer = longestPaths(needs.length, edges);
  const drawing = joined(layer, edges);
  const columns = ordered(drawing);
  align(drawing, columns);
  const { stops, stopStarts, across } = drawing;
  const bends: Bends = {
    starts: stopStarts,
    layer: stops.map((stop) => drawing.layer[stop] ?? 0),
    across: Float64Array.from(stops, (stop) => across[stop] ?? 0),
  };
  return {
    layers: columns.length,
    breadth: breadthOf(across, layer.length),
    layer,
    across: across.slice(0, layer.length),
    edges,
    bends,
  };
}

/** Every edge once; a task that needs itself, or one that is not there, needs nothing by it. */
export function edgesOf(needs: Needs): Edges {
  const most = needs.reduce((sum, each) => sum + each.length, 0);
  const from = new Int32Array(most);
  const to = new Int32Array(most);
  let count = 0;
  // By what is needed: the last task that has named it, itself to begin with.
  const namedBy = Int32Array.from(needs, (_, task) => task);
  needs.forEach((own, task) => {
    namedBy[task] = task;
    for (const need of own) {
      if ((namedBy[need] ?? task) === task) continue;
      namedBy[need] = task;
      from[count] = need;
      to[count] = task;
      count += 1;
    }
  });
  return { count, from: from.slice(0, count), to: to.slice(0, count) };
}

/** Numbers by point, one list after the other: from `starts[point]` up to `starts[point + 1]`. */
export interface Lists {
  readonly starts: Int32Array;
  readonly all: Int32Array;
}

/** How often each number up to a size occurs. */
function tally(size: number, numbers: Int32Array): Int32Array {
  const counts = new Int32Array(size);
  for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1;
  return counts;
}

/** Sort `values` into lists by their keys, keeping their order. */
export function lists(size: number, keys: Int32Array, values: Int32Array): Lists {
  const starts = new Int32Array(size + 1);
  tally(size, keys).forEach((many, key) => {
    starts[key + 1] = (starts[key] ?? 0) + many;
  });
  const next = starts.slice();
  const all = new Int32Array(keys.length);
  keys.forEach((key, at) => {
    const place = next[key] ?? 0;
    all[place] = values[at] ?? 0;
    next[key] = place + 1;
  });
  return { starts, all };
}

/**
 * The layer of each task: one more than the last of what it needs.
 *
 * A plan under edit may go in a circle. The first task of it, in plan order, then stands as if
 * the circle were cut before it, and the edge that closes the circle points back.
 */
export function longestPaths(size: number, edges: Edges): Int32Array {
  const after = lists(size, edges.from, edges.to);
  const open = tally(size, edges.to);
  const layer = new Int32Array(size);
  const seen = new Uint8Array(size);
  const queue = new Int32Array(size);
  let tail = 0;
  const enter = (task: number): void => {
    seen[task] = 1;
    queue[tail] = task;
    tail += 1;
  };
  open.forEach((many, task) => {
    if (many === 0) enter(task);
  });
  let cut = 0;
  for (let head = 0; head < size; head += 1) {
    if (head === tail) {
      while (seen[cut] === 1) cut += 1;
      enter(cut);
    }
    const task = queue[head] ?? 0;
    const end = after.starts[task + 1] ?? 0;
    for (let at = after.starts[task] ?? 0; at < end; at += 1) {
      const next = after.all[at] ?? 0;
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
  readonly layer: Int32Array;
  readonly across: Float64Array;
  /** The points that each edge passes, from `stopStarts[edge]` up to the next. */
  readonly stops: Int32Array;
  readonly stopStarts: Int32Array;
  readonly before: Lists;
  readonly after: Lists;
}

/**
 * Cut edges into pieces from layer to layer. Edges that leave the same task, or come to the
 * same, share their bends, so that a task that everything waits for does not fill the drawing.
 * All bends together are bounded in proportion to the tasks; what is longer runs straight.
 */
function joined(taskLayer: Int32Array, edges: Edges): Drawing {
  const tasks = taskLayer.length;
  const span = spans(taskLayer, edges);
  const bent = bentOf(span, BENDS_FREE + BENDS_EACH * tasks);
  const stopStarts = new Int32Array(edges.count + 1);
  span.forEach((long, edge) => {
    stopStarts[edge + 1] = (stopStarts[edge] ?? 0) + (bent[edge] === 1 ? long - 1 : 0);
  });
  const stops = new Int32Array(stopStarts[edges.count] ?? 0);
  const bendLayers = placeBends(taskLayer, edges, stopStarts, stops);
  const layer = new Int32Array(tasks + bendLayers.length);
  layer.set(taskLayer);
  layer.set(bendLayers, tasks);
  const [one, other] = jointsOf(layer, tasks, edges, stopStarts, stops);
  return {
    tasks,
    layer,
    across: new Float64Array(layer.length),
    stops,
    stopStarts,
    before: lists(layer.length, other, one),
    after: lists(layer.length, one, other),
  };
}

function spans(layer: Int32Array, { from, to }: Edges): Int32Array {
  return to.map((end, edge) => (layer[end] ?? 0) - (layer[from[edge] ?? 0] ?? 0));
}

/** Which edges are cut: those over several layers, the shortest first, as far as there is room. */
function bentOf(span: Int32Array, room: number): Uint8Array {
  const bent = new Uint8Array(span.length);
  const long = [...span.keys()].filter((edge) => (span[edge] ?? 0) > 1);
  long.sort((a, b) => (span[a] ?? 0) - (span[b] ?? 0) || a - b);
  let left = room;
  for (const edge of long) {
    left -= (span[edge] ?? 0) - 1;
    if (left < 0) break;
    bent[edge] = 1;
  }
  return bent;
}

/** Give each stop a point, shared where it may be; returns the layers of these points. */
function placeBends(
  layer: Int32Array,
  edges: Edges,
  stopStarts: Int32Array,
  stops: Int32Array,
): number[] {
  const into = tally(layer.length, edges.to);
  const out = tally(layer.length, edges.from);
  const layers = layer.reduce((most, one) => Math.max(most, one + 1), 0);
  const known = new Map<number, number>();
  const bendLayers: number[] = [];
  for (let edge = 0; edge < edges.count; edge += 1) {
    const first = stopStarts[edge] ?? 0;
    const length = (stopStarts[edge + 1] ?? 0) - first;
    if (length === 0) continue;
    const from = edges.from[edge] ?? 0;
    const to = edges.to[edge] ?? 0;
    const byTarget = (into[to] ?? 0) > (out[from] ?? 0);
    const shared = ((byTarget ? to : from) * 2 + Number(byTarget)) * layers;
    for (let step = 0; step < length; step += 1) {
      const at = (layer[from] ?? 0) + step + 1;
      let bend = known.get(shared + at);
      if (bend === undefined) {
        bend = layer.length + bendLayers.length;
        bendLayers.push(at);
        known.set(shared + at, bend);
      }
      stops[first + step] = bend;
    }
  }
  return bendLayers;
}

/** Pairs of points in layers that follow each other, each pair once. */
function jointsOf(
  layer: Int32Array,
  tasks: number,
  edges: Edges,
  stopStarts: Int32Array,
  stops: Int32Array,
): [one: Int32Array, other: Int32Array] {
  const one = new Int32Array(edges.count + stops.length);
  const other = new Int32Array(edges.count + stops.length);
  const known = new Set<number>();
  let count = 0;
  const join = (a: number, b: number): void => {
    if ((layer[b] ?? 0) - (layer[a] ?? 0) !== 1) return;
    if (a >= tasks || b >= tasks) {
      // Only pieces between bends can be shared by several edges.
      const key = a * layer.length + b;
      if (known.has(key)) return;
      known.add(key);
    }
    one[count] = a;
    other[count] = b;
    count += 1;
  };
  for (let edge = 0; edge < edges.count; edge += 1) {
    let last = edges.from[edge] ?? 0;
    const end = stopStarts[edge + 1] ?? 0;
    for (let at = stopStarts[edge] ?? 0; at < end; at += 1) {
      const stop = stops[at] ?? 0;
      join(last, stop);
      last = stop;
    }
    join(last, edges.to[edge] ?? 0);
  }
  return [one.subarray(0, count), other.subarray(0, count)];
}

/** Order each layer by the mean place of its neighbours, back and forth; keep the best. */
function ordered(drawing: Drawing): number[][] {
  const columns: number[][] = [];
  drawing.layer.forEach((layer, point) => {
    while (columns.length <= layer) columns.push([]);
    columns[layer]?.push(point);
  });
  const place = new Int32Array(drawing.layer.length);
  for (const column of columns) number(column, place);
  if (drawing.after.all.length > COUNTED_AT_MOST) {
    for (let sweep = 0; sweep < SWEEPS_UNCOUNTED; sweep += 1)
      sweepOver(drawing, columns, place, sweep % 2 === 0);
    return columns;
  }
  return fewestCrossings(drawing, columns, place);
}

/** Sweep from either end and swap neighbours; of all orders met, the one that crosses least. */
function fewestCrossings(
  drawing: Drawing,
  columns: readonly number[][],
  place: Int32Array,
): number[][] {
  const copy = (): number[][] => columns.map((column) => [...column]);
  const first = copy();
  let best = first;
  let fewest = crossings(drawing, columns, place);
  for (let sweep = 0; sweep < 2 * SWEEPS && fewest > 0; sweep += 1) {
    if (sweep === SWEEPS) restore(columns, first, place);
    sweepOver(drawing, columns, place, sweep < SWEEPS === (sweep % 2 === 0));
    swapNeighbours(drawing, columns, place);
    const now = crossings(drawing, columns, place);
    if (now < fewest) {
      best = copy();
      fewest = now;
    }
  }
  return best;
}

function restore(
  columns: readonly number[][],
  from: readonly (readonly number[])[],
  place: Int32Array,
): void {
  columns.forEach((column, at) => {
    column.splice(0, column.length, ...(from[at] ?? []));
    number(column, place);
  });
}

/** Swap points that stand side by side wherever their edges then cross less. */
function swapNeighbours(
  { before, after }: Drawing,
  columns: readonly number[][],
  place: Int32Array,
): void {
  for (let round = 0; round < SWAP_ROUNDS; round += 1) {
    let isBetter = false;
    for (const column of columns) {
      for (let order = 0; order + 1 < column.length; order += 1) {
        const one = column[order] ?? 0;
        const other = column[order + 1] ?? 0;
        const gain = crossed(before, one, other, place) + crossed(after, one, other, place);
        if (gain <= 0) continue;
        column[order] = other;
        column[order + 1] = one;
        place[other] = order;
        place[one] = order + 1;
        isBetter = true;
      }
    }
    if (!isBetter) return;
  }
}

/** How many crossings two neighbours on one side have now, less those if they were swapped. */
function crossed(near: Lists, one: number, other: number, place: Int32Array): number {
  let gain = 0;
  const end = near.starts[one + 1] ?? 0;
  const last = near.starts[other + 1] ?? 0;
  const pairs = (end - (near.starts[one] ?? 0)) * (last - (near.starts[other] ?? 0));
  if (pairs > PAIRS_AT_MOST) return 0;
  for (let a = near.starts[one] ?? 0; a < end; a += 1) {
    const at = place[near.all[a] ?? 0] ?? 0;
    for (let b = near.starts[other] ?? 0; b < last; b += 1)
      gain += Math.sign(at - (place[near.all[b] ?? 0] ?? 0));
  }
  return gain;
}

function number(column: readonly number[], place: Int32Array): void {
  column.forEach((point, order) => {
    place[point] = order;
  });
}

function sweepOver(
  drawing: Drawing,
  columns: readonly number[][],
  place: Int32Array,
  forward: boolean,
): void {
  const near = forward ? drawing.before : drawing.after;
  const wish = new Float64Array(drawing.layer.length);
  const compare = (a: number, b: number): number =>
    (wish[a] ?? 0) - (wish[b] ?? 0) || (place[a] ?? 0) - (place[b] ?? 0);
  for (let step = 0; step < columns.length; step += 1) {
    const column = columns[forward ? step : columns.length - 1 - step] ?? [];
    for (const point of column) wish[point] = mean(near, point, place);
    column.sort(compare);
    number(column, place);
  }
}

/** The mean of what a point is joined to; where it stands, if to nothing. */
function mean(near: Lists, point: number, at: Int32Array | Float64Array): number {
  const first = near.starts[point] ?? 0;
  const end = near.starts[point + 1] ?? 0;
  if (first === end) return at[point] ?? 0;
  let sum = 0;
  for (let one = first; one < end; one += 1) sum += at[near.all[one] ?? 0] ?? 0;
  return sum / (end - first);
}

/** Count crossings: inversions among the far ends, met in order of the near ends. */
function crossings(
  { after }: Drawing,
  columns: readonly (readonly number[])[],
  place: Int32Array,
): number {
  let total = 0;
  for (let at = 0; at + 1 < columns.length; at += 1) {
    const tree = new Int32Array((columns[at + 1]?.length ?? 0) + 1);
    let met = 0;
    for (const point of columns[at] ?? []) {
      const first = after.starts[point] ?? 0;
      const end = after.starts[point + 1] ?? 0;
      for (let one = first; one < end; one += 1)
        total += met - countUpTo(tree, place[after.all[one] ?? 0] ?? 0);
      for (let one = first; one < end; one += 1)
        countOne(tree, place[after.all[one] ?? 0] ?? 0);
      met += end - first;
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
function align(drawing: Drawing, columns: readonly (readonly number[])[]): void {
  const { across, tasks } = drawing;
  const offset = new Float64Array(drawing.layer.length);
  for (const column of columns) pack(column, tasks, offset);
  across.set(offset);
  const pools = new Pools(drawing.layer.length);
  const sweeps = drawing.after.all.length > COUNTED_AT_MOST ? SWEEPS_UNCOUNTED : SWEEPS;
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const forward = sweep % 2 === 0;
    const near = forward ? drawing.before : drawing.after;
    for (let step = 0; step < columns.length; step += 1) {
      const column = columns[forward ? step : columns.length - 1 - step] ?? [];
      pools.clear();
      for (const point of column) {
        const wish = wishOf(near, point, tasks, across);
        pools.add(wish - (offset[point] ?? 0), point < tasks ? 1 : BEND_WEIGHT);
      }
      pools.spread(column, offset, across);
    }
  }
  settle(across, tasks);
}

/** The places of a layer packed as closely as may be; bends need less room. */
function pack(column: readonly number[], tasks: number, offset: Float64Array): void {
  const half = (point: number): number => (point < tasks ? 1 : BEND_ROOM) / 2;
  let at = 0;
  column.forEach((point, order) => {
    if (order > 0) at += half(point) + half(column[order - 1] ?? 0);
    offset[point] = at;
  });
}

/** What a point wants to stand near; a task heeds bends only for want of tasks. */
function wishOf(near: Lists, point: number, tasks: number, across: Float64Array): number {
  if (point >= tasks) return mean(near, point, across);
  let sum = 0;
  let count = 0;
  const end = near.starts[point + 1] ?? 0;
  for (let at = near.starts[point] ?? 0; at < end; at += 1) {
    const one = near.all[at] ?? 0;
    if (one >= tasks) continue;
    sum += across[one] ?? 0;
    count += 1;
  }
  return count > 0 ? sum / count : mean(near, point, across);
}

/**
 * Finds the places nearest to the wishes, in least squares, that are at least the offsets apart.
 *
 * Taking the offsets away leaves the rule that values must not fall, which pooling adjacent
 * violators solves in one pass.
 */
class Pools {
  #count = 0;
  readonly #levels: Float64Array;
  readonly #masses: Float64Array;
  readonly #sizes: Int32Array;

  constructor(most: number) {
    this.#levels = new Float64Array(most);
    this.#masses = new Float64Array(most);
    this.#sizes = new Int32Array(most);
  }

  clear(): void {
    this.#count = 0;
  }

  add(wish: number, weight: number): void {
    let level = wish;
    let mass = weight;
    let size = 1;
    while (this.#count > 0 && (this.#levels[this.#count - 1] ?? 0) > level) {
      this.#count -= 1;
      const more = this.#masses[this.#count] ?? 0;
      level = (level * mass + (this.#levels[this.#count] ?? 0) * more) / (mass + more);
      mass += more;
      size += this.#sizes[this.#count] ?? 0;
    }
    this.#levels[this.#count] = level;
    this.#masses[this.#count] = mass;
    this.#sizes[this.#count] = size;
    this.#count += 1;
  }

  spread(column: readonly number[], offset: Float64Array, across: Float64Array): void {
    let order = 0;
    for (let pool = 0; pool < this.#count; pool += 1) {
      for (const end = order + (this.#sizes[pool] ?? 0); order < end; order += 1) {
        const point = column[order] ?? 0;
        across[point] = (this.#levels[pool] ?? 0) + (offset[point] ?? 0);
      }
    }
  }
}

/** Let places begin at 0, in thousandths, so that the same plan gives the same drawing. */
function settle(across: Float64Array, tasks: number): void {
  const own = across.subarray(0, tasks);
  const lowest = own.reduce((low, place) => Math.min(low, place), own[0] ?? 0);
  across.forEach((place, point) => {
    across[point] = Math.round((place - lowest) * 1000) / 1000;
  });
}

export function breadthOf(across: Float64Array, tasks: number): number {
  return across.subarray(0, tasks).reduce((most, place) => Math.max(most, place + 1), 0);
}
