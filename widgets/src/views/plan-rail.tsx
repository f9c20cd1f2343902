import type { ComponentChildren, JSX } from "preact";
import { SmallGraph } from "../graph/small-graph";
import { useHere } from "../here";
import { useOwnId } from "../parts/own-id";
import { Said } from "../parts/phrase";
import { QuietLine } from "../parts/quiet";
import type { Changed, Difference } from "../protocol";
import { count, line, shown } from "../words";
import type { PlanDesk } from "./plan-desk";

/** What stands beside the table: the plan as a drawing, what has changed, what follows. */
export function Rail({ desk }: { desk: PlanDesk }): JSX.Element {
  return (
    <div class="plan-rail">
      <Drawing desk={desk} />
      <Changes desk={desk} />
      <Steps />
    </div>
  );
}

interface TitledProps {
  title: ComponentChildren;
  children: ComponentChildren;
}

function Titled({ title, children }: TitledProps): JSX.Element {
  const id = useOwnId();
  return (
    <section aria-labelledby={id}>
      <h3 class="h" id={id}>
        {title}
      </h3>
      {children}
    </section>
  );
}

function Drawing({ desk }: { desk: PlanDesk }): JSX.Element {
  const { mission, ui } = useHere();
  const names = desk.byName.value;
  const { critical, critical_says } = mission.head.value;
  return (
    <Titled title="Plan, from start to end">
      <SmallGraph
        plan={desk.drawn.value}
        critical={critical.filter((name) => names.has(name))}
        says={critical_says}
        marked={ui.task.value}
        onOpen={(name) => desk.openRow(names.get(name)?.key ?? `=${name}`)}
      />
    </Titled>
  );
}

function Changes({ desk }: { desk: PlanDesk }): JSX.Element | null {
  const { mission, ui } = useHere();
  const difference = desk.difference.value;
  const isDraft = desk.dirty.value;
  if (!isDraft && difference === null) return null;
  // Whoever made the revision, its changes are to be looked at.
  const isOwn = isDraft || difference?.to_revision === ui.choice.saved.value;
  const from = isDraft ? mission.facts.value.revision : difference?.from_revision;
  return (
    <Titled title={`${isOwn ? "Your changes" : "Changes"} to revision ${from}`}>
      {isDraft && <QuietLine>Not saved yet.</QuietLine>}
      {difference ? (
        <ChangesList desk={desk} difference={difference} />
      ) : (
        <QuietLine>
          {desk.refusal.value ? "They could not be compared." : "They are being compared."}
        </QuietLine>
      )}
    </Titled>
  );
}

const TASKS_AT_MOST = 40;

function ChangesList({
  desk,
  difference,
}: {
  desk: PlanDesk;
  difference: Difference;
}): JSX.Element {
  const byTask = new Map<string, Changed[]>();
  for (const change of difference.changed.filter(isTold))
    byTask.set(change.task, [...(byTask.get(change.task) ?? []), change]);
  const all = [...byTask];
  const rest = all.length - TASKS_AT_MOST;
  return (
    <>
      <ul class="plan-changes">
        {all.slice(0, TASKS_AT_MOST).map(([task, changes]) => (
          <li key={task}>
            <NameOf desk={desk} task={task} />
            {changes.map((change) => (
              <ChangeLine key={change.field} {...change} />
            ))}
          </li>
        ))}
        <NamesChanged desk={desk} names={difference.added} sign="+" said="new" />
        <NamesChanged desk={desk} names={difference.removed} sign="−" said="left out" />
      </ul>
      {rest > 0 && (
        <QuietLine>And {count(rest, "more task has", "more tasks have")} changed.</QuietLine>
      )}
      <QuietLine>
        {difference.same === 0
          ? "No task is as it was."
          : `The other ${count(difference.same, "task is", "tasks are")} as before.`}
      </QuietLine>
    </>
  );
}

/** What nobody edits follows from the rest, as notes do. */
const isTold = ({ field }: Changed): boolean => !UNTOLD.has(field);
const UNTOLD: ReadonlySet<string> = new Set(["notes", "planned_by", "playbook"]);

function NameOf({ desk, task }: { desk: PlanDesk; task: string }): JSX.Element {
  const row = desk.byName.value.get(task);
  if (task === "") return <b>The plan itself</b>;
  return (
    <span>
      {row?.stored && `t${row.number} `}
      <b>{line(task)}</b>
    </span>
  );
}

interface NamesProps {
  desk: PlanDesk;
  names: readonly string[];
  sign: string;
  said: string;
}

function NamesChanged({ desk, names, sign, said }: NamesProps): JSX.Element | null {
  if (names.length === 0) return null;
  const rest = names.length - TASKS_AT_MOST;
  return (
    <>
      {names.slice(0, TASKS_AT_MOST).map((name) => (
        <li key={name}>
          {sign} <NameOf desk={desk} task={name} /> is {said}
        </li>
      ))}
      {rest > 0 && (
        <li>
          {sign} {count(rest, "more is", "more are")} {said}
        </li>
      )}
    </>
  );
}

/** One field: only what is other than before is marked, by strokes and in words. */
function ChangeLine({ label, old, new: now, kept: [before, after] }: Changed): JSX.Element {
  const between = (text: string): string =>
    text.slice(before.length, text.length - after.length).trim();
  const was = between(old);
  const is = between(now);
  return (
    <span class="plan-change">
      {line(label)}: {shown(before, 300)}
      {was && (
        <>
          <span class="vh">was </span>
          <del>{shown(was, 300)}</del>{" "}
        </>
      )}
      {is ? (
        <>
          <span class="vh">is now </span>
          <ins>{shown(is, 300)}</ins>
        </>
      ) : (
        <span class="vh">is gone</span>
      )}
      {after && ` ${shown(after, 300)}`}
    </span>
  );
}

function Steps(): JSX.Element | null {
  const { mission, ui } = useHere();
  const { picking, whole } = ui.choice;
  const { decision } = mission.head.value;
  const told = picking.value && !whole.value ? decision?.part : decision;
  if (!told?.steps.length) return null;
  return (
    <Titled title="If you approve">
      <ol class="plan-steps">
        {told.steps.map((step, index) => (
          <li key={`${index} ${step.length}`}>
            <span>
              <Said phrase={step} />
            </span>
          </li>
        ))}
      </ol>
    </Titled>
  );
}
