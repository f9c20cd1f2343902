import { type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useHere } from "../here";
import type { Column } from "../parts/heads";
import { State } from "../parts/icon";
import { useMore } from "../parts/more";
import { useOwnId } from "../parts/own-id";
import { Quiet, QuietLine } from "../parts/quiet";
import { Table } from "../parts/table";
import type { TaskSpec } from "../protocol";
import { into } from "../typed";
import { count, grouped, line, shown, TASK_WORDS } from "../words";
import { setAllTicked, setTicked } from "./plan-choice";
import { Contract } from "./plan-contract";
import { ADDING, type PlanDesk } from "./plan-desk";
import { modelOf, type Row } from "./plan-draft";
import { wordsOf } from "./plan-facts";
import { listInWords } from "./plan-save";

const PAGE = 200;
/** Below so many tasks, a field to look for one would only be in the way. */
const FILTER_FROM = 20;
const REFS_AT_MOST = 8;

/** What a tick has brought along, and the task that was ticked. */
interface Told {
  readonly name: string;
  readonly text: string;
}
const NOTHING: Told = { name: "", text: "" };

/** Every task of the plan, a row each; the contract of one opens under its row. */
export function Tasks({ desk }: { desk: PlanDesk }): JSX.Element {
  const { mission, ui } = useHere();
  const begun = useRef(false);
  const adder = useRef<HTMLButtonElement>(null);
  const told = useSignal(NOTHING);
  const headingId = useOwnId();
  useEffect(() => {
    begun.current = true;
  }, []);
  useSignalEffect(() => {
    if (desk.goTo.value !== ADDING) return;
    adder.current?.focus();
    desk.goTo.value = null;
  });
  const picking = desk.mayEdit.value && ui.choice.picking.value;
  const { started_at, forked_from } = mission.facts.value;
  // Of a fork some are done before anything runs.
  const running = started_at !== null || forked_from !== "";
  const rows = desk.rows.value;
  const all = desk.stored.value.tasks;
  const open = openKey(desk, ui.task);
  const found = filtered(rows, desk.filter.value, open);
  // Stays when it is closed: the focus goes back to its name.
  const last = useRef<string | null>(null);
  last.current = open ?? last.current;
  const lastAt = found.findIndex((row) => row.key === last.current);
  const more = useMore(PAGE, lastAt + 1);
  const far = found[lastAt >= more.shown ? lastAt : -1];
  const heads: Column[] = [
    "Task and goal",
    ["Agent", "plan-wide plan-agent"],
    ["Needs", "plan-wide plan-needs"],
    ["Cap", "num"],
  ];
  if (running) heads.splice(1, 0, ["State", "plan-state"]);
  if (picking) heads.unshift([<TickAll desk={desk} told={told} />, "plan-tick"]);
  const drawn = (row: Row): JSX.Element => (
    <TaskRow
      key={row.key}
      desk={desk}
      row={row}
      open={row.key === open}
      picking={picking}
      running={running}
      columns={heads.length}
      told={told}
      begun={begun}
    />
  );
  return (
    <section aria-labelledby={headingId}>
      <div class="plan-lead">
        <h3 class="h" id={headingId}>
          {count(desk.plan.value.tasks.length, "task")}
        </h3>
        <Quiet>
          {picking &&
            `${grouped(all.length - ui.choice.unticked.value.size)} ticked for approval. `}
          Open a task to {desk.editing.value ? "edit" : "read"} its contract.
        </Quiet>
      </div>
      <p class="vh" role="status">
        {told.value.text}
      </p>
      {rows.length >= FILTER_FROM && <Filter desk={desk} found={found.length} />}
      <Table look="plan-table" of={heads} aria-labelledby={headingId}>
        {found.slice(0, more.shown).map(drawn)}
        {far && (
          <tr>
            <td colSpan={heads.length} class="quiet">
              {count(lastAt - more.shown, "task")} in between
            </td>
          </tr>
        )}
        {far && drawn(far)}
      </Table>
      {found.length === 0 && rows.length > 0 && (
        <QuietLine>No task has this in its name, goal or agent.</QuietLine>
      )}
      {more.button(found.length, "task")}
      {desk.editing.value && (
        <p class="plan-acts">
          <button type="button" class="btn" ref={adder} onClick={() => desk.add()}>
            Add a task
          </button>
          <Quiet>Edits make a new revision. The approved one is never changed.</Quiet>
        </p>
      )}
    </section>
  );
}

function openKey(desk: PlanDesk, task: Signal<string | null>): string | null {
  return desk.openAdded.value ?? (task.value === null ? null : `=${task.value}`);
}

/** Rows that a text is found in; the open one stays, because one is at it. */
function filtered(rows: readonly Row[], text: string, open: string | null): readonly Row[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return rows;
  return rows.filter(
    (row) =>
      row.key === open ||
      wanted === `t${row.number}` ||
      [row.now.name, row.now.goal, row.now.agent].some((each) =>
        each?.toLowerCase().includes(wanted),
      ),
  );
}

function Filter({ desk, found }: { desk: PlanDesk; found: number }): JSX.Element {
  const id = useOwnId();
  return (
    <p class="plan-filter">
      <label for={id}>Show tasks with</label>
      <input id={id} type="search" value={desk.filter.value} onInput={into(desk.filter)} />
      <Quiet role="status">
        {desk.filter.value.trim() && `${grouped(found)} of ${grouped(desk.rows.value.length)}`}
      </Quiet>
    </p>
  );
}

interface TickProps {
  desk: PlanDesk;
  told: Signal<Told>;
}

function TickAll({ desk, told }: TickProps): JSX.Element {
  const { choice } = useHere().ui;
  const box = useRef<HTMLInputElement>(null);
  const left = choice.unticked.value.size;
  const all = desk.stored.value.tasks.length;
  useEffect(() => {
    if (box.current) box.current.indeterminate = left > 0 && left < all;
  }, [left, all]);
  return (
    <input
      ref={box}
      type="checkbox"
      aria-label="Approve every task"
      checked={left === 0}
      onChange={(event) => {
        setAllTicked(choice, desk.stored.value, event.currentTarget.checked);
        told.value = NOTHING;
      }}
    />
  );
}

/** Tick or untick one task, and say what goes along with it. */
function tick(
  desk: PlanDesk,
  here: ReturnType<typeof useHere>,
  name: string,
  on: boolean,
): string {
  const { choice } = here.ui;
  const plan = desk.stored.value;
  const before = choice.unticked.value;
  setTicked(choice, plan, name, on);
  const after = choice.unticked.value;
  const along = plan.tasks
    .map((task) => task.name)
    .filter((each) => each !== name && before.has(each) !== after.has(each));
  if (along.length === 0) return "";
  const names = listInWords(along);
  const one = along.length === 1;
  if (on)
    return `${line(name)} needs ${names}, so ${one ? "this is" : "these are"} ticked too.`;
  const result = along.includes(plan.result ?? "")
    ? ` ${line(plan.result ?? "")} was to be the result; what is approved gives its own.`
    : "";
  return `Without ${line(name)}, ${names} ${one ? "falls" : "fall"} away too: ${
    one ? "it needs" : "they need"
  } it.${result}`;
}

interface RowProps {
  desk: PlanDesk;
  row: Row;
  open: boolean;
  picking: boolean;
  running: boolean;
  columns: number;
  told: Signal<Told>;
  begun: { readonly current: boolean };
}

function TaskRow(props: RowProps): JSX.Element {
  const { desk, row, open, picking, running, columns, told, begun } = props;
  const button = useRef<HTMLButtonElement>(null);
  const wrong = useComputed(() => (desk.problemsByRow.value.get(row.key) ?? []).length).value;
  const said = useComputed(() =>
    told.value.name === row.stored?.name ? told.value.text : "",
  ).value;
  const task = row.now;
  return (
    <>
      <tr aria-current={open || undefined} class={row.dropped ? "plan-gone" : undefined}>
        {picking && (
          <td class="plan-tick">
            <Tick {...props} />
          </td>
        )}
        <th scope="row">
          <span class="quiet plan-mono">{row.stored ? `t${row.number}` : "+"}</span>{" "}
          <button
            type="button"
            ref={button}
            class="link name plan-name"
            aria-expanded={open}
            onClick={() => (open ? desk.closeRow() : desk.openRow(row.key))}
          >
            {line(task.name) || "no name yet"}
          </button>
          <Chips row={row} wrong={wrong} />
          {picking && said && (
            <span class="plan-told" aria-hidden="true">
              {said}
            </span>
          )}
          {task.goal && <span class="plan-goal">{shown(task.goal.trim(), 300)}</span>}
          <span class="plan-small">
            {line(task.agent ?? "") || "a Python function"}
            <ModelOf task={task} />; needs <Needs desk={desk} row={row} />
          </span>
        </th>
        {running && (
          <td class="plan-state">
            <StateOf name={task.name} />
          </td>
        )}
        <td class="plan-wide">
          {task.agent ? line(task.agent) : <Quiet>none, Python</Quiet>}
          <ModelOf task={task} />
        </td>
        <td class="plan-wide plan-mono">
          <Needs desk={desk} row={row} />
        </td>
        <td class="num">
          {line(wordsOf(desk, row, "cap_cost")) || "no cap"}
          <br />
          {line(wordsOf(desk, row, "timeout_s"))}
        </td>
      </tr>
      {open && (
        <tr class="plan-open">
          <td colSpan={columns}>
            <Contract
              desk={desk}
              row={row}
              takesFocus={begun.current}
              onClose={() => {
                desk.closeRow();
                button.current?.focus();
              }}
            />
          </td>
        </tr>
      )}
    </>
  );
}

function Tick({ desk, row, told }: RowProps): JSX.Element | null {
  const here = useHere();
  const name = row.stored?.name ?? "";
  const on = useComputed(() => !here.ui.choice.unticked.value.has(name)).value;
  if (!row.stored) return null;
  return (
    <input
      type="checkbox"
      aria-label={`Approve ${line(name)}`}
      checked={on}
      onChange={(event) => {
        told.value = { name, text: tick(desk, here, name, event.currentTarget.checked) };
      }}
    />
  );
}

function Chips({ row, wrong }: { row: Row; wrong: number }): JSX.Element {
  const { stored, now, dropped } = row;
  const said = stored === null ? "new" : dropped ? "left out" : now !== stored ? "changed" : "";
  return (
    <>
      {said && <span class="plan-chip">{said}</span>}
      {wrong > 0 && <span class="plan-chip plan-bad">{count(wrong, "problem")}</span>}
    </>
  );
}

/** ` with gpt-6`, where a model does it. */
function ModelOf({ task }: { task: TaskSpec }): JSX.Element | null {
  const model = modelOf(task);
  return model ? (
    <Quiet>
      {" "}
      with <code>{line(model)}</code>
    </Quiet>
  ) : null;
}

function Needs({ desk, row }: { desk: PlanDesk; row: Row }): JSX.Element {
  const needs = row.now.needs ?? [];
  if (needs.length === 0) return <Quiet>none</Quiet>;
  const rows = desk.byName.value;
  const refs = needs.slice(0, REFS_AT_MOST).map((need) => {
    const needed = rows.get(need);
    return needed?.stored ? `t${needed.number}` : line(need, 60);
  });
  const rest = needs.length - refs.length;
  return (
    <>
      {refs.join(", ")}
      {rest > 0 && ` and ${grouped(rest)} more`}
    </>
  );
}

function StateOf({ name }: { name: string }): JSX.Element {
  const { mission } = useHere();
  const state = useComputed(() => {
    mission.tasksVersion.value;
    return mission.task(name)?.state ?? "pending";
  }).value;
  return <State of={TASK_WORDS[state]} />;
}
