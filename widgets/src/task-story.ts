/** What a task does, waits for and leads to, in sentences. */
import type { Mission } from "./mission";
import { plain } from "./parts/phrase";
import type { Phrase, PhrasePart, TaskFacts, TaskSpec } from "./protocol";
import { ATTEMPT_WORDS, counting, duration, grouped, isFinal, line, TASK_WORDS } from "./words";

/** Now, Waiting for and Next of one task. */
export interface Story {
  readonly now: Phrase;
  readonly waiting: Phrase;
  readonly next: Phrase;
}

const NAMED_AT_MOST = 4;
const NOTHING: Phrase = ["Nothing."];
const IDLE: Phrase = ["It has not started."];
const A_PLACE: Phrase = ["A free place. You need not act."];
const NOT_ANY_MORE = "It does not start: the mission ends with what runs.";
const NOT_STARTED: ReadonlySet<string> = new Set(["pending", "ready", "waiting"]);
const YOU: PhrasePart = { strong: "You" };

const story = (now: Phrase, waiting: Phrase, next: Phrase): Story => ({ now, waiting, next });

/** Tell how one task stands at a time of the kernel's, from its own facts. */
export function storyOf(mission: Mission, task: TaskFacts, now: number): Story {
  const spec = mission.spec(task.name);
  if (NOT_STARTED.has(task.state) && mission.head.value.alarms.some(({ ends }) => ends))
    return story(IDLE, NOTHING, [NOT_ANY_MORE]);
  switch (task.state) {
    case "pending":
      return pending(mission.unmet(task.name));
    case "ready":
      return story(
        ["It is ready to start."],
        mission.facts.value.state === "paused" ? [YOU, ": the mission is paused."] : A_PLACE,
        [`Attempt ${task.attempt + 1}${of(spec)} starts by itself.`],
      );
    case "waiting":
      return story(
        ["It rests until it can go on."],
        [task.note ? `${stopped(task.note)} You need not act.` : "A resource."],
        ["It starts by itself."],
      );
    case "running":
      return story(atWork(mission, task, now), NOTHING, followers(mission, task));
    case "verifying":
      return story(["Its check is being made."], NOTHING, followers(mission, task));
    case "awaiting_approval":
      return story(
        ["It was cut short. Nothing of it runs meanwhile."],
        [YOU, ": one decision. There is no time limit."],
        ["It goes on when you have decided."],
      );
    case "stalled":
      return story(
        [`There is no sign of life${lasting(task.heartbeat_at, now)}.`],
        ["A sign of life. You need not act."],
        alarmOf(mission, task) ?? ["It is tried once more, or counts as failed."],
      );
    default:
      return ended(mission, task, spec);
  }
}

/** Which attempt it is, where that says anything: `attempt 2 of 3`. */
export function tries(task: TaskFacts, spec: TaskSpec | undefined): string {
  if (task.attempt < 1 || (task.attempt === 1 && isFinal(task.state))) return "";
  const said = attemptOf(task, spec);
  return said === "1 of 1" ? "" : `attempt ${said}`;
}

/** `2 of 3`: which attempt it is, and how many there may be. */
export function attemptOf(task: TaskFacts, spec: TaskSpec | undefined): string {
  return `${task.attempt} of ${Math.max(spec?.attempts ?? 1, task.attempt)}`;
}

/** `8 of 14` at the beginning of a note, where it is a number of steps that can be drawn. */
export function stepsIn(note: string): { done: number; total: number } | null {
  const found = /^\s*(\d{1,4}) of (\d{1,4})\b/.exec(note);
  if (!found) return null;
  const [done, total] = [Number(found[1]), Number(found[2])];
  return total > 0 && total <= 60 && done <= total ? { done, total } : null;
}

/** The names of the tasks that need this one, in plan order. */
export function neededBy(mission: Mission, name: string): string[] {
  const tasks = mission.plan.value?.tasks ?? [];
  return tasks.filter((task) => task.needs?.includes(name)).map((task) => task.name);
}

/** Names as a sentence lists them: `a`, `b` and 3 more. */
export function enumerated(names: readonly string[], most = NAMED_AT_MOST): Phrase {
  const told = names.slice(0, most);
  const rest = names.length - told.length;
  const parts: PhrasePart[] = [];
  for (const [place, name] of told.entries()) {
    const isLast = place === told.length - 1 && rest === 0;
    if (place > 0) parts.push(isLast ? " and " : ", ");
    parts.push({ code: line(name) });
  }
  if (rest > 0) parts.push(` and ${grouped(rest)} more`);
  return parts;
}

function ended(mission: Mission, task: TaskFacts, spec: TaskSpec | undefined): Story {
  const { word } = ATTEMPT_WORDS[task.state as "failed"] ?? TASK_WORDS[task.state];
  const worked = task.worked_s > 0 ? `, after ${duration(task.worked_s)} of work` : "";
  const why = task.error ? ` ${stopped(task.error)}` : "";
  const next: Phrase =
    task.state === "succeeded"
      ? followers(mission, task)
      : spec?.on_failure === "skip" || spec?.on_failure === "continue"
        ? ["The rest goes on without it."]
        : ["Nothing more of it."];
  return story([`It has ended: ${word}${worked}.${why}`], NOTHING, next);
}

function atWork(mission: Mission, task: TaskFacts, now: number): Phrase {
  const last = mission.log.items.findLast((event) => event.task === task.name);
  const who = task.agent ? `The ${line(task.agent, 80)} is at work` : "It runs";
  const told = `${who}${lasting(task.started_at, now)}.`;
  return last ? [`${told} Last: `, ...last.told, stop(last.told)] : [told];
}

/** ` for 2 min 24 s`, or nothing where there is no beginning. */
function lasting(since: string | null, now: number): string {
  return since === null ? "" : ` for ${counting((now - Date.parse(since)) / 1000)}`;
}

/** The full stop that a phrase lacks, or nothing. */
function stop(phrase: Phrase): string {
  return /[.!?)…]$/.test(plain(phrase).trim()) ? "" : ".";
}

function followers(mission: Mission, task: TaskFacts): Phrase {
  const names = neededBy(mission, task.name);
  if (names.length === 0) return ["The mission's result, when all is done."];
  return [...enumerated(names), names.length === 1 ? " gets its result." : " get its result."];
}

function pending(left: readonly string[]): Story {
  if (left.length === 0)
    return story(IDLE, A_PLACE, ["It starts by itself when there is room."]);
  const done = left.length === 1 ? "that has" : "they have";
  return story(
    IDLE,
    [...enumerated(left), "."],
    [`It starts by itself when ${done} succeeded.`],
  );
}

function alarmOf(mission: Mission, task: TaskFacts): Phrase | null {
  return mission.head.value.alarms.find((alarm) => alarm.task === task.name)?.what ?? null;
}

const of = (spec: TaskSpec | undefined): string =>
  (spec?.attempts ?? 1) > 1 ? ` of ${spec?.attempts}` : "";

function stopped(text: string): string {
  const said = line(text);
  return /[.!?)…]$/.test(said) ? said : `${said}.`;
}
