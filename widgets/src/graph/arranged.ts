/** A plan with the layout of its graph, and the ways through it. */
import type { PlanSpec } from "../protocol";
import { type Layout, layered } from "./layout";
import { Ways } from "./ways";

export interface Arranged {
  readonly names: readonly string[];
  /** The number of each task by its name. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly layout: Layout;
  readonly ways: Ways;
}

/** What each task of a plan needs, by numbers; names that no task has are left out. */
export function needsOf(plan: PlanSpec): [names: string[], needs: number[][]] {
  const names = plan.tasks.map((task) => task.name);
  const numbers = numbered(names);
  const needs = plan.tasks.map((task) =>
    (task.needs ?? []).flatMap((name) => numbers.get(name) ?? []),
  );
  return [names, needs];
}

export function numbered(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, number) => [name, number]));
}

/** The edges along a path that is told by the names of its tasks. */
export function edgesAlong(own: Arranged, path: readonly string[]): ReadonlySet<number> {
  const pairs = new Set(
    path
      .slice(1)
      .map((name, at) => `${own.numbers.get(path[at] ?? "")} ${own.numbers.get(name)}`),
  );
  const along = new Set<number>();
  const { count, from, to } = own.layout.edges;
  for (let edge = 0; edge < count && pairs.size > 0; edge += 1)
    if (pairs.has(`${from[edge]} ${to[edge]}`)) along.add(edge);
  return along;
}

export function arranged(plan: PlanSpec): Arranged {
  const [names, needs] = needsOf(plan);
  const layout = layered(needs);
  return { names, numbers: numbered(names), layout, ways: new Ways(layout) };
}
