import type { AgentWork, Draft, PlanSpec, TaskSpec } from "../protocol";
import { defaultOf, type FieldSpecs, PLAN_FIELDS, TASK_FIELDS } from "./plan-fields";

/** Changes to a plan, from one draft to the next; nothing in here knows of a view. */

export const NO_EDITS: Draft = { changes: {}, drop: [], add: [], plan: {} };

export type PlanFields = Omit<PlanSpec, "tasks">;

/** A task as the table shows it: as it is stored, and as the draft would have it. */
export interface Row {
  /** `=name` of a task of the plan, `+0` of one that the draft adds. */
  readonly key: string;
  readonly number: number;
  readonly stored: TaskSpec | null;
  readonly now: TaskSpec;
  readonly dropped: boolean;
}

export function isEmpty(draft: Draft): boolean {
  return (
    draft.drop.length === 0 &&
    draft.add.length === 0 &&
    Object.keys(draft.changes).length === 0 &&
    Object.keys(draft.plan).length === 0
  );
}

/** How many tasks the draft touches. */
export function tasksIn(draft: Draft): number {
  return new Set([...Object.keys(draft.changes), ...draft.drop]).size + draft.add.length;
}

export const same = (a: unknown, b: unknown): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

/** New values without those that are as stored, and without those of `work` that say the same. */
function different(stored: object, values: object, specs: FieldSpecs): Record<string, unknown> {
  const were = stored as Record<string, unknown>;
  const differs = ([field, value]: [string, unknown]): boolean =>
    field === "work"
      ? !sameWork(were.work as TaskSpec["work"], value as AgentWork)
      : !same(value, were[field] ?? defaultOf(specs[field]));
  return Object.fromEntries(Object.entries(values).filter(differs));
}

function sameWork(was: TaskSpec["work"], is: AgentWork): boolean {
  if (was.kind === "python") return same(was, is);
  return (
    same(was.tools ?? [], is.tools ?? []) &&
    same(was.params ?? {}, is.params ?? {}) &&
    // The kernel gives a new task the model of its agent, where none is named.
    (is.model ?? was.model) === was.model
  );
}

/** Give a task of the plan new values; one that is again as stored is no change. */
export function changed(draft: Draft, stored: TaskSpec, values: Partial<TaskSpec>): Draft {
  const { [stored.name]: before, ...others } = draft.changes;
  const all = different(stored, { ...before, ...values }, TASK_FIELDS);
  const changes = Object.keys(all).length > 0 ? { ...others, [stored.name]: all } : others;
  return { ...draft, changes };
}

/** Give the plan itself new values. */
export function planChanged(
  draft: Draft,
  stored: PlanSpec,
  values: Partial<PlanFields>,
): Draft {
  return { ...draft, plan: different(stored, { ...draft.plan, ...values }, PLAN_FIELDS) };
}

/** Without what the draft does to one task of the plan. */
export function undone(draft: Draft, name: string): Draft {
  const { [name]: _, ...changes } = draft.changes;
  return { ...draft, changes, drop: draft.drop.filter((each) => each !== name) };
}

export function dropped(draft: Draft, name: string): Draft {
  const rest = undone(draft, name);
  return { ...rest, drop: [...rest.drop, name] };
}

/** With one more task, under a name that nothing has yet. */
export function added(draft: Draft, plan: PlanSpec, agent: string): Draft {
  const taken = new Set([...plan.tasks, ...draft.add].map((task) => task.name));
  let name = "new-task";
  for (let number = 2; taken.has(name); number += 1) name = `new-task-${number}`;
  const task: TaskSpec = { name, agent, goal: "", work: { kind: "agent", tools: [] } };
  return { ...draft, add: [...draft.add, task] };
}

export function addedChanged(draft: Draft, place: number, values: Partial<TaskSpec>): Draft {
  const add = draft.add.map((task, index) => (index === place ? { ...task, ...values } : task));
  return { ...draft, add };
}

/**
 * What is left of a draft on another revision: without what that revision already has, and
 * without edits of tasks that it does not have, whose names are told.
 */
export function rebased(draft: Draft, plan: PlanSpec): { draft: Draft; gone: string[] } {
  const specs = new Map(plan.tasks.map((task) => [task.name, task]));
  const gone: string[] = [];
  let rest: Draft = { ...NO_EDITS, drop: draft.drop.filter((name) => specs.has(name)) };
  for (const [name, values] of Object.entries(draft.changes)) {
    const stored = specs.get(name);
    if (stored) rest = changed(rest, stored, values);
    else gone.push(name);
  }
  const add = draft.add.filter((task) => {
    const there = specs.get(task.name);
    return there === undefined || !isAsAsked(there, task);
  });
  return { draft: planChanged({ ...rest, add }, plan, draft.plan), gone };
}

/** The kernel adds to a new task what its agent always does; that is no other task. */
function isAsAsked(there: TaskSpec, { name: _, ...asked }: TaskSpec): boolean {
  const { goal = "", work, ...values } = asked;
  const rest = toolsOf({ ...there, work }).length > 0 ? { ...values, work } : values;
  const begins = (there.goal ?? "").startsWith(goal);
  return begins && !(there.name in changed(NO_EDITS, there, rest).changes);
}

/** The plan's tasks with the draft on them, in plan order; new ones at the end. */
export function rowsOf(plan: PlanSpec, draft: Draft): Row[] {
  const away = new Set(draft.drop);
  const rows = plan.tasks.map((stored, index): Row => {
    const { name } = stored;
    const values = draft.changes[name];
    const now = values ? { ...stored, ...values } : stored;
    return {
      key: `=${name}`,
      number: index + 1,
      stored,
      now: away.size > 0 && !values?.needs ? withoutNeeds(now, away) : now,
      dropped: away.has(name),
    };
  });
  const added = draft.add.map((now, index): Row => {
    const number = rows.length + index + 1;
    return { key: `+${index}`, number, stored: null, now, dropped: false };
  });
  return [...rows, ...added];
}

/** Rows that say the same as before are the same objects, so that nothing draws them anew. */
export function settled(rows: readonly Row[], before: ReadonlyMap<string, Row>): Row[] {
  return rows.map((row) => {
    const old = before.get(row.key);
    return old?.number === row.number &&
      old.dropped === row.dropped &&
      old.stored === row.stored &&
      same(old.now, row.now)
      ? old
      : row;
  });
}

function withoutNeeds(task: TaskSpec, away: ReadonlySet<string>): TaskSpec {
  if (!task.needs?.some((need) => away.has(need))) return task;
  return { ...task, needs: task.needs.filter((need) => !away.has(need)) };
}

/** The plan's name for the model that a task is done with; empty for none. */
export function modelOf({ work }: TaskSpec): string {
  return (work.kind !== "python" && work.model) || "";
}

export function toolsOf(task: TaskSpec): readonly string[] {
  return task.work.kind === "python" ? [] : (task.work.tools ?? []);
}

/** The same work with other tools; what stands for tools that are left out goes with them. */
export function withTools(work: AgentWork, tools: readonly string[]): AgentWork {
  const params = Object.entries(work.params ?? {}).filter(([tool]) => tools.includes(tool));
  return {
    ...work,
    tools: [...tools],
    ...(work.params && { params: Object.fromEntries(params) }),
  };
}
