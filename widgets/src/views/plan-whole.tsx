import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { Button } from "../parts/button";
import type { PlanSpec } from "../protocol";
import { duration, line, money } from "../words";
import { CommentField, Comments } from "./plan-comment";
import { type PlanDesk, WHOLE } from "./plan-desk";
import type { PlanFields } from "./plan-draft";
import { type FactRow, Facts } from "./plan-facts";
import { ChoiceField, TextField, Wrong } from "./plan-field";
import { SaveButton } from "./plan-save";
import {
  DEFAULT_CONCURRENCY,
  DEFAULT_PRIORITY,
  listText,
  minutesText,
  orNothing,
  readDollars,
  readList,
  readMinutes,
  readWhole,
} from "./plan-values";

const FIELDS: ReadonlySet<string> = new Set([
  "scope",
  "hosts",
  "budget",
  "deadline_s",
  "concurrency",
  "agent_concurrency",
  "priority",
  "result",
]);

/** The contract of the plan as a whole, folded until one wants it. */
export function Whole({ desk }: { desk: PlanDesk }): JSX.Element {
  const box = useRef<HTMLDetailsElement>(null);
  const changes = Object.keys(desk.draft.value.plan).length;
  const problems = desk.problemsByRow.value.get(WHOLE) ?? [];
  const others = problems.filter(({ field }) => !desk.editing.value || !FIELDS.has(field));
  useSignalEffect(() => {
    const place = desk.goTo.value;
    if (place?.key !== WHOLE || !box.current) return;
    box.current.open = true;
    if (FIELDS.has(place.field)) return; // the field takes it from here
    box.current.querySelector("summary")?.focus();
    desk.goTo.value = null;
  });
  return (
    <details class="plan-whole" ref={box}>
      <summary>
        <h3>The whole plan</h3>
        <span class="quiet">{summaryOf(desk.plan.value)}</span>
        {changes > 0 && <span class="plan-chip">changed</span>}
        {problems.length > 0 && <span class="plan-chip plan-bad">problem</span>}
      </summary>
      {others.map((problem) => (
        <Wrong
          key={`${problem.field} ${problem.text}`}
          desk={desk}
          row={null}
          problem={problem}
          onDone={() => box.current?.querySelector("summary")?.focus()}
        />
      ))}
      {desk.editing.value ? (
        <WholeForm desk={desk} />
      ) : (
        <Facts rows={factsOf(desk.plan.value)} />
      )}
      <Facts rows={fixedOf(desk)} />
      <Comments task="" />
      {desk.mayEdit.value && <CommentField desk={desk} task="" />}
    </details>
  );
}

function summaryOf(plan: PlanSpec): string {
  const cost = plan.budget == null ? "no budget" : `at most ${money(plan.budget)}`;
  const time = plan.deadline_s == null ? "no deadline" : `at most ${duration(plan.deadline_s)}`;
  return `${cost}, ${time}, up to ${plan.concurrency ?? DEFAULT_CONCURRENCY} at once`;
}

function factsOf(plan: PlanSpec): FactRow[] {
  const listed = (label: string, list: readonly string[] | undefined, none: string): FactRow =>
    list && list.length > 0 ? [label, list.join(", "), "code"] : [label, none];
  return [
    listed("Scope", plan.scope, "the whole folder"),
    listed("Hosts", plan.hosts, "none"),
    ["Budget", plan.budget == null ? "none: no limit on cost" : money(plan.budget)],
    ["Deadline", plan.deadline_s == null ? "none" : duration(plan.deadline_s)],
    ["At once", `up to ${plan.concurrency ?? DEFAULT_CONCURRENCY} tasks`],
    [
      "Of one agent",
      plan.agent_concurrency == null
        ? "as many as at once"
        : `up to ${plan.agent_concurrency} tasks`,
    ],
    ["Priority", `${plan.priority ?? DEFAULT_PRIORITY}; higher starts first`],
    plan.result
      ? ["Result", plan.result, "code"]
      : ["Result", "what the tasks give that no other needs"],
  ];
}

/** What nobody edits: where it comes from, and what an approval is bound to. */
function fixedOf(desk: PlanDesk): FactRow[] {
  const plan = desk.stored.value;
  const { revision, plan_hash } = desk.mission.facts.value;
  const inputs = Object.keys(plan.inputs ?? {});
  return [
    ...(plan.root ? [["Folder", plan.root, "code"] as const] : []),
    ...(inputs.length > 0 ? [["Inputs", inputs.join(", "), "code"] as const] : []),
    ...(plan.planned_by ? [["Planned by", plan.planned_by] as const] : []),
    ["Revision", `${revision}, hash ${plan_hash.slice(0, 8)}`],
  ];
}

const RESULTS_AT_MOST = 300;

function WholeForm({ desk }: { desk: PlanDesk }): JSX.Element {
  const plan = desk.plan.value;
  const stored = desk.stored.value;
  const put = (values: Partial<PlanFields>): void => desk.editPlan(values);
  const common = { desk, row: null };
  const list = (known: readonly string[] | undefined) => (text: string) => ({
    value: readList(text, new Set(known)),
  });
  const names = plan.tasks.slice(0, RESULTS_AT_MOST).map((task) => task.name);
  return (
    <div class="plan-form">
      <TextField
        {...common}
        field="scope"
        label="Scope (files the mission may read)"
        wide="two-thirds"
        empty="the whole folder"
        mono
        value={plan.scope ?? []}
        toText={listText}
        read={list(stored.scope)}
        onValue={(scope) => put({ scope })}
      />
      <TextField
        {...common}
        field="hosts"
        label="Hosts"
        wide="third"
        empty="none"
        mono
        value={plan.hosts ?? []}
        toText={listText}
        read={list(stored.hosts)}
        onValue={(hosts) => put({ hosts })}
      />
      <TextField<number | null>
        {...common}
        field="budget"
        label="Budget, $"
        wide="third"
        empty="no limit"
        value={plan.budget ?? null}
        toText={(budget) => (budget === null ? "" : String(budget))}
        read={readDollars}
        onValue={(budget) => put({ budget })}
      />
      <TextField<number | null>
        {...common}
        field="deadline_s"
        label="Deadline, min"
        hint="From the start of the mission."
        wide="third"
        empty="none"
        value={plan.deadline_s ?? null}
        toText={(seconds) => (seconds === null ? "" : minutesText(seconds))}
        read={orNothing(readMinutes)}
        onValue={(deadline_s) => put({ deadline_s })}
      />
      <TextField
        {...common}
        field="concurrency"
        label="At once"
        hint="Tasks that may run together."
        wide="third"
        value={plan.concurrency ?? DEFAULT_CONCURRENCY}
        toText={String}
        read={readWhole}
        onValue={(concurrency) => put({ concurrency })}
      />
      <TextField<number | null>
        {...common}
        field="agent_concurrency"
        label="At once for one agent"
        wide="third"
        empty="no limit of its own"
        value={plan.agent_concurrency ?? null}
        toText={(most) => (most === null ? "" : String(most))}
        read={orNothing(readWhole)}
        onValue={(agent_concurrency) => put({ agent_concurrency })}
      />
      <TextField
        {...common}
        field="priority"
        label="Priority"
        hint="0 to 100; higher starts first."
        wide="third"
        value={plan.priority ?? DEFAULT_PRIORITY}
        toText={String}
        read={readWhole}
        onValue={(priority) => put({ priority })}
      />
      <ChoiceField
        {...common}
        field="result"
        label="Result"
        wide="third"
        value={plan.result ?? ""}
        options={[
          ["", "what no other task needs"],
          ...names.map((name) => [name, line(name)] as const),
        ]}
        onValue={(result) => put({ result })}
      />
      <div class="plan-acts">
        <SaveButton desk={desk} onDone={() => undefined} />
        <Button
          disabled={Object.keys(desk.draft.value.plan).length === 0}
          onClick={() => desk.undoPlan()}
        >
          Undo these edits
        </Button>
      </div>
    </div>
  );
}
