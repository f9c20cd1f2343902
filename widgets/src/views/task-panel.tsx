import "./task-panel.css";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { onEscape } from "../escape";
import { useHere } from "../here";
import { Actions } from "../parts/action";
import { Button } from "../parts/button";
import { Row } from "../parts/facts";
import { State } from "../parts/icon";
import { useOwnId } from "../parts/own-id";
import { Said } from "../parts/phrase";
import { Runs } from "../parts/runs";
import { Scrolled } from "../parts/scrolled";
import { Table } from "../parts/table";
import { TaskLink } from "../parts/task-link";
import type { AttemptFacts, TaskFacts } from "../protocol";
import { secondsBetween } from "../slowly";
import { neededBy, tries } from "../task-story";
import {
  ATTEMPT_WORDS,
  counting,
  duration,
  grouped,
  isActive,
  line,
  money,
  shown,
  TASK_WORDS,
} from "../words";
import { moment } from "./head-state";
import { calmly } from "./needs";

const LINKS_SHOWN = 8;

/** The open task: how it stands, its attempts, and what can be done. Escape closes it. */
export function TaskPanel(): JSX.Element | null {
  const { mission, ui } = useHere();
  const title = useOwnId();
  const heading = useRef<HTMLHeadingElement>(null);
  const from = useRef<HTMLElement | null>(null);
  mission.tasksVersion.value;
  const name = ui.task.value;
  const task = name === null ? undefined : mission.task(name);
  const opened = ui.opened.value;
  useEffect(() => {
    if (opened === 0 || !heading.current) return;
    const { activeElement } = heading.current.getRootNode() as Document | ShadowRoot;
    if (activeElement instanceof HTMLElement) from.current = activeElement;
    heading.current.focus();
    ui.opened.value = 0;
  }, [opened]);
  if (!task) return null;
  const close = (): void => {
    ui.task.value = null;
    if (from.current?.isConnected) from.current.focus();
  };
  return (
    <section class="block task-panel" aria-labelledby={title} onKeyDown={onEscape(close)}>
      <div class="top">
        <div>
          <h4 class="h" id={title} ref={heading} tabIndex={-1}>
            <span class="vh">Task </span>
            <code>{line(task.name)}</code>
          </h4>
          <TaskState task={task} />
        </div>
        <PanelButtons task={task} close={close} />
      </div>
      <TaskGoal task={task} />
      <TaskNeed task={task} />
      <TaskFactsList task={task} />
      <Attempts task={task} />
    </section>
  );
}

/** State, attempt and how long. */
export function TaskState({ task }: { task: TaskFacts }): JSX.Element {
  const { mission, ui } = useHere();
  const more = [tries(task, mission.spec(task.name))];
  if (isActive(task.state) && task.started_at !== null) {
    more.push(`for ${counting(secondsBetween(task.started_at, ui.now.value))}`);
  } else if (task.worked_s > 0) more.push(`worked ${duration(task.worked_s)}`);
  return <State of={TASK_WORDS[task.state]} more={more.filter(Boolean).join(", ")} />;
}

export function TaskGoal({ task }: { task: TaskFacts }): JSX.Element | null {
  const { mission } = useHere();
  mission.plan.value;
  const goal = mission.spec(task.name)?.goal;
  return goal ? <p class="task-goal">{shown(goal)}</p> : null;
}

function PanelButtons({ task, close }: { task: TaskFacts; close: () => void }): JSX.Element {
  const { mission, link, ui } = useHere();
  const actions = mission.head.value.task_actions[task.name];
  const asked = mission.head.value.needs.some((need) => need.task === task.name);
  return (
    <div class="acts">
      {!asked && <Actions of={actions} link={link} small />}
      <Button
        small
        onClick={() => {
          ui.focus.value = task.name;
        }}
      >
        Focus on this task
      </Button>
      <Button small onClick={close}>
        Close<span class="vh"> the task</span>
      </Button>
    </div>
  );
}

function TaskNeed({ task }: { task: TaskFacts }): JSX.Element | null {
  const { mission, link } = useHere();
  const { needs, alarms } = mission.head.value;
  const need = needs.find((each) => each.task === task.name);
  const alarm = alarms.find((each) => each.task === task.name);
  if (!need && !alarm) return null;
  return (
    <div class="task-need">
      <p>
        <b>{need ? "Needs you:" : calmly(alarm)}</b>{" "}
        <Said phrase={(need ?? alarm)?.what ?? []} />
      </p>
      {need && (
        <div class="acts">
          <Actions
            of={need.actions.map((action) => ({ ...action, kind: "plain" }))}
            link={link}
            small
          />
        </div>
      )}
    </div>
  );
}

function TaskFactsList({ task }: { task: TaskFacts }): JSX.Element {
  const { mission, ui } = useHere();
  const spec = mission.spec(task.name);
  return (
    <dl class="kv wide">
      <Runs task={task} />
      <Row label="Needs">
        <Links names={spec?.needs ?? []} />
      </Row>
      <Row label="Needed by">
        <Links names={neededBy(mission, task.name)} />
      </Row>
      {task.note && <Row label="Note">{shown(task.note)}</Row>}
      {task.error && (
        <Row label="Error">
          <Long text={task.error} />
        </Row>
      )}
      {task.heartbeat_at !== null && isActive(task.state) && (
        <Row label="Last sign of life">{moment(task.heartbeat_at, ui.now.value)}</Row>
      )}
      {(task.cost > 0 || task.tokens > 0) && (
        <Row label="Used">
          {task.cost === 0 && mission.head.value.unknown > 0
            ? "cost not known"
            : money(task.cost)}
          , {grouped(task.tokens)} tokens
        </Row>
      )}
      {task.has_output && (
        <Row label="Output">
          <Button
            class="link"
            onClick={() => {
              ui.tab.value = "result";
            }}
          >
            Show it under Result
          </Button>
        </Row>
      )}
    </dl>
  );
}

function Links({ names }: { names: readonly string[] }): JSX.Element {
  const { mission } = useHere();
  if (names.length === 0) return <>nothing</>;
  const more = names.length - LINKS_SHOWN;
  return (
    <ul class="links">
      {names.slice(0, LINKS_SHOWN).map((name) => {
        const word = TASK_WORDS[mission.task(name)?.state ?? "pending"];
        return (
          <li key={name}>
            <TaskLink name={name} /> <State of={word} />
          </li>
        );
      })}
      {more > 0 && <li>and {grouped(more)} more</li>}
    </ul>
  );
}

function Attempts({ task }: { task: TaskFacts }): JSX.Element | null {
  const { mission, ui } = useHere();
  mission.attemptsVersion.value;
  const attempts = mission.attempts.filter((each) => each.task_id === task.id);
  if (attempts.length === 0) return null;
  return (
    <Scrolled label="Attempts">
      <Table
        of={[
          "Attempt",
          "State",
          "Started",
          ["Took", "num"],
          ["Process", "num"],
          "What went wrong",
        ]}
      >
        {attempts.map((each) => (
          <tr key={each.number}>
            <th scope="row">{each.number}</th>
            <td>
              <State of={ATTEMPT_WORDS[each.state]} />
            </td>
            <td>{moment(each.started_at, ui.now.value)}</td>
            <td class="num">{tookOf(each, ui.now.value)}</td>
            <td class="num">{each.pid ?? "–"}</td>
            <td>{each.error ? <Long text={each.error} /> : "–"}</td>
          </tr>
        ))}
      </Table>
    </Scrolled>
  );
}

function tookOf({ started_at, finished_at }: AttemptFacts, now: number): string {
  return finished_at === null
    ? counting(secondsBetween(started_at, now))
    : duration(secondsBetween(started_at, Date.parse(finished_at)));
}

/** One line as it is; more in a box of its own. */
function Long({ text }: { text: string }): JSX.Element {
  const trimmed = text.trim();
  if (!trimmed.includes("\n") && trimmed.length < 300) return <>{shown(trimmed)}</>;
  const last = trimmed.split("\n").at(-1) ?? "";
  return (
    <details>
      <summary>{line(last)}</summary>
      <pre class="box">{shown(trimmed, 20_000)}</pre>
    </details>
  );
}
