import "./decision.css";
import type { JSX } from "preact";
import { useHere } from "../here";
import { ActionButton } from "../parts/action";
import { Facts } from "../parts/facts";
import { Icon } from "../parts/icon";
import { Said } from "../parts/phrase";
import type { Action, Decision as Decided, PlanSpec, Problem } from "../protocol";
import { openTask } from "../ui";
import { count, grouped, line, shown, TASK_WORDS } from "../words";
import { endPicking, tickedIn } from "./plan-choice";

const ASKS = TASK_WORDS.awaiting_approval;
const WRONG = TASK_WORDS.failed;
const PROBLEMS_SHOWN = 10;
const NAMED_IN_TWIN = 6;

/** What a person allows by saying yes, what to expect, and the buttons; null after that. */
export function Decision(): JSX.Element | null {
  const { decision } = useHere().mission.head.value;
  if (decision === null) return null;
  return (
    <section class="block ask decision" aria-label="Your decision">
      <h4 class="h">
        <Icon shape={ASKS.shape} role={ASKS.role} /> Your decision
      </h4>
      <div class="two">
        <div>
          <h5>What you allow</h5>
          <Facts facts={decision.allow} />
        </div>
        <div>
          <h5>What to expect</h5>
          <Facts facts={decision.expect} />
        </div>
      </div>
      {decision.notes.map((note, place) => (
        <p class="note" key={place}>
          <Said phrase={note} />
        </p>
      ))}
      <Problems problems={decision.problems} />
      <Buttons decision={decision} />
      <p class="quiet record">
        <Said phrase={decision.record} />
      </p>
    </section>
  );
}

function Problems({ problems }: { problems: readonly Problem[] }): JSX.Element | null {
  const { ui } = useHere();
  if (problems.length === 0) return null;
  const more = problems.length - PROBLEMS_SHOWN;
  return (
    <div class="problems">
      <p>
        <Icon shape={WRONG.shape} role={WRONG.role} />{" "}
        <b>{count(problems.length, "problem")} to fix first</b>
      </p>
      <ul>
        {problems.slice(0, PROBLEMS_SHOWN).map((problem) => (
          <li key={`${problem.task} ${problem.field} ${problem.text}`}>
            {problem.task ? (
              <button
                type="button"
                class="link"
                onClick={() => {
                  ui.choice.editing.value = true;
                  openTask(ui, problem.task);
                }}
              >
                {line(problem.task, 80)}: {shown(problem.text)}
              </button>
            ) : (
              shown(problem.text)
            )}
          </li>
        ))}
      </ul>
      {more > 0 && <p class="quiet">And {grouped(more)} more.</p>}
    </div>
  );
}

function Buttons({ decision }: { decision: Decided }): JSX.Element {
  const { mission, link, ui } = useHere();
  const { picking, dirty, whole } = ui.choice;
  const plan = mission.plan.value;
  const { actions } = mission.head.value;
  const { at_once, why } = mission.clicks.value;
  const approve = actions.find((action) => action.verb === "approve");
  const reject = actions.find((action) => action.verb === "reject");
  const held = decision.problems.length > 0 || dirty.value;
  return (
    <>
      <div class="acts">
        {approve &&
          (picking.value && plan ? (
            <ApprovePart approve={approve} plan={plan} held={held} />
          ) : (
            <>
              <ActionButton key="all" action={approve} link={link} disabled={held} />
              {mission.head.value.total > 1 && <PickButton />}
            </>
          ))}
        {plan && <EditButton plan={plan} />}
        {reject && <ActionButton key="reject" action={reject} link={link} />}
      </div>
      {picking.value && whole.value && (
        <p class="note">Untick in the table below what is not to run. All are ticked now.</p>
      )}
      {dirty.value && (
        <p class="note">
          Some edits are not saved. Save them as a new revision or undo them; then you can
          approve.
        </p>
      )}
      {!at_once && why && <p class="quiet why">{shown(why)}</p>}
    </>
  );
}

interface PartProps {
  approve: Action;
  plan: PlanSpec;
  held: boolean;
}

/** The buttons while a part of the plan is chosen by its ticks. */
function ApprovePart({ approve, plan, held }: PartProps): JSX.Element {
  const { mission, link, ui } = useHere();
  const ticked = tickedIn(ui.choice, plan);
  const all = ticked.length === plan.tasks.length;
  const left = plan.tasks.length - ticked.length;
  const action: Action = {
    ...approve,
    label: all
      ? approve.label
      : `Approve ${grouped(ticked.length)} of ${count(plan.tasks.length, "task")}`,
    args: all ? approve.args : { ...approve.args, tasks: ticked },
    twin: all ? approve.twin : twinOf(mission.facts.value.short_id, ticked),
  };
  return (
    <>
      <ActionButton
        key="part"
        action={action}
        link={link}
        disabled={held || ticked.length === 0}
        onDone={() => endPicking(ui.choice)}
      />
      <button type="button" class="btn" onClick={() => endPicking(ui.choice)}>
        Stop choosing
      </button>
      {left > 0 && (
        <p class="note picked" role="status">
          {ticked.length === 0
            ? "Nothing is ticked, so there is nothing to approve."
            : `${count(left, "task")} will not run: ${
                left === 1 ? "it is" : "they are"
              } left out in a new revision, which is what you approve.`}
        </p>
      )}
    </>
  );
}

function twinOf(mission: string, ticked: readonly string[]): string {
  const more = ticked.length > NAMED_IN_TWIN ? " …" : "";
  return `%hyper approve ${mission} ${ticked.slice(0, NAMED_IN_TWIN).join(" ")}${more}`;
}

function PickButton(): JSX.Element {
  const { ui, link } = useHere();
  return (
    <button
      type="button"
      class="btn"
      disabled={link.liveness.value !== "live"}
      onClick={() => {
        ui.choice.picking.value = true;
      }}
    >
      Approve some…
    </button>
  );
}

function EditButton({ plan }: { plan: PlanSpec }): JSX.Element {
  const { mission, ui, link } = useHere();
  const { editing, dirty } = ui.choice;
  const begin = (): void => {
    editing.value = true;
    const wrong = mission.head.value.decision?.problems.find((problem) => problem.task);
    const first = ui.task.value ?? wrong?.task ?? plan.tasks[0]?.name;
    if (first) openTask(ui, first);
  };
  return (
    <button
      type="button"
      class="btn"
      aria-pressed={editing.value}
      disabled={link.liveness.value !== "live" || dirty.value}
      onClick={() => {
        if (editing.value) editing.value = false;
        else begin();
      }}
    >
      Edit
    </button>
  );
}
