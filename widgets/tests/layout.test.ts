import { describe, expect, it } from "vitest";
import { placed } from "../src/graph/geometry";
import { type Layout, layered } from "../src/graph/layout";

/** A source of numbers below 1, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** A random plan without circles: each task needs a few of those before it. */
function plan(size: number, seed: number, most = 3): number[][] {
  const next = chance(seed);
  return Array.from({ length: size }, (_, task) =>
    Array.from({ length: Math.floor(next() * (most + 1)) }, () => Math.floor(next() * task)),
  ).map((needs, task) => needs.filter((need) => need < task));
}

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed + 1);

function inLayers(layout: Layout): number[][] {
  const layers: number[][] = Array.from({ length: layout.layers }, () => []);
  layout.layer.forEach((layer, task) => {
    layers[layer]?.push(layout.across[task] ?? 0);
  });
  return layers.map((layer) => layer.sort((a, b) => a - b));
}

function edgesIn({ edges }: Layout): [from: number, to: number][] {
  return Array.from(edges.from, (from, edge) => [from, edges.to[edge] ?? -1]);
}

function bendsOf({ bends }: Layout, edge: number): [layer: number, across: number][] {
  const made: [number, number][] = [];
  for (let at = bends.starts[edge] ?? 0; at < (bends.starts[edge + 1] ?? 0); at += 1)
    made.push([bends.layer[at] ?? -1, bends.across[at] ?? -1]);
  return made;
}

describe("the layered layout", () => {
  it.each(SEEDS)("lets every edge point forward (seed %i)", (seed) => {
    const layout = layered(plan(60, seed));
    for (const [from, to] of edgesIn(layout))
      expect(layout.layer[from]).toBeLessThan(layout.layer[to] ?? 0);
  });

  it.each(SEEDS)("keeps tasks of a layer at least 1 apart (seed %i)", (seed) => {
    for (const layer of inLayers(layered(plan(60, seed)))) {
      for (let at = 1; at < layer.length; at += 1)
        expect((layer[at] ?? 0) - (layer[at - 1] ?? 0)).toBeGreaterThanOrEqual(0.998);
    }
  });

  it.each(SEEDS)("is the same for the same plan (seed %i)", (seed) => {
    expect(layered(plan(60, seed))).toEqual(layered(plan(60, seed)));
  });

  it.each(SEEDS)("bends long edges once in each layer between (seed %i)", (seed) => {
    const layout = layered(plan(60, seed));
    edgesIn(layout).forEach(([from = 0, to = 0], edge) => {
      const between = bendsOf(layout, edge).map(([layer]) => layer);
      const span = (layout.layer[to] ?? 0) - (layout.layer[from] ?? 0);
      expect(between).toEqual(
        Array.from({ length: span - 1 }, (_, step) => (layout.layer[from] ?? 0) + step + 1),
      );
    });
  });

  it("puts what needs nothing into the first layer", () => {
    expect(layered([[], [0], [], [1, 2]]).layer).toEqual(Int32Array.of(0, 1, 0, 2));
  });

  it("starts at 0 and stays within its breadth", () => {
    const layout = layered(plan(80, 3));
    expect(Math.min(...layout.across)).toBe(0);
    expect(Math.max(...layout.across) + 1).toBe(layout.breadth);
  });

  it.each(SEEDS)(
    "has every line within what is drawn, also where it bends (seed %i)",
    (seed) => {
      for (const down of [true, false]) {
        const measure = {
          width: 100,
          height: 40,
          gapAlong: 30,
          gapAcross: 8,
          margin: 4,
          grain: 1,
        };
        const geometry = placed(layered(plan(24, seed)), { ...measure, down, short: false });
        const lines = [...geometry.points];
        const across = lines.filter((_, at) => (at % 2 === 0) === down);
        expect(Math.min(...across)).toBeGreaterThanOrEqual(4);
        expect(Math.max(...across)).toBeLessThanOrEqual(
          (down ? geometry.width : geometry.height) - 4,
        );
      }
    },
  );

  it("draws an empty plan as nothing", () => {
    expect(layered([])).toMatchObject({ layers: 0, breadth: 0, edges: { count: 0 } });
  });

  it("cuts a circle instead of never ending", () => {
    const layout = layered([[2], [0], [1], []]);
    expect(layout.layer).toEqual(Int32Array.of(0, 1, 2, 0));
    expect(layout.edges.count).toBe(3);
  });

  it("leaves out what a task needs of itself and of nobody", () => {
    const layout = layered([
      [0, 5, -1],
      [0, 0],
    ]);
    expect(edgesIn(layout)).toEqual([[0, 1]]);
  });

  it("takes a straight chain as one line", () => {
    expect(new Set(layered([[], [0], [1], [2]]).across)).toEqual(new Set([0]));
  });

  it("does not cross what need not cross", () => {
    const layout = layered([[], [], [1], [0]]);
    const [a = 0, b = 0, ofB = 0, ofA = 0] = layout.across;
    expect(Math.sign(a - b)).toBe(Math.sign(ofA - ofB));
  });

  it("lets a task that everything waits for share its bends", () => {
    const chain = Array.from({ length: 200 }, (_, task) => (task === 0 ? [] : [task - 1]));
    const layout = layered([...chain, chain.map((_, task) => task)]);
    const stops = new Set(
      edgesIn(layout).flatMap((_, edge) => bendsOf(layout, edge).map((stop) => stop.join(" "))),
    );
    expect(stops.size).toBeLessThanOrEqual(200);
    expect(layout.breadth).toBeLessThan(3);
  });

  it("arranges ten thousand tasks", () => {
    const layout = layered(
      Array.from({ length: 10_000 }, (_, task) =>
        task < 50 ? [] : [task - 50, task - 50 - (task % 7)].filter((need) => need >= 0),
      ),
    );
    expect(layout.layers).toBeGreaterThan(100);
    expect(layout.across).toHaveLength(10_000);
    expect(layout.edges.count).toBeLessThan(20_000);
    // Dummies where edges pass layers would be many more than tasks and edges.
    expect(layout.bends.layer.length).toBeLessThan(20_000);
  });
});
