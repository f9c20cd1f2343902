import type { JSX } from "preact";
import { askedSince } from "../asked";
import { agentName } from "../crew";
import { useHere } from "../here";
import type { Mission } from "../mission";
import { State } from "../parts/icon";
import { Names } from "../parts/names";
import { TaskLink } from "../parts/task-link";
import type { TaskFacts, TaskState } from "../protocol";
import { secondsBetween, slowNow } from "../slowly";
import { attemptOf } from "../task-story";
import { count, counting, grouped, isActive, line, money, TASK_WORDS } from "../words";
import type { CardFacts } from "./board-cards";

const NO_TASK = { word: "no task now", shape: "none", role: "neutral" } as const;
const KINDS: Partial<Record<TaskState, string>> = {
  awaiting_approval: "k-awaiting",
  stalled: "k-stalled",
  running: "k-active",
  verifying: "k-verifying",
};
const NONE = "–";

/** An agent: its state in shape and word, what it does, and what is known of it. */
export function Card({ card }: { card: CardFacts }): JSX.Element {
  const { mission, ui } = useHere();
  const now = slowNow(ui);
  const first = card.busy[0];
  const chosen = ui.task.value;
  const marked = chosen !== null && card.mine.some((task) => task.name === chosen);
  return (
    <li
      class={`bd-card ${(first && KINDS[first.state]) ?? "k-none"}`}
      aria-current={marked || undefined}
    >
      <div>
        <State of={first ? TASK_WORDS[first.state] : NO_TASK} />
        <h4>{agentName(card.agent)}</h4>
      </div>
      <p class="bd-role">
        {line(card.role) || (card.agent ? "" : "Functions of the plan, without an agent")}
      </p>
      <div class="bd-doing">
        {first ? <Doing card={card} first={first} now={now} /> : <Coming card={card} />}
      </div>
      <dl>
        {factsOf(mission, card, now).map(([label, said]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{said}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

interface DoingProps {
  card: CardFacts;
  first: TaskFacts;
  now: number;
}

function Doing({ card, first, now }: DoingProps): JSX.Element {
  const { mission } = useHere();
  const others = card.busy.slice(1).map((task) => task.name);
  return (
    <>
      <p class="bd-task">
        <TaskLink name={first.name} />
      </p>
      <p>{howItGoes(mission, first, now)}</p>
      {others.length > 0 && (
        <p>
          also <Names of={others} />
        </p>
      )}
    </>
  );
}

/** What a task does or waits for, and since when. */
function howItGoes(mission: Mission, task: TaskFacts, now: number): string {
  if (task.state === "awaiting_approval") {
    const since = askedSince(mission, task);
    const length = since ? `, ${counting(secondsBetween(since, now))}` : "";
    return `waiting for you${length}`;
  }
  if (task.state === "waiting") return line(task.note, 120) || "waits for what it shares";
  if (task.state === "stalled") {
    const silent = silentSeconds(task, now);
    return silent === null ? "silent" : `silent for ${counting(silent)}`;
  }
  const since = task.started_at && `for ${counting(secondsBetween(task.started_at, now))}`;
  return [line(task.note, 120), since].filter(Boolean).join(", ");
}

function Coming({ card }: { card: CardFacts }): JSX.Element {
  const { mission } = useHere();
  const state = mission.facts.value.state;
  if (card.next === null) {
    const failed = card.mine.filter((task) => task.state === "failed");
    return (
      <>
        <p>Nothing more to do.</p>
        {failed.length > 0 && (
          <p>
            <Names of={failed.map((task) => task.name)} /> failed.
          </p>
        )}
      </>
    );
  }
  return (
    <p>
      Next: <TaskLink name={card.next.name} />
      {state === "awaiting_approval" ? (
        ", once the plan is approved"
      ) : card.unmet.length > 0 ? (
        <>
          , when <Names of={card.unmet} /> {card.unmet.length === 1 ? "is" : "are"} done
        </>
      ) : state === "paused" ? (
        ", once the mission goes on"
      ) : (
        ", as soon as there is room"
      )}
    </p>
  );
}

/** What cannot be known, or has not begun, is a dash: never nothing, never zero. */
function factsOf(mission: Mission, card: CardFacts, now: number): [string, string][] {
  const first = card.busy[0];
  const done = card.mine.filter((task) => task.state === "succeeded").length;
  const tokens = card.mine.reduce((sum, task) => sum + task.tokens, 0);
  const cost = card.mine.reduce((sum, task) => sum + task.cost, 0);
  return [
    ["Done", `${grouped(done)} of ${count(card.mine.length, "task")}`],
    ["Heartbeat", heartbeatOf(first, now)],
    ["Attempt", first && first.attempt > 0 ? attemptOf(first, mission.spec(first.name)) : NONE],
    ["Tokens", tokens > 0 ? grouped(tokens) : NONE],
    ["Cost", cost > 0 ? money(cost) : NONE],
    ["Process", first?.pid ? String(first.pid) : NONE],
  ];
}

function heartbeatOf(task: TaskFacts | undefined, now: number): string {
  if (task === undefined || task.state === "waiting") return NONE;
  if (task.heartbeat_at === null) return isActive(task.state) ? "none yet" : NONE;
  return `${counting(secondsBetween(task.heartbeat_at, now))} ago`;
}

function silentSeconds(task: TaskFacts, now: number): number | null {
  const last = task.heartbeat_at ?? task.started_at;
  return last === null ? null : secondsBetween(last, now);
}
