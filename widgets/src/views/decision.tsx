import "./decision.css";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useHere } from "../here";
import { useLostFocus } from "../lost-focus";
import type { Mission } from "../mission";
import { ActionButton } from "../parts/action";
import { Button } from "../parts/button";
import { Facts } from "../parts/facts";
import { Icon } from "../parts/icon";
import { Said } from "../parts/phrase";
import type { Action, Decision as Decided, Problem } from "../protocol";
import { openTask } from "../ui";
import { count, grouped, shown, TASK_WORDS } from "../words";
import { endPicking, tickedIn } from "./plan-choice";
import { deskOf } from "./plan-desk";
import { Problems, WRONG } from "./plan-problems";

const ASKS = TASK_WORDS.awaiting_approval;
const NAMED_IN_TWIN = 6;

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
        <Icon {...ASKS} /> Your decision
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
      <WrongAlready problems={decision.problems} />
      <Buttons decision={decision} heading={heading} />
      <p class="quiet record">
        <Said phrase={(picking.value && !whole.value ? decision.part : decision).record} />
      </p>
    </section>
  );
}

function WrongAlready({ problems }: { problems: readonly Problem[] }): JSX.Element | null {
  const here = useHere();
  if (problems.length === 0) return null;
  return (
    <div class="problems">
      <p>
        <Icon {...WRONG} /> <b>{count(problems.length, "problem")} to fix first</b>
      </p>
      <Problems desk={deskOf(here)} problems={problems} />
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
  const { choice } = ui;
  const { picking, dirty, whole, saving, editing } = choice;
  const plan = mission.plan.value;
  const { actions, total } = mission.head.value;
  const { at_once, why } = mission.clicks.value;
  const hash = choice.seen.value || mission.facts.value.plan_hash;
  const approve = actions.find((action) => action.verb === "approve");
  const reject = actions.find((action) => action.verb === "reject");
  const dead = link.liveness.value !== "live";
  const picks = picking.value && plan !== null;
  const ticked = picks ? tickedIn(choice, plan) : null;
  return (
    <>
      <div class="acts">
        {approve && (
          <>
            <ActionButton
              // Another button: no press and no focus goes from one revision to the next.
              key={`${picks} ${seen}`}
              action={approving(approve, hash, whole.value ? null : ticked, mission)}
              link={link}
              disabled={
                decision.problems.length > 0 ||
                dirty.value ||
                saving.value ||
                !seen ||
                ticked?.length === 0
              }
              onDone={() => {
                choice.approved.value = hash;
                endPicking(choice);
              }}
            />
            {picks ? (
              <Button onClick={() => endPicking(choice)}>Stop choosing</Button>
            ) : (
              total > 1 && (
                <Button
                  disabled={dead}
                  onClick={() => {
                    picking.value = true;
                  }}
                >
                  Approve some…
                </Button>
              )
            )}
          </>
        )}
        {plan && (
          <Button
            aria-pressed={editing.value}
            disabled={dead || dirty.value}
            onClick={() => {
              editing.value = !editing.value;
              const wrong = decision.problems.find((problem) => problem.task);
              const first = ui.task.value ?? wrong?.task ?? plan.tasks[0]?.name;
              if (editing.value && first) openTask(ui, first);
            }}
          >
            Edit
          </Button>
        )}
        {reject && <ActionButton key="reject" action={reject} link={link} />}
      </div>
      {ticked && !whole.value && <LeftOut ticked={ticked.length} />}
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

/** The approval of the plan that was seen, or of the ticked part of it. */
function approving(
  { args, ...approve }: Action,
  plan_hash: string,
  tasks: readonly string[] | null,
  { facts, head }: Mission,
): Action {
  if (tasks === null) return { ...approve, args: { ...args, plan_hash } };
  const named = tasks.slice(0, NAMED_IN_TWIN).join(" ");
  return {
    ...approve,
    label: `Approve ${grouped(tasks.length)} of ${count(head.value.total, "task")}`,
    args: { ...args, plan_hash, tasks },
    twin: `%hyper approve ${facts.value.short_id} ${named}${
      tasks.length > NAMED_IN_TWIN ? " …" : ""
    }`,
  };
}

function LeftOut({ ticked }: { ticked: number }): JSX.Element {
  const left = useHere().mission.head.value.total - ticked;
  return (
    <p class="note" role="status">
      {ticked === 0
        ? "Nothing is ticked, so there is nothing to approve."
        : `${count(left, "task")} will not run: ${
            left === 1 ? "it is" : "they are"
          } left out in a new revision, which is what you approve. What you allow and what ` +
          "to expect are said above of the whole plan."}
    </p>
  );
}
