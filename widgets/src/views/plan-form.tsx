import type { JSX } from "preact";
import { useHere } from "../here";
import type { TaskSpec } from "../protocol";
import type { PlanDesk } from "./plan-desk";
import { type Row, same, toolsOf, withTools } from "./plan-draft";
import { argumentsOf, Facts, otherTerms } from "./plan-facts";
import { ChoiceField, TextField, TicksField } from "./plan-field";
import {
  DEFAULT_TIMEOUT_S,
  listText,
  minutesText,
  ON_FAILURE,
  readDollars,
  readList,
  readMinutes,
  readWhole,
} from "./plan-values";

interface Props {
  desk: PlanDesk;
  row: Row;
}

const asText = (text: string): { value: string } => ({ value: text });
const itself = (text: string): string => text;

/** Every field of a task that a person may change. */
export function ContractForm({ desk, row }: Props): JSX.Element {
  const task = row.now;
  const put = (values: Partial<TaskSpec>): void => desk.edit(row, values);
  const common = { desk, row };
  return (
    <div class="plan-form">
      {row.stored === null && (
        <TextField
          {...common}
          field="name"
          label="Name"
          hint="Short and unique; others need it by this name."
          mono
          value={task.name}
          toText={itself}
          read={asText}
          onValue={(name) => put({ name })}
        />
      )}
      <TextField
        {...common}
        field="goal"
        label="Goal"
        lines={2}
        value={task.goal ?? ""}
        toText={itself}
        read={asText}
        onValue={(goal) => put({ goal })}
      />
      <AgentField {...common} />
      <NeedsField {...common} />
      <ToolsField {...common} />
      <Lists {...common} />
      <TextField
        {...common}
        field="check"
        label="Check (when it counts as done)"
        empty="none"
        mono
        value={task.check ?? ""}
        toText={itself}
        read={asText}
        onValue={(check) => put({ check })}
      />
      <Caps {...common} />
      <ChoiceField
        {...common}
        field="on_failure"
        label="If it fails"
        wide="half"
        value={task.on_failure ?? "stop"}
        options={ON_FAILURE}
        onValue={(value) => put({ on_failure: value as NonNullable<TaskSpec["on_failure"]> })}
      />
      <Fixed task={task} />
    </div>
  );
}

function AgentField({ desk, row }: Props): JSX.Element {
  const { mission } = useHere();
  const agents = mission.agents.map((agent) => [agent.name, agent.name] as const);
  const mayBeNone = row.now.work.kind === "python" || !row.now.agent;
  return (
    <ChoiceField
      desk={desk}
      row={row}
      field="agent"
      label="Agent"
      wide="half"
      hint={mission.agents.find((agent) => agent.name === row.now.agent)?.role}
      value={row.now.agent ?? ""}
      options={mayBeNone ? [["", "none"], ...agents] : agents}
      onValue={(agent) => desk.edit(row, { agent })}
    />
  );
}

function NeedsField({ desk, row }: Props): JSX.Element {
  const names = desk.byName.value;
  const byRef = (ref: string): string => {
    if (names.has(ref) || !/^t\d+$/.test(ref)) return ref;
    return desk.rows.value[Number(ref.slice(1)) - 1]?.now.name ?? ref;
  };
  function* others(): Iterable<string> {
    for (const each of desk.rows.value) {
      if (each.key !== row.key && !each.dropped) yield each.now.name;
    }
  }
  return (
    <TextField
      desk={desk}
      row={row}
      field="needs"
      label="Needs"
      wide="half"
      hint="Names of tasks, with commas between them."
      empty="none: it can start at once"
      mono
      names={others}
      value={row.now.needs ?? []}
      toText={listText}
      read={(text) => ({ value: readList(text, new Set(names.keys())).map(byRef) })}
      onValue={(needs) => desk.edit(row, { needs })}
    />
  );
}

function ToolsField({ desk, row }: Props): JSX.Element | null {
  const { mission } = useHere();
  const { work } = row.now;
  if (work.kind === "python") return null;
  const put = (tools: string[]): void => {
    const stored = row.stored?.work;
    const asStored =
      stored?.kind !== "python" &&
      row.stored !== null &&
      same([...tools].sort(), [...toolsOf(row.stored)].sort());
    desk.edit(row, { work: asStored && stored ? stored : withTools(work, tools) });
  };
  return (
    <TicksField
      desk={desk}
      row={row}
      field="tools"
      label="Tools"
      hint={row.stored ? undefined : "With none, it gets those of its agent's role card."}
      all={mission.tools}
      ticked={toolsOf(row.now)}
      onValue={put}
    />
  );
}

function Lists({ desk, row }: Props): JSX.Element {
  const read = (known: readonly string[] | undefined) => (text: string) => ({
    value: readList(text, new Set(known)),
  });
  return (
    <>
      <TextField
        desk={desk}
        row={row}
        field="scope"
        label="Scope (files it may read)"
        wide="two-thirds"
        empty="that of the plan"
        mono
        value={row.now.scope ?? []}
        toText={listText}
        read={read(row.stored?.scope)}
        onValue={(scope) => desk.edit(row, { scope })}
      />
      <TextField
        desk={desk}
        row={row}
        field="hosts"
        label="Hosts"
        wide="third"
        empty="none"
        mono
        value={row.now.hosts ?? []}
        toText={listText}
        read={read(row.stored?.hosts)}
        onValue={(hosts) => desk.edit(row, { hosts })}
      />
    </>
  );
}

function Caps({ desk, row }: Props): JSX.Element {
  return (
    <>
      <TextField<number | null>
        desk={desk}
        row={row}
        field="cap_cost"
        label="Cap on cost, $"
        wide="third"
        empty="no cap"
        value={row.now.cap_cost ?? null}
        toText={(cost) => (cost === null ? "" : String(cost))}
        read={readDollars}
        onValue={(cap_cost) => desk.edit(row, { cap_cost })}
      />
      <TextField
        desk={desk}
        row={row}
        field="timeout_s"
        label="Cap on time, min"
        hint="For each attempt; 1:30 is 1 min 30 s."
        wide="third"
        value={row.now.timeout_s ?? DEFAULT_TIMEOUT_S}
        toText={minutesText}
        read={readMinutes}
        onValue={(timeout_s) => desk.edit(row, { timeout_s })}
      />
      <TextField
        desk={desk}
        row={row}
        field="attempts"
        label="Attempts"
        wide="third"
        value={row.now.attempts ?? 1}
        toText={String}
        read={readWhole}
        onValue={(attempts) => desk.edit(row, { attempts })}
      />
    </>
  );
}

/** Terms that stand in the contract and are not changed here. */
function Fixed({ task }: { task: TaskSpec }): JSX.Element | null {
  const rows = [...argumentsOf(task), ...otherTerms(task)];
  if (rows.length === 0) return null;
  return <Facts rows={rows} />;
}
