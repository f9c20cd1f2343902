import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useHere } from "../here";
import { Heads } from "../parts/heads";
import { State } from "../parts/icon";
import { TaskLink } from "../parts/task-link";
import type { TaskFacts, TaskSpec } from "../protocol";
import { attemptOf } from "../task-story";
import { count, counting, duration, line, money, TASK_WORDS } from "../words";
import { isOver, workedOf } from "./look";

/** Beyond so many rows, only those that can be seen are in the page. */
const ALL_UP_TO = 300;
/** Rows above and below what can be seen, so that scrolling does not outrun them. */
const SPARE = 8;
const GUESSED_ROW_PX = 34;

interface Props {
  /** Rises when the tasks have changed. */
  version: number;
  critical: ReadonlySet<string>;
  now: number;
}

/** The tasks of the graph as a table: the same facts for everyone who does not see a picture. */
export function TaskTable(props: Props): JSX.Element {
  const { mission, ui } = useHere();
  const { tasks } = mission;
  const box = useRef<HTMLDivElement>(null);
  const rows = useWindow(box, tasks.length);
  const selected = ui.task.value;
  const drawn = tasks.slice(rows.from, rows.to);
  useEffect(() => rows.show(tasks.findIndex((task) => task.name === selected)), [selected]);
  const all = `The same ${count(tasks.length, "task")} as a table`;
  return (
    <section
      class={`scroll gr-table ${rows.isPart ? "gr-part" : ""}`}
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      aria-label={all}
      onScroll={rows.look}
    >
      <table class="t" aria-rowcount={rows.isPart ? tasks.length + 1 : undefined}>
        <caption class="h">{all}</caption>
        <Heads
          index={rows.isPart ? 1 : undefined}
          of={[
            "Task",
            "State",
            ["Agent", "gr-more"],
            ["Worked", "num"],
            ["Cost", "num gr-more"],
            "Critical path",
          ]}
        />
        <tbody>
          <Space px={rows.above} />
          {drawn.map((task, at) => (
            <Row
              key={task.name}
              task={task}
              spec={mission.spec(task.name)}
              worked={worked(task, props.now)}
              isCritical={props.critical.has(task.name)}
              isSelected={task.name === selected}
              index={rows.isPart ? rows.from + at + 2 : undefined}
            />
          ))}
          <Space px={rows.below} />
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  task: TaskFacts;
  spec: TaskSpec | undefined;
  worked: string;
  isCritical: boolean;
  isSelected: boolean;
  index: number | undefined;
}

/** Drawn anew only with facts of its own, and not with each change of any row. */
function Row(props: RowProps): JSX.Element {
  return useMemo(() => <Cells {...props} />, Object.values(props));
}

function Cells(props: RowProps): JSX.Element {
  const { task, spec, isSelected, index } = props;
  const again = task.attempt > 1 ? `attempt ${attemptOf(task, spec)}` : undefined;
  return (
    <tr aria-current={isSelected ? "true" : undefined} aria-rowindex={index}>
      <th scope="row">
        <span class="gr-number">t{task.number} </span>
        <TaskLink name={task.name} />
      </th>
      <td>
        <State of={TASK_WORDS[task.state]} more={again} />
      </td>
      <td class="gr-more">{line(task.agent) || "–"}</td>
      <td class="num">{props.worked}</td>
      <td class="num gr-more">{task.cost > 0 ? money(task.cost) : "–"}</td>
      <td>{props.isCritical ? "yes" : ""}</td>
    </tr>
  );
}

function worked(task: TaskFacts, now: number): string {
  const seconds = workedOf(task, now);
  if (seconds <= 0) return "–";
  // While it goes on, the same whole seconds as in its box.
  return isOver(task) ? duration(seconds) : counting(Math.floor(seconds));
}

/** Room for the rows that are not in the page. */
function Space({ px }: { px: number }): JSX.Element | null {
  if (px <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row cannot be focused
    <tr aria-hidden="true" class="gr-space" style={{ height: `${px}px` }}>
      <td colSpan={6} />
    </tr>
  );
}

interface Window {
  readonly from: number;
  readonly to: number;
  readonly above: number;
  readonly below: number;
  /** Whether only a part of the rows is in the page. */
  readonly isPart: boolean;
  /** Look again which rows can be seen. */
  readonly look: () => void;
  /** Bring a row into sight, if it is not in the page. */
  readonly show: (row: number) => void;
}

function useWindow(box: { current: HTMLDivElement | null }, total: number): Window {
  const first = useSignal(0);
  const height = useSignal(GUESSED_ROW_PX);
  const isPart = total > ALL_UP_TO;
  const seen = Math.ceil((box.current?.clientHeight || 520) / height.value) + 2 * SPARE;
  const from = isPart ? Math.min(first.value, Math.max(0, total - seen)) : 0;
  const to = isPart ? Math.min(total, from + seen) : total;
  const measure = (): void => {
    const row = box.current?.querySelector<HTMLElement>("tbody tr:not(.gr-space)");
    if (row && row.offsetHeight > 0) height.value = row.offsetHeight;
  };
  const look = (): void => {
    if (!isPart || !box.current) return;
    measure();
    // In steps, so that not every pixel makes new rows.
    const row = Math.floor(box.current.scrollTop / height.value) - SPARE;
    first.value = Math.max(0, Math.floor(row / 8) * 8);
  };
  const show = (row: number): void => {
    if (!isPart || row < 0 || !box.current) return;
    measure();
    const at = row * height.value;
    const { scrollTop, clientHeight } = box.current;
    if (at < scrollTop || at > scrollTop + clientHeight - 2 * height.value) {
      box.current.scrollTop = Math.max(0, at - clientHeight / 2);
      look();
    }
  };
  return {
    from,
    to,
    above: from * height.value,
    below: (total - to) * height.value,
    isPart,
    look,
    show,
  };
}
