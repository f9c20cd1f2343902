import "./graph.css";
import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { Canvas } from "../graph/canvas";
import { TaskTable } from "../graph/task-table";
import { useHere } from "../here";
import { slowNow } from "../slowly";
import { grouped, isActive, line, sentence } from "../words";
import { TaskPanel } from "./task-panel";

/** The table follows so often at most, however fast tasks change. */
const ROWS_EVERY_MS = 200;
const PATH_TOLD_AT_MOST = 12;

/** The graph of a mission's tasks, and beside or below it the same tasks as a table. */
export function Graph(): JSX.Element {
  const { mission, ui } = useHere();
  const now = useComputed(() => slowNow(ui));
  if (mission.plan.value === null) {
    return <section class="block quiet">There is no plan yet, so there is no graph.</section>;
  }
  return (
    <section class="block gr" aria-label="Graph">
      <div>
        <Canvas now={now}>
          <CriticalPath />
        </Canvas>
      </div>
      {/* Below the drawing: what is pressed there must not move away. */}
      <TaskPanel />
      <Table now={now} />
    </section>
  );
}

interface PartProps {
  /** One time for boxes and rows, which say the same. */
  now: ReadonlySignal<number>;
}

/** The path that decides how long the mission takes; what is at work is set in bold. */
function CriticalPath(): JSX.Element | null {
  const { mission } = useHere();
  const path = mission.critical.value;
  const { left } = mission.head.value;
  const told = path.slice(0, PATH_TOLD_AT_MOST);
  // As a text, so that nothing is drawn anew while it stays the same.
  const atWork = useComputed(() => {
    mission.tasksVersion.value;
    return told.map((name) => (isActive(mission.task(name)?.state) ? "1" : "0")).join("");
  }).value;
  if (path.length === 0) return <p>{left && sentence(left)}</p>;
  const rest = path.length - told.length;
  return (
    <p>
      <b>Critical path:</b>{" "}
      {told.map((name, at) => (
        <span key={name}>
          {at > 0 && ", "}
          {atWork[at] === "1" ? <b>{line(name)}</b> : line(name)}
        </span>
      ))}
      {rest > 0 && ` and ${grouped(rest)} more`}. {left && sentence(left)}
    </p>
  );
}

function Table({ now }: PartProps): JSX.Element {
  const { mission } = useHere();
  const version = useSignal(mission.tasksVersion.peek());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = (): void => {
      timer = undefined;
      version.value = mission.tasksVersion.peek();
    };
    const stop = mission.tasksVersion.subscribe((latest) => {
      if (latest !== version.peek()) timer ??= setTimeout(follow, ROWS_EVERY_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [mission]);
  const path = mission.critical.value;
  const critical = useMemo(() => new Set(path), [path]);
  return <TaskTable version={version.value} critical={critical} now={now.value} />;
}
