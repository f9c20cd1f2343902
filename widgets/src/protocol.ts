/**
 * What kernel and view say to each other: the same words as in `hypernb/widgets/_protocol.py`.
 *
 * Names are those of the store, in snake case, unchanged on the wire. Times are ISO 8601 in
 * UTC, lengths of time are seconds, money is dollars. Every string in here may have been made
 * by an agent: views set text, never markup.
 */

export type MissionState =
  | "planning"
  | "awaiting_approval"
  | "running"
  | "paused"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "rejected";

export type TaskState =
  | "pending"
  | "ready"
  | "waiting"
  | "running"
  | "verifying"
  | "awaiting_approval"
  | "stalled"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "skipped";

export type AttemptState =
  | "running"
  | "succeeded"
  | "failed"
  | "abandoned"
  | "cancelled"
  | "refused";

/** A sentence: plain text, names and things to type, and what must not be missed. */
export type Phrase = readonly PhrasePart[];
export type PhrasePart = string | { readonly code: string } | { readonly strong: string };

/** The mission's row. */
export interface MissionFacts {
  id: string;
  number: number;
  short_id: string;
  goal: string;
  state: MissionState;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  playbook: string;
  planned_by: string;
  root: string;
  priority: number;
  revision: number;
  plan_hash: string;
  error: string;
  cost: number;
  by: string;
  forked_from: string;
  forked_at: string;
  /** Seconds between its ends and the retries after them, together. */
  rested_s: number;
}

/** A task's row; its goal, needs and caps are in the plan. */
export interface TaskFacts {
  id: string;
  number: number;
  name: string;
  state: TaskState;
  agent: string;
  attempt: number;
  ready_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  heartbeat_at: string | null;
  pid: number | null;
  note: string;
  error: string;
  outcome: string;
  findings: number;
  worked_s: number;
  cost: number;
  tokens: number;
  has_output: boolean;
}

export interface AttemptFacts {
  task_id: string;
  number: number;
  state: AttemptState;
  started_at: string;
  finished_at: string | null;
  pid: number | null;
  error: string;
}

export interface EventFacts {
  seq: number;
  at: string;
  kind: string;
  task: string | null;
  attempt: number | null;
  payload: Record<string, unknown>;
  /** What happened, in words. */
  told: Phrase;
}

/** A task of the plan: fields that have their default value are left out on the wire. */
export interface TaskSpec {
  name: string;
  goal?: string;
  agent?: string;
  needs?: string[];
  work: AgentWork | PythonWork;
  scope?: string[];
  hosts?: string[];
  check?: string;
  cap_cost?: number | null;
  timeout_s?: number;
  attempts?: number;
  backoff_s?: number;
  on_failure?: "stop" | "skip" | "continue";
  repeatable?: boolean;
  estimate_s?: number | null;
  estimate_tokens?: number | null;
  resources?: string[];
}

export interface AgentWork {
  kind?: "agent";
  tools?: string[];
  params?: Record<string, Record<string, unknown>>;
  /** The plan's name for the model that it is done with; none where it is left out. */
  model?: string;
  /** Its class, if it is an agent of the person's own. */
  label?: string;
  source?: string;
}

/** Something that can be chosen, and what is said of it. */
export type Choice = [name: string, said: string];

export interface PythonWork {
  kind: "python";
  label: string;
  source?: string;
  takes?: string[] | null;
}

/** A revision of the plan; defaults are left out as above. */
export interface PlanSpec {
  goal: string;
  tasks: TaskSpec[];
  root?: string;
  scope?: string[];
  hosts?: string[];
  inputs?: Record<string, string>;
  budget?: number | null;
  concurrency?: number;
  agent_concurrency?: number | null;
  priority?: number;
  deadline_s?: number | null;
  result?: string;
  playbook?: string;
  planned_by?: string;
  notes?: string[];
}

/** A button: what it asks the kernel for, and the magic that does the same. */
export interface Action {
  verb: Verb;
  label: string;
  /** Arguments of the verb. */
  args: Record<string, unknown>;
  /** What to type instead: `%hyper pause m-7`. */
  twin: string;
  kind: "primary" | "plain";
  /** Asked before it is done; the label then ends in an ellipsis. */
  confirm?: Confirm;
}

export interface Confirm {
  question: string;
  button: string;
  /** Label of a field for a reason; no field without it. */
  reason?: string;
  /** What it can be chosen from; something else may be typed. */
  choices?: Choice[];
}

/** Something that a person has to decide, or that only looks as if. */
export interface Need {
  /** It is a failure with which the whole mission ends. */
  ends?: boolean;
  task: string;
  what: Phrase;
  actions: Action[];
}

/** What is wrong with a plan, and where. */
export interface Problem {
  /** Name of the task; empty for the plan itself. */
  task: string;
  /** Field of the task or the plan; empty where it is about the whole. */
  field: string;
  text: string;
  /** Another value for the field that would be right, or null. */
  instead: unknown;
}

/** What changed from one revision of the plan to another. */
export interface Difference {
  from_revision: number;
  to_revision: number;
  added: string[];
  removed: string[];
  /** By task, in the order of the plan; the plan's own fields are under "". */
  changed: Changed[];
  /** How many tasks stayed as they were. */
  same: number;
}

/** Old and new value of a field, in words. */
export interface Changed {
  task: string;
  field: string;
  /** The field, as people call it. */
  label: string;
  old: string;
  new: string;
  /** What both begin with, and what both end with. */
  kept: [string, string];
}

/** A label and what is said of it: a row of a definition list. */
export interface Fact {
  label: string;
  said: Phrase;
}

/** What a person allows by approving, and what to expect. */
export interface Decision {
  allow: Fact[];
  expect: Fact[];
  notes: Phrase[];
  problems: Problem[];
  /** Models that tasks can be given; none where the plan asks no model. */
  models: Choice[];
  /** What is recorded by approving. */
  record: Phrase;
  /** What happens after approving, in order. */
  steps: Phrase[];
  /** Both for a part of the plan: those tasks that are ticked. */
  part: { record: Phrase; steps: Phrase[] };
  difference: Difference | null;
  comments: { task: string; text: string; by: string; at: string }[];
}

/** Sentences and figures of the whole mission, made by the kernel with the words of every view. */
export interface HeadFacts {
  since: string;
  now: Phrase;
  waiting: Phrase;
  next: Phrase;
  total: number;
  /** By state, what is done first. */
  counts: [TaskState, number][];
  /** "about 4 min left (3 to 6)", or empty where nothing is known. */
  left: string;
  left_s: number | null;
  /** Between which it most likely lies; null where both ends sound the same. */
  left_limits_s: [low: number, high: number] | null;
  /** What the estimate rests on: "from 11 past missions"; empty if there is none. */
  left_from: string;
  cost: number;
  /** How many calls of models have no known cost. */
  unknown: number;
  /** What it has cost: "$0.12 and 3 calls of unknown cost". */
  cost_says: string;
  /** The same of its budget. */
  spent: string;
  /** Kept for running tasks. */
  reserved: number;
  budget: number | null;
  quote: number | null;
  deadline_s: number | null;
  at_work: number;
  most_at_once: number;
  worked_s: number;
  /** From the start to the end, or to now. */
  elapsed_s: number;
  /** How much of that lies between an end and the retry after it. */
  rested_s: number;
  /** Names along the critical path; empty where there is none to show. */
  critical: string[];
  /** What that path means, in a sentence. */
  critical_says: string;
  /** Expected seconds of each task that has not ended, by name, where they are known. */
  expected_s: Record<string, number>;
  findings: string;
  needs: Need[];
  alarms: Need[];
  actions: Action[];
  /** Actions of a task, by its name; only tasks that have any. */
  task_actions: Record<string, Action[]>;
  decision: Decision | null;
  last_change: Phrase;
  /** How it ended, for missions that have: outcome, what is missing, commands to go on. */
  ending: { outcome: Phrase; gaps: { task: string; why: Phrase }[]; commands: Fact[] } | null;
}

export interface AgentFacts {
  name: string;
  role: string;
}

/** Whether a click reaches the kernel while a cell runs, and if not, why and what to do. */
export interface ClickFacts {
  at_once: boolean;
  why: string;
}

/** What each state means, in a sentence. */
export interface Meanings {
  mission: Record<MissionState, string>;
  task: Record<TaskState, string>;
  attempt: Record<AttemptState, string>;
}

/** Everything a view needs to begin; later batches change it. */
export interface Picture {
  type: "picture";
  /** Number of the message, for `ack`. */
  n: number;
  /** The last event that is included. */
  seq: number;
  now: string;
  mission: MissionFacts;
  plan: PlanSpec | null;
  tasks: TaskFacts[];
  attempts: AttemptFacts[];
  /** The newest events, oldest first; heartbeats left out. */
  events: EventFacts[];
  /** How many events the mission has in all. */
  total_events: number;
  head: HeadFacts;
  agents: AgentFacts[];
  tools: string[];
  meanings: Meanings;
  clicks: ClickFacts;
}

/** What has changed since `from_seq`; taking it twice changes nothing. */
export interface Batch {
  type: "batch";
  /** Id of the mission. */
  mission_id: string;
  n: number;
  /** Where it goes on from: a view whose own `seq` is smaller has missed something. */
  from_seq: number;
  /** The last event that is included. */
  seq: number;
  now: string;
  mission?: MissionFacts;
  plan?: PlanSpec;
  tasks: TaskFacts[];
  attempts: AttemptFacts[];
  events: EventFacts[];
  total_events: number;
  head?: HeadFacts;
}

export interface Answer {
  type: "answer";
  /** The question's. Answers to questions of other pages arrive here too. */
  id: string | number;
  ok: boolean;
  value?: unknown;
  error?: { code: string; message: string; hint: string };
}

/** What was asked is still being tried; its answer follows. */
export interface Pending {
  type: "pending";
  id: string | number;
  why: string;
}

/** A sign of life of the kernel, every five seconds. */
export interface Beat {
  type: "beat";
  now: string;
  /** Why the store cannot be read just now; empty if it can. */
  why?: string;
}

/** The view as self-contained HTML, to be kept in the notebook in its place. */
export interface Copy {
  type: "copy";
  html: string;
}

/** The view ends: the mission was forgotten, or the view was closed. */
export interface Closed {
  type: "closed";
  reason: string;
}

/** All missions that a board or a history shows; sent anew when one has changed. */
export interface Missions {
  type: "missions";
  n: number;
  now: string;
  rows: MissionRow[];
  /** How many there are in all, of which the rows are a part. */
  total: number;
}

/** Which mission is open in a list, for all views of that list. */
export interface OpenedInList {
  type: "opened";
  /** Its short id; null if none is. */
  mission: string | null;
  /** Why the one before had to be closed; empty if somebody wanted it. */
  why: string;
}

export interface MissionRow {
  mission: MissionFacts;
  total: number;
  counts: [TaskState, number][];
  at_work: number;
  /** What it does or waits for, in a sentence. */
  told: Phrase;
  /** Where the words of a search were found; empty if nothing was searched. */
  found: Phrase;
  needs_you: boolean;
  /** What it has cost; what nobody knows is no zero. */
  cost: string;
  /** What it spends, has found and still takes; may be empty. */
  figures: string;
  actions: Action[];
}

export type FromKernel =
  | Picture
  | Batch
  | Answer
  | Pending
  | Beat
  | Copy
  | Closed
  | Missions
  | OpenedInList;

/** What can be asked of the kernel. What each takes and answers: `hypernb/widgets/_protocol.py`. */
export type Verb =
  | "approve"
  | "reject"
  | "edit"
  | "check"
  | "comment"
  | "pause"
  | "resume"
  | "finish"
  | "take_model"
  | "cancel"
  | "retry"
  | "fork"
  | "export"
  | "events"
  | "output"
  | "missions"
  | "compare"
  | "open";

export type ToKernel =
  | { type: "hello"; front_end: string }
  /** With a number: go on after that event. With null: begin again with a picture. */
  | { type: "sync"; after: number | null; mission: string }
  | { type: "ack"; n: number }
  | { type: "ask"; id: string; verb: Verb; args: Record<string, unknown> };

/** Changes to a plan, as a person makes them; what `check` and `edit` take as `draft`. */
export interface Draft {
  /** New values by task and field. */
  changes: Record<string, Partial<TaskSpec>>;
  drop: string[];
  /** New tasks, in order; each names an agent. */
  add: TaskSpec[];
  /** New values of the plan's own fields. */
  plan: Partial<Omit<PlanSpec, "tasks">>;
}

/** The answer to `check`. */
export interface Checked {
  problems: Problem[];
  difference: Difference;
  plan: PlanSpec;
  /** The magic that makes the same edits. */
  twin: string;
}

/** The answer to `events`. */
export interface Page {
  events: EventFacts[];
  /** Whether there are, or may be, earlier ones. */
  more: boolean;
  /** From where to ask for them; words are looked for through so many events at a time. */
  before?: number | null;
}

/** A column of a table: how its values stand. */
export interface Column {
  name: string;
  kind: "text" | "number" | "boolean" | "time";
}

export type Severity = "critical" | "high" | "medium" | "low";

export interface Finding {
  severity: Severity;
  category: string;
  rule: string;
  /** Relative to the mission's root; empty if it is about the whole tree. */
  path: string;
  line: number | null;
  /** Number of the notebook cell, from 1. */
  cell: number | null;
  text: string;
  tool: string;
  agent: string;
}

/** The first findings, most severe first, and how many there are in all. */
export interface Findings {
  rows: Finding[];
  total: number;
}

/** An output, ready to be shown: no markup in any of them but what the view makes itself. */
export type Shown =
  | {
      kind: "table";
      columns: Column[];
      index: string[];
      rows: string[][];
      total: number;
      note: string;
    }
  | { kind: "findings"; rows: Finding[]; total: number }
  | { kind: "markdown"; blocks: MarkdownBlock[] }
  | { kind: "text"; text: string; note: string }
  | { kind: "json"; text: string }
  | { kind: "diff"; text: string }
  | { kind: "image"; data: string; media_type: "image/png" | "image/jpeg"; alt: string }
  | { kind: "report"; summary: string; parts: ShownPart[] }
  | { kind: "none"; why: string };

/** A block of Markdown, as `hypernb/widgets/_markdown.py` reads it. */
export type MarkdownBlock =
  /** `top`: no heading of the text ranks above it. */
  | { kind: "heading"; top: boolean; line: MarkdownLine }
  | { kind: "paragraph" | "quote"; line: MarkdownLine }
  | { kind: "code"; text: string }
  | MarkdownList
  | { kind: "table"; heads: MarkdownLine[]; rows: MarkdownLine[][] }
  | { kind: "rule" };

export interface MarkdownList {
  kind: "list";
  ordered: boolean;
  start: number;
  /** `inner`: a list below the item. */
  items: { line: MarkdownLine; inner: MarkdownList | null }[];
}

export type MarkdownLine = readonly MarkdownPiece[];
/** Text, or text that stands out. */
export type MarkdownPiece =
  | string
  | { code: string }
  | { strong: string }
  | { em: string }
  | { link: string; href: string };

/** A part of a report, or one of several values. */
export interface ShownPart {
  title: string;
  /** What it is, in a few words; may be empty. */
  what: string;
  shown: Shown;
}

/** The answer to `output`: of one task, or of the mission if none is named. */
export interface Output {
  task: string;
  /** "DataFrame, 63 rows, 5 columns". */
  what: string;
  /** How to get it in any cell: lines that get `m`, the mission, and `m.result()` or the like. */
  python: string;
  shown: Shown;
  /** Only where no task was named. */
  mission?: MissionOutputs;
}

/** What a mission has found and made so far. */
export interface MissionOutputs {
  /** What the mission's result will be; the sentence may go on. */
  result: Phrase;
  findings: Findings;
  /** How to get all of them in Python. */
  all_findings: string;
  /** The first outputs that are there. */
  outputs: { task: string; what: string; python: string }[];
  total_outputs: number;
  total_tasks: number;
}

/** The answer to `missions`. */
export interface Listed {
  rows: MissionRow[];
  total: number;
}

/** The answer to `compare`. */
export interface Compared {
  a: ComparedSide;
  b: ComparedSide;
  /** From the plan of `a` to that of `b`; null if one has no plan. */
  difference: Difference | null;
  /** The first tasks of both, in the order of `b`, then what it lacks. */
  tasks: {
    name: string;
    a: ComparedTask | null;
    b: ComparedTask | null;
    /** How much longer or shorter `b` took, in words; empty where one did nothing. */
    difference: string;
  }[];
  total_tasks: number;
  /** Findings are the same where file, rule, tool and words are. */
  findings: { only_a: Findings; only_b: Findings; both: number };
}

export interface ComparedSide {
  mission: MissionFacts;
  counts: [TaskState, number][];
  /** Time, money and findings: the same labels in both. */
  facts: Fact[];
}

export interface ComparedTask {
  state: TaskState;
  /** How long it worked, in how many attempts, and what it found; may be empty. */
  more: string;
}
