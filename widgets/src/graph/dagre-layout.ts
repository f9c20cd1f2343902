/** The layout of dagre, for small plans: fewer crossings than our own, and far slower. */
import { Graph, type GraphLabel, layout as run } from "@dagrejs/dagre";
import { breadthOf, edgesOf, type Layout, layered, longestPaths, type Stop } from "./layout";

/** Dagre takes 50 ms for 50 tasks, 300 for 500, and more than a minute for 10,000. */
const DAGRE_BELOW = 200;
/** Where a plan has more edges than this per task, dagre is slow long before. */
const EDGES_EACH = 3;

const UNIT = 100;
const LABEL = { nodesep: 20, edgesep: 25, ranksep: 50, rankdir: "TB" } as const;

/** Arrange a plan by the better of the two layouts for its size. */
export function bestLayout(needs: readonly (readonly number[])[]): Layout {
  const edges = needs.reduce((sum, each) => sum + each.length, 0);
  const small = needs.length < DAGRE_BELOW && edges <= EDGES_EACH * DAGRE_BELOW;
  return small && needs.length > 0 ? byDagre(needs) : layered(needs);
}

/** Arrange by dagre, in the layers of longest paths: what can start at once stands first. */
export function byDagre(needs: readonly (readonly number[])[]): Layout {
  const edges = edgesOf(needs);
  const layer = longestPaths(needs.length, edges);
  const circular = edges.some(([from, to]) => (layer[from] ?? 0) >= (layer[to] ?? 0));
  if (circular) return layered(needs);
  const graph = new Graph();
  graph.setGraph(labelOf(layer));
  needs.forEach((_, task) => {
    graph.setNode(String(task), { width: UNIT - LABEL.nodesep, height: 0 });
  });
  for (const [from, to] of edges) graph.setEdge(String(from), String(to), {});
  run(graph);
  const at = needs.map((_, task) => Number(graph.node(String(task))?.x ?? 0) / UNIT);
  const lowest = Math.min(...at);
  const settled = (x: number): number => Math.round((x - lowest) * 1000) / 1000;
  const across = at.map(settled);
  const bends = edges.map(([from, to]) => {
    const points = graph.edge(String(from), String(to))?.points ?? [];
    return bendsOf(points, layer[from] ?? 0, layer[to] ?? 0, (x) => settled(x / UNIT));
  });
  const layers = Math.max(...layer) + 1;
  return { layers, breadth: breadthOf(across, needs.length), layer, across, edges, bends };
}

function labelOf(layer: readonly number[]): GraphLabel {
  // Dagre takes a function here (since 0.8), but its types name only its own rankers. It doubles
  // the ranks between tasks to make room for labels of edges.
  const ranker = (graph: Graph<GraphLabel>): void => {
    for (const name of graph.nodes()) graph.node(name).rank = 2 * (layer[Number(name)] ?? 0);
  };
  return { ...LABEL, ranker } as unknown as GraphLabel;
}

/** Of the points of an edge, those in the layers between: every second one within its ends. */
function bendsOf(
  points: readonly { x: number }[],
  from: number,
  to: number,
  settled: (x: number) => number,
): Stop[] {
  const bends: Stop[] = [];
  for (let at = from + 1; at < to; at += 1) {
    const point = points[2 * (at - from)];
    if (point) bends.push([at, settled(point.x)]);
  }
  return bends;
}
