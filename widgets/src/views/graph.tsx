import "./graph.css";
import { computed, type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { Canvas } from "../graph/canvas";
import { TaskTable } from "../graph/task-table";
import { useHere } from "../here";
import type { Mission } from "../mission";
import type { HeadFacts } from "../protocol";
import { count, isActive, line } from "../words";
import { TaskPanel } from "./task-panel";

/** Times in boxes and rows go on so often; only the elapsed time counts every second. */
const TIMES_EVERY_MS = 5_000;
/** The table follows so often at most, however fast tasks change. */
const ROWS_EVERY_MS = 200;
const PATH_TOLD_AT_MOST = 12;

/** The graph of a mission's tasks, and beside or below it the same tasks as a table. */
export function Graph(): JSX.Element {
  const { mission } = useHere();
  const now = useSlowNow();
  if (mission.plan.value === null) {
    return <section class="block quiet">There is no plan yet, so there is no graph.</section>;
  }
  return (
    <section class="block gr" aria-label="Graph">
      <Drawn now={now} />
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

function Drawn({ now }: PartProps): JSX.Element {
  return (
    <div>
      <Canvas now={now}>
        <CriticalPath />
      </Canvas>
    </div>
  );
}

/** The path that decides how long the mission takes; what is at work is set in bold. */
function CriticalPath(): JSX.Element | null {
  const { mission } = useHere();
  const path = usePath(mission).value;
  const { left } = mission.head.value;
  if (path.length === 0) return <p>{sentence(left)}</p>;
  const told = path.slice(0, PATH_TOLD_AT_MOST);
  const rest = path.length - told.length;
  return (
    <p>
      <b>Critical path:</b>{" "}
      {told.map(({ name, active }, at) => (
        <span key={name}>
          {at > 0 && ", "}
          {active ? <b>{line(name)}</b> : line(name)}
        </span>
      ))}
      {rest > 0 && ` and ${count(rest, "more", "more")}`}. {sentence(left)}
    </p>
  );
}

function sentence(text: string): string {
  return text === "" ? "" : `${text[0]?.toUpperCase()}${line(text).slice(1)}.`;
}

interface Passed {
  readonly name: string;
  readonly active: boolean;
}

function usePath(mission: Mission): ReadonlySignal<readonly Passed[]> {
  return useMemo(() => {
    let known: readonly Passed[] = [];
    // The same list as long as nothing of it changes, so that nothing is made anew.
    return computed(() => {
      mission.tasksVersion.value;
      const path = pathOf(mission.head.value, mission);
      const same =
        path.length === known.length &&
        path.every(
          ({ name, active }, at) => known[at]?.name === name && known[at]?.active === active,
        );
      if (!same) known = path;
      return known;
    });
  }, [mission]);
}

function pathOf(head: HeadFacts, mission: Mission): Passed[] {
  return head.critical.map((name) => {
    const state = mission.task(name)?.state;
    return { name, active: state !== undefined && isActive(state) };
  });
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
  const path = usePath(mission).value;
  const critical = useMemo(() => new Set(path.map(({ name }) => name)), [path]);
  return <TaskTable version={version.value} critical={critical} now={now.value} />;
}

/** The kernel's time, in steps that do not make figures run. */
function useSlowNow(): ReadonlySignal<number> {
  const { ui } = useHere();
  const slow = useSignal(ui.now.peek());
  useSignalEffect(() => {
    const now = ui.now.value;
    if (Math.abs(now - slow.peek()) >= TIMES_EVERY_MS) slow.value = now;
  });
  return slow;
}
