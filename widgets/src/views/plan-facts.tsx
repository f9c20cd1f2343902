import type { JSX } from "preact";
import type { TaskSpec } from "../protocol";
import { duration, line, money, shown } from "../words";
import type { PlanDesk } from "./plan-desk";
import { modelOf, type Row, toolsOf } from "./plan-draft";
import { defaultOf, specOf } from "./plan-fields";
import { textOf, type Value } from "./plan-values";

/** A label, what is said of it, and whether that is to be read letter by letter. */
export type FactRow = readonly [label: string, said: string, isCode?: boolean];

export function Facts({ rows }: { rows: readonly FactRow[] }): JSX.Element | null {
  if (rows.length === 0) return null;
  return (
    <dl class="plan-facts">
      {rows.map(([label, said, isCode]) => (
        <div key={label}>
          <dt>{line(label)}</dt>
          <dd>{isCode ? <code>{shown(said, 4_000)}</code> : shown(said, 4_000)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What a field holds: that of the draft, of the plan, or what stands for nothing. */
export function heldIn(desk: PlanDesk, row: Row | null, field: string): Value {
  if (row && field === "tools") return toolsOf(row.now);
  if (row && field === "model") return modelOf(row.now);
  const all = (row?.now ?? desk.plan.value) as unknown as Record<string, Value | undefined>;
  return all[field] ?? defaultOf(specOf(row, field));
}

/** The same in words; empty if it is nothing. */
export function wordsOf(desk: PlanDesk, row: Row | null, field: string): string {
  const kind = specOf(row, field)?.kind;
  const value = heldIn(desk, row, field);
  if (typeof value !== "number") return textOf(kind, value);
  return kind === "dollars" ? money(value) : kind === "minutes" ? duration(value) : `${value}`;
}

/** The same as a form, to be read. */
export function factsOf(desk: PlanDesk, row: Row | null): FactRow[] {
  return desk.fieldsOf(row).map((field) => {
    const spec = specOf(row, field);
    const label = spec?.label ?? field;
    const words = wordsOf(desk, row, field);
    if (words === "") return [label, spec?.empty ?? "none"];
    if (field === "model") {
      const choice = desk.models.value.find(([name]) => name === words);
      return [label, choice?.[1] ?? words];
    }
    return [label, spec?.said?.(words) ?? words, spec?.mono ?? spec?.kind === "list"];
  });
}

/** Terms that are not changed here: what tools are called with, and what is not by default. */
export function otherTerms({ work, backoff_s, repeatable, resources }: TaskSpec): FactRow[] {
  const rows: FactRow[] =
    work.kind === "python"
      ? []
      : Object.entries(work.params ?? {}).map(([tool, given]) => [
          `Arguments of ${tool}`,
          JSON.stringify(given),
          true,
        ]);
  if (backoff_s !== undefined && backoff_s !== DEFAULT_BACKOFF_S)
    rows.push(["Before a retry", `it waits ${duration(backoff_s)}, then longer each time`]);
  if (repeatable === false)
    rows.push(["After a crash", "it is not begun again by itself, you are asked"]);
  if (resources?.length) rows.push(["Shares", resources.join(", "), true]);
  return rows;
}

const DEFAULT_BACKOFF_S = 0.5;
