import type { JSX } from "preact";
import { useHere } from "../here";
import { ActionButton } from "../parts/action";
import { Button } from "../parts/button";
import { Quiet } from "../parts/quiet";
import type { Checked, Draft } from "../protocol";
import { count, line } from "../words";
import type { PlanDesk } from "./plan-desk";
import { type Row, tasksIn } from "./plan-draft";

/** Asks for a revision made of all edits; a refusal is shown beside it and loses nothing. */
export function SaveButton({
  desk,
  onDone,
}: {
  desk: PlanDesk;
  onDone?: () => void;
}): JSX.Element {
  const { mission, link, ui } = useHere();
  const next = mission.facts.value.revision + 1;
  const problems = desk.problems.value.length;
  return (
    <>
      <ActionButton
        key={desk.base.value}
        link={link}
        busy={ui.choice.saving}
        disabled={!desk.dirty.value || problems > 0}
        action={{
          verb: "edit",
          label: `Save as revision ${next}`,
          args: {},
          kind: "plain",
          twin: desk.checked.value?.twin ?? `%hyper edit ${mission.facts.value.short_id}`,
        }}
        more={() => ({ draft: desk.draft.value, revision: desk.base.value })}
        onDone={(value) => {
          const answer = value as Checked;
          desk.saved(answer);
          ui.said.value = `Saved as revision ${answer.difference.to_revision}.`;
          onDone?.();
        }}
      />
      {desk.dirty.value && problems > 0 && (
        <Quiet>
          It can be saved when {problems === 1 ? "the problem is" : "the problems are"} fixed.
        </Quiet>
      )}
    </>
  );
}

interface Props {
  desk: PlanDesk;
  row: Row;
  onDone: () => void;
}

/** What can be done at the end of a contract. */
export function ContractActions({ desk, row, onDone }: Props): JSX.Element {
  return (
    <div class="plan-acts">
      <SaveButton desk={desk} onDone={onDone} />
      {row.stored && (
        <Button
          disabled={!(row.stored.name in desk.draft.value.changes)}
          onClick={() => {
            desk.undo(row);
            onDone();
          }}
        >
          Undo my edits
        </Button>
      )}
      <DropButton desk={desk} row={row} onDone={onDone} />
    </div>
  );
}

function DropButton({ desk, row, onDone }: Props): JSX.Element {
  const { link } = useHere();
  const needing = desk.rows.value
    .filter((each) => !each.dropped && each.now.needs?.includes(row.now.name))
    .map((each) => each.now.name);
  const verbs = needing.length === 1 ? "needs it and goes" : "need it and go";
  const drop = row.stored ? "Drop" : "Remove";
  return (
    <ActionButton
      link={link}
      action={{
        verb: "edit",
        label: `${drop} this ${row.stored ? "task" : "new task"}…`,
        args: {},
        kind: "plain",
        twin: "",
        confirm: {
          question:
            needing.length === 0
              ? "No other task needs it."
              : `${listInWords(needing)} ${verbs} on without its output.`,
          button: `${drop} it`,
        },
      }}
      does={() => desk.drop(row)}
      onDone={onDone}
    />
  );
}

const NAMED_AT_MOST = 6;

/** Names as a sentence has them, the rest of them counted. */
export function listInWords(names: readonly string[]): string {
  const rest = names.length - NAMED_AT_MOST;
  const parts = names.slice(0, rest > 1 ? NAMED_AT_MOST : undefined).map((name) => line(name));
  if (rest > 1) parts.push(`${rest} more`);
  const last = parts.pop() ?? "";
  return parts.length > 0 ? `${parts.join(", ")} and ${last}` : last;
}

function whatIn(draft: Draft): string {
  const tasks = tasksIn(draft);
  const parts = [
    tasks > 0 && ` of ${count(tasks, "task")}`,
    Object.keys(draft.plan).length > 0 && " of the plan itself",
  ];
  return parts.filter(Boolean).join(" and");
}

/** All edits together: how many there are, and what to do with them. */
export function DraftBar({ desk }: { desk: PlanDesk }): JSX.Element | null {
  const { mission, ui } = useHere();
  const { revision } = mission.facts.value;
  const mayEdit = desk.mayEdit.value;
  const overtaken = mayEdit && desk.overtaken.value;
  const gone = desk.gone.value;
  if (!desk.dirty.value && gone.length === 0) return null;
  return (
    <div class={`plan-draft ${overtaken ? "plan-late" : ""}`} role="status">
      {mayEdit ? (
        <p>
          <b>Your edits{whatIn(desk.draft.value)} are not saved.</b> Approving waits until you
          save or undo them.
        </p>
      ) : (
        <p>
          <b>The plan was decided meanwhile, without your edits.</b> They are still here to be
          read under “Your changes”, and cannot be saved any more.
        </p>
      )}
      {overtaken && (
        <p>
          <b>Revision {revision} has come meanwhile.</b> Your edits were made on revision{" "}
          {desk.base.value} and are kept; the table shows them on the new one. Look at them,
          then say what becomes of them.
        </p>
      )}
      {gone.length > 0 && (
        <p>
          Your edits of {listInWords(gone)} have no place any more: revision {revision} does not
          have {gone.length === 1 ? "this task" : "these tasks"}.
        </p>
      )}
      <div class="plan-acts">
        {overtaken ? (
          <Button onClick={() => desk.rebase()}>Put my edits on revision {revision}</Button>
        ) : (
          mayEdit && <SaveButton desk={desk} />
        )}
        <Button
          onClick={() => {
            desk.undoAll();
            ui.said.value = "All edits are undone.";
          }}
        >
          {mayEdit ? "Undo all edits" : "Drop my edits"}
        </Button>
      </div>
    </div>
  );
}
