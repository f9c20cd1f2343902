import "./decision.css";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useHere } from "../here";
import { useLostFocus } from "../lost-focus";
import { ActionButton } from "../parts/action";
import { Button } from "../parts/button";
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
const PART_RECORD =
  "Approving a part makes a new revision with only the ticked tasks and records that one, its " +
  "hash, your name and the time. You can pause or cancel later. What lies outside of it is " +
  "refused.";

/** What a person allows by saying yes, what to expect, and the buttons; null after that. */
export function Decision(): JSX.Element | null {
  const { decision } = useHere().mission.head.value;
  return decision && <Asked decision={decision} />;
}

function Asked({ decision }: { decision: Decided }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const { picking, whole } = useHere().ui.choice;
  return (
    <section class="block ask decision" aria-label="Your decision">
      <h4 class="h" ref={heading} tabIndex={-1}>
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
      <Buttons decision={decision} heading={heading} />
      <p class="quiet record">
        {picking.value && !whole.value ? PART_RECORD : <Said phrase={decision.record} />}
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

interface ButtonsProps {
  decision: Decided;
  /** Takes the focus when a button goes that had it. */
  heading: { readonly current: HTMLElement | null };
}

function Buttons({ decision, heading }: ButtonsProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const isLost = useLostFocus(box);
  const { approved } = useHere().ui.choice;
  const seen = useSeen();
  const given = approved.value !== "";
  useLayoutEffect(() => {
    if (isLost()) heading.current?.focus();
  }, [seen, given]);
  return (
    <div ref={box}>
      {given ? (
        <p class="note" role="status">
          <b>The approval is given.</b> The mission starts in a moment.
        </p>
      ) : (
        <>
          <Choices decision={decision} seen={seen} />
          {!seen && <Overtaken heading={heading} />}
        </>
      )}
    </div>
  );
}

/**
 * Whether the plan that would be approved is the one that the person has looked at: the first
 * that was shown, one saved from this view, or one that was said to be seen.
 */
function useSeen(): boolean {
  const { mission, ui } = useHere();
  const { seen, saved, saving } = ui.choice;
  const { plan_hash, revision } = mission.facts.value;
  const own = seen.value === "" || saved.value === revision;
  useLayoutEffect(() => {
    if (own) seen.value = plan_hash;
  }, [own, plan_hash]);
  // The revision may be here before the answer that it is this view's own.
  return own || saving.value || seen.value === plan_hash;
}

/** Says that the plan is another one by now, and asks for a look at it. */
function Overtaken({ heading }: Pick<ButtonsProps, "heading">): JSX.Element {
  const { mission, ui } = useHere();
  const { revision } = mission.facts.value;
  const said = `Revision ${revision} has come meanwhile, and not from this view.`;
  useLayoutEffect(() => {
    ui.said.value = `${said} Look at what changed, then approve.`;
  }, [said]);
  return (
    <div class="overtaken">
      <p>
        <b>{said}</b> Look at what changed, then approve.
      </p>
      <Button
        onClick={() => {
          // Not the button: a second press must not approve what was only just said to be seen.
          heading.current?.focus();
          ui.choice.seen.value = mission.facts.value.plan_hash;
        }}
      >
        I have seen it
      </Button>
    </div>
  );
}

interface ChoicesProps {
  decision: Decided;
  seen: boolean;
}

function Choices({ decision, seen }: ChoicesProps): JSX.Element {
  const { mission, link, ui } = useHere();
  const { picking, dirty, whole, saving } = ui.choice;
  const plan = mission.plan.value;
  const { actions } = mission.head.value;
  const { at_once, why } = mission.clicks.value;
  const hash = ui.choice.seen.value || mission.facts.value.plan_hash;
  const offered = actions.find((action) => action.verb === "approve");
  const approve = offered && { ...offered, args: { ...offered.args, plan_hash: hash } };
  const reject = actions.find((action) => action.verb === "reject");
  const held = decision.problems.length > 0 || dirty.value || saving.value || !seen;
  return (
    <>
      <div class="acts">
        {approve &&
          (picking.value && plan ? (
            <ApprovePart key={`part ${seen}`} approve={approve} plan={plan} held={held} />
          ) : (
            <>
              <ActionButton
                // Another button: no press and no focus goes from one revision to the next.
                key={`all ${seen}`}
                action={approve}
                link={link}
                disabled={held}
                onDone={() => {
                  ui.choice.approved.value = hash;
                }}
              />
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
        onDone={() => {
          ui.choice.approved.value = mission.facts.value.plan_hash;
          endPicking(ui.choice);
        }}
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
              } left out in a new revision, which is what you approve. What you allow and what ` +
              "to expect are said above of the whole plan."}
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
