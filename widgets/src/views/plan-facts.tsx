import type { JSX } from "preact";
import type { TaskSpec } from "../protocol";
import { duration, line, shown } from "../words";
import { toolsOf } from "./plan-draft";
import { capsOf, DEFAULT_BACKOFF_S, ON_FAILURE } from "./plan-values";

/** A label, what is said of it, and whether that is to be read letter by letter. */
export type FactRow = readonly [label: string, said: string, kind?: "code"];

export function Facts({ rows }: { rows: readonly FactRow[] }): JSX.Element {
  return (
    <dl class="plan-facts">
      {rows.map(([label, said, kind]) => (
        <div key={label}>
          <dt>{line(label)}</dt>
          <dd>{kind === "code" ? <code>{shown(said, 4_000)}</code> : shown(said, 4_000)}</dd>
        </div>
      ))}
    </dl>
  );
}

const listed = (list: readonly string[] | undefined, none: string): string =>
  list && list.length > 0 ? list.join(", ") : none;

function coded(label: string, list: readonly string[] | undefined, none: string): FactRow {
  return list && list.length > 0 ? [label, list.join(", "), "code"] : [label, none];
}

/** The same as the form of a contract, to be read. */
export function factsOf(task: TaskSpec): FactRow[] {
  const caps = capsOf(task);
  const isPython = task.work.kind === "python";
  return [
    ["Goal", task.goal || "none"],
    ["Agent", task.agent || "none: a Python function does it"],
    coded("Needs", task.needs, "nothing: it can start at once"),
    ...(isPython ? [] : [["Tools", listed(toolsOf(task), "none")] as const]),
    ...argumentsOf(task),
    coded("Scope", task.scope, "that of the plan"),
    coded("Hosts", task.hosts, "none"),
    task.check ? ["Check", task.check, "code"] : ["Check", "none"],
    ["Cap on cost", caps.cost],
    ["Cap on time", `${caps.time} for each attempt`],
    ["Attempts", String(task.attempts ?? 1)],
    ["If it fails", failureOf(task)],
    ...otherTerms(task),
  ];
}

function failureOf(task: TaskSpec): string {
  const wanted = task.on_failure ?? "stop";
  return ON_FAILURE.find(([value]) => value === wanted)?.[1] ?? wanted;
}

/** What tools are called with is part of the contract, for example the test command. */
export function argumentsOf(task: TaskSpec): FactRow[] {
  if (task.work.kind === "python") return [];
  const params = Object.entries(task.work.params ?? {});
  return params.map(([tool, given]) => [`Arguments of ${tool}`, JSON.stringify(given), "code"]);
}

/** Terms that are seldom other than by default; only those that are. */
export function otherTerms(task: TaskSpec): FactRow[] {
  const rows: FactRow[] = [];
  if (task.backoff_s !== undefined && task.backoff_s !== DEFAULT_BACKOFF_S)
    rows.push([
      "Before a retry",
      `it waits ${duration(task.backoff_s)}, then longer each time`,
    ]);
  if (task.repeatable === false)
    rows.push(["After a crash", "it is not begun again by itself, you are asked"]);
  if (task.resources && task.resources.length > 0)
    rows.push(["Shares", task.resources.join(", "), "code"]);
  return rows;
}
