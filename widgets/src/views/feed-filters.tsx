import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { agentName, crewOf } from "../crew";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { Options } from "../parts/options";
import { useOwnId } from "../parts/own-id";
import { count, line } from "../words";
import { type Filter, HEARTBEAT } from "./feed-filter";

/** A longer list of tasks is typed into rather than opened. */
const LIST_AT_MOST = 50;
const OFFERED = 100;

interface Props {
  filter: Signal<Filter>;
  paused: boolean;
  onPause: () => void;
}

/** What narrows the feed down, and what holds it. */
export function Filters({ filter, paused, onPause }: Props): JSX.Element {
  const id = useOwnId();
  const set = (change: Partial<Filter>): void => {
    filter.value = { ...filter.peek(), ...change };
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to every front end.
    <form
      class="fd-filters"
      role="search"
      aria-label="Filter the feed"
      onSubmit={(event) => event.preventDefault()}
    >
      <div class="fd-text">
        <label for={`${id}-text`}>Text</label>
        <input
          id={`${id}-text`}
          type="search"
          autocomplete="off"
          value={filter.value.text}
          onInput={(event) => set({ text: event.currentTarget.value })}
        />
      </div>
      <AgentField id={`${id}-agent`} filter={filter} set={set} />
      <TaskField id={`${id}-task`} filter={filter} set={set} />
      <KindField id={`${id}-kind`} filter={filter} set={set} />
      <div>
        <Button onClick={onPause}>{paused ? "Go on" : "Pause feed"}</Button>
      </div>
    </form>
  );
}

interface FieldProps {
  id: string;
  filter: Signal<Filter>;
  set: (change: Partial<Filter>) => void;
}

function AgentField({ id, filter, set }: FieldProps): JSX.Element {
  const { mission } = useHere();
  const plan = mission.plan.value;
  const agents = useMemo(() => crewOf(mission), [mission, plan]);
  const chosen = filter.value.agent;
  return (
    <Choice
      id={id}
      label="Agent"
      all={`all ${agents.length}`}
      options={agents.map((agent) => [`=${agent}`, agentName(agent)])}
      chosen={chosen === null ? "" : `=${chosen}`}
      choose={(value) => set({ agent: value === "" ? null : value.slice(1) })}
    />
  );
}

function TaskField({ id, filter, set }: FieldProps): JSX.Element {
  const { mission } = useHere();
  const plan = mission.plan.value;
  const tasks = useMemo(() => plan?.tasks.map((task) => task.name) ?? [], [plan]);
  if (tasks.length > LIST_AT_MOST) {
    return <TypedTask id={id} tasks={tasks} filter={filter} set={set} />;
  }
  return (
    <Choice
      id={id}
      label="Task"
      all={`all ${tasks.length}`}
      options={tasks.map((task) => [task, line(task, 80)])}
      chosen={filter.value.task}
      choose={(task) => set({ task })}
    />
  );
}

/** Filters once a task's whole name stands in the field; until then it offers names. */
function TypedTask({
  id,
  tasks,
  filter,
  set,
}: FieldProps & { tasks: readonly string[] }): JSX.Element {
  const typed = useSignal(filter.peek().task);
  const unknown = useSignal(false);
  const names = useMemo(() => new Set(tasks), [tasks]);
  const offered = useMemo(
    () => tasks.filter((task) => task.includes(typed.value)).slice(0, OFFERED),
    [tasks, typed.value],
  );
  return (
    <div>
      <label for={id}>Task</label>
      <input
        id={id}
        type="text"
        list={`${id}-names`}
        autocomplete="off"
        placeholder={`all ${count(tasks.length, "task")}`}
        aria-describedby={unknown.value ? `${id}-said` : undefined}
        value={typed.value}
        onInput={(event) => {
          typed.value = event.currentTarget.value.trim();
          unknown.value = false;
          set({ task: names.has(typed.value) ? typed.value : "" });
        }}
        onChange={() => {
          unknown.value = typed.value !== "" && !names.has(typed.value);
        }}
      />
      <datalist id={`${id}-names`}>
        {offered.map((task) => (
          <option key={task} value={task} />
        ))}
      </datalist>
      {unknown.value && (
        <span class="fd-said" id={`${id}-said`} role="status">
          No task is called that. All are shown.
        </span>
      )}
    </div>
  );
}

function KindField({ id, filter, set }: FieldProps): JSX.Element {
  const { log } = useHere().mission;
  void log.version.value;
  const kinds = [...new Set([HEARTBEAT, ...log.kinds])].sort();
  return (
    <Choice
      id={id}
      label="Kind"
      all="all but heartbeats"
      options={kinds.map((kind) => [kind, line(kind, 60)])}
      chosen={filter.value.kind}
      choose={(kind) => set({ kind })}
    />
  );
}

interface ChoiceProps {
  id: string;
  label: string;
  /** What is said where nothing is chosen. */
  all: string;
  options: readonly (readonly [value: string, said: string])[];
  chosen: string;
  choose: (value: string) => void;
}

function Choice({ id, label, all, options, chosen, choose }: ChoiceProps): JSX.Element {
  return (
    <div>
      <label for={id}>{label}</label>
      <select id={id} value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        <Options of={[["", all], ...options]} />
      </select>
    </div>
  );
}
