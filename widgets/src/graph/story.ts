/** What a task does, waits for and leads to, in words. */
import type { HeadFacts, Phrase, PhrasePart, TaskFacts, TaskSpec } from "../protocol";
import { count, counting, duration, line } from "../words";
import { since } from "./look";

export interface Around {
  readonly task: TaskFacts;
  readonly spec: TaskSpec | undefined;
  /** Names of what it needs that has not succeeded. */
  readonly unmet: readonly string[];
  /** Names of what needs it. */
  readonly children: readonly string[];
  readonly head: HeadFacts;
  readonly now: number;
}

export interface Story {
  readonly now: Phrase;
  readonly waiting: Phrase;
  readonly next: Phrase;
}

const TOLD_AT_MOST = 4;
const NOTHING: Phrase = ["nothing"];

export function storyOf(around: Around): Story {
  const { task } = around;
  switch (task.state) {
    case "pending":
      return { now: ["not started"], waiting: names(around.unmet), next: whenDone(around) };
    case "ready":
      return {
        now: ["ready to start"],
        waiting: ["a free place"],
        next: ["starts as soon as there is room"],
      };
    case "waiting":
      return {
        now: ["not started"],
        waiting: [line(task.note).replace(/^waits for /, "") || "a resource"],
        next: ["starts by itself"],
      };
    case "running":
      return { now: atWork(around), waiting: NOTHING, next: after(around) };
    case "verifying":
      return { now: ["its check runs"], waiting: ["the check"], next: after(around) };
    case "awaiting_approval":
      return {
        now: ["stopped until you decide"],
        waiting: ["you", ...asked(around)],
        next: ["goes on once you have decided"],
      };
    case "stalled":
      return { now: silent(around), waiting: ["a heartbeat"], next: nextAttempt(around) };
    case "succeeded":
      return { now: [doneIn(task)], waiting: NOTHING, next: after(around) };
    case "failed":
      return {
        now: [`failed: ${line(task.error) || "no reason was given"}`],
        waiting: NOTHING,
        next: heldUp(around),
      };
    case "cancelled":
      return { now: ["cancelled"], waiting: NOTHING, next: heldUp(around) };
    case "skipped":
      return { now: ["it was not run"], waiting: NOTHING, next: NOTHING };
    default:
      return unknown(task.state);
  }
}

function unknown(state: never): Story {
  return { now: [String(state)], waiting: NOTHING, next: NOTHING };
}

/** Names as code: `a`, `b` and 3 more. */
export function names(all: readonly string[]): Phrase {
  if (all.length === 0) return NOTHING;
  const told = all.length > TOLD_AT_MOST ? all.slice(0, TOLD_AT_MOST - 1) : all;
  const rest = all.length - told.length;
  const parts: PhrasePart[] = [];
  told.forEach((name, at) => {
    const last = at === told.length - 1 && rest === 0;
    if (at > 0) parts.push(last ? " and " : ", ");
    parts.push({ code: line(name) });
  });
  return rest > 0 ? [...parts, ` and ${count(rest, "more", "more")}`] : parts;
}

function whenDone({ unmet }: Around): Phrase {
  if (unmet.length === 0) return ["starts as soon as there is room"];
  return [unmet.length === 1 ? "starts when that is done" : "starts when they are done"];
}

function atWork({ task, now }: Around): Phrase {
  const worked = since(task.started_at, now);
  const note = line(task.note);
  const time = worked === null ? "at work" : `at work for ${counting(worked)}`;
  return [note ? `${note}; ${time}` : time];
}

function asked({ head, task }: Around): Phrase {
  const need = head.needs.find((one) => one.task === task.name);
  return need ? [": ", ...need.what] : [", for a decision"];
}

function silent({ task, now }: Around): Phrase {
  const silence = since(task.heartbeat_at, now);
  return [silence === null ? "no heartbeat" : `no heartbeat for ${counting(silence)}`];
}

function nextAttempt({ task, spec }: Around): Phrase {
  const most = spec?.attempts ?? 1;
  if (task.attempt >= most) return ["it fails if none comes"];
  return [`attempt ${task.attempt + 1} of ${most}, if none comes`];
}

function doneIn(task: TaskFacts): string {
  const found = task.findings > 0 ? `, with ${count(task.findings, "finding")}` : "";
  return task.worked_s > 0 ? `done in ${duration(task.worked_s)}${found}` : `done${found}`;
}

function after({ spec, children, task }: Around): Phrase {
  const check = task.state === "running" && spec?.check ? ["its check, then "] : [];
  if (children.length > 0) return [...check, ...names(children)];
  return [...check, "the end of the mission"];
}

function heldUp({ children }: Around): Phrase {
  if (children.length === 0) return NOTHING;
  return [...names(children), children.length === 1 ? " needs it" : " need it"];
}
