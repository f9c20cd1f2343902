import type { TaskSpec } from "../protocol";
import { modelOf, type Row } from "./plan-draft";
import type { Kind, Value } from "./plan-values";

/** A field of a contract: how it is called, written, read and shown. */
export interface FieldSpec {
  readonly label: string;
  /** What the label of its control says besides. */
  readonly more?: string;
  readonly kind: Kind;
  /** Its value where the wire leaves it out; that of `hypernb/model/_plan.py`. */
  readonly otherwise?: Value;
  readonly wide?: "half" | "third" | "two-thirds";
  readonly hint?: string;
  /** What it means that nothing stands there. */
  readonly empty?: string;
  readonly mono?: boolean;
  readonly lines?: number;
  /** A value in words, where it is no word by itself. */
  readonly said?: (text: string) => string;
}

export type FieldSpecs = Readonly<Record<string, FieldSpec>>;

/** What a failure does, in the words of a person who decides it. */
export const ON_FAILURE: readonly (readonly [NonNullable<TaskSpec["on_failure"]>, string])[] = [
  ["stop", "the mission stops"],
  ["skip", "what needs it is skipped"],
  ["continue", "the rest goes on without it"],
];

/** What a person may change of a task, in the order of the form. */
export const TASK_FIELDS: FieldSpecs = {
  name: {
    label: "Name",
    kind: "text",
    hint: "Short and unique; others need it by this name.",
    mono: true,
  },
  goal: { label: "Goal", kind: "text", lines: 2 },
  agent: {
    label: "Agent",
    kind: "choice",
    wide: "half",
    empty: "none: a Python function does it",
  },
  needs: {
    label: "Needs",
    kind: "list",
    wide: "half",
    hint: "Names of tasks, with commas between them.",
    empty: "none: it can start at once",
  },
  model: {
    label: "Model",
    kind: "choice",
    empty: "none: its tools do it alone",
  },
  tools: { label: "Tools", kind: "ticks" },
  scope: {
    label: "Scope",
    more: " (files it may read)",
    kind: "list",
    wide: "two-thirds",
    empty: "that of the plan",
  },
  hosts: { label: "Hosts", kind: "list", wide: "third", empty: "none" },
  check: {
    label: "Check",
    more: " (told to the agent; nobody checks it yet)",
    kind: "text",
    mono: true,
    empty: "none",
  },
  cap_cost: {
    label: "Cap on cost",
    more: ", $",
    kind: "dollars",
    wide: "third",
    empty: "no cap",
  },
  timeout_s: {
    label: "Cap on time",
    more: ", min",
    kind: "minutes",
    otherwise: 600,
    wide: "third",
    hint: "For each attempt; 1:30 is 1 min 30 s.",
    said: (time) => `${time} for each attempt`,
  },
  attempts: { label: "Attempts", kind: "whole", otherwise: 1, wide: "third" },
  on_failure: {
    label: "If it fails",
    kind: "choice",
    otherwise: "stop",
    wide: "half",
    said: (wanted) => ON_FAILURE.find(([value]) => value === wanted)?.[1] ?? wanted,
  },
};

/** The same of the plan itself. */
export const PLAN_FIELDS: FieldSpecs = {
  scope: {
    label: "Scope",
    more: " (files the mission may read)",
    kind: "list",
    wide: "two-thirds",
    empty: "the whole folder",
  },
  hosts: { label: "Hosts", kind: "list", wide: "third", empty: "none" },
  budget: {
    label: "Budget",
    more: ", $",
    kind: "dollars",
    wide: "third",
    empty: "no limit",
  },
  deadline_s: {
    label: "Deadline",
    more: ", min",
    kind: "minutes",
    wide: "third",
    hint: "From the start of the mission.",
    empty: "none",
  },
  concurrency: {
    label: "At once",
    kind: "whole",
    otherwise: 8,
    wide: "third",
    hint: "Tasks that may run together.",
    said: (most) => `up to ${most} tasks`,
  },
  agent_concurrency: {
    label: "At once for one agent",
    kind: "whole",
    wide: "third",
    empty: "no limit of its own",
    said: (most) => `up to ${most} tasks`,
  },
  priority: {
    label: "Priority",
    kind: "whole",
    otherwise: 50,
    wide: "third",
    hint: "0 to 100; higher starts first.",
    said: (priority) => `${priority}; higher starts first`,
  },
  result: {
    label: "Result",
    kind: "choice",
    wide: "third",
    empty: "what no other task needs",
    mono: true,
  },
};

/** How a field of a task is treated, or one of the plan where there is no row. */
export function specOf(row: Row | null, field: string): FieldSpec | undefined {
  return (row ? TASK_FIELDS : PLAN_FIELDS)[field];
}

const NOTHING: Partial<Record<Kind, Value>> = { text: "", choice: "", list: [], ticks: [] };

/** What a field holds where nothing is written. */
export function defaultOf(spec: FieldSpec | undefined): Value {
  return spec?.otherwise ?? NOTHING[spec?.kind ?? "whole"] ?? null;
}

/** The fields of the plan, or of a task: its name stands, and a function has no tools. */
export function fieldsOf(row: Row | null, asksModels: boolean): string[] {
  if (row === null) return Object.keys(PLAN_FIELDS);
  const { stored, now } = row;
  const tools = now.work.kind !== "python";
  const model = tools && (asksModels || !!modelOf(now));
  const some: Readonly<Record<string, boolean>> = { name: stored === null, tools, model };
  return Object.keys(TASK_FIELDS).filter((field) => some[field] ?? true);
}

/** Names of what nobody edits here, where another word says more. */
const OTHERS: Readonly<Record<string, string>> = {
  params: "arguments of tools",
  estimate_s: "estimate",
  estimate_tokens: "estimate of tokens",
  backoff_s: "wait before a retry",
  root: "folder",
};

/** A field as problems and differences name it. */
export function labelOf(field: string): string {
  const own = field.replace(/^work\.?/, "") || "tools";
  const label = (TASK_FIELDS[own] ?? PLAN_FIELDS[own])?.label.toLowerCase();
  return label ?? OTHERS[own] ?? own.replaceAll("_", " ");
}
