import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { onEscape } from "../escape";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { useOwnId } from "../parts/own-id";
import { Quiet } from "../parts/quiet";
import type { TaskSpec } from "../protocol";
import { duration, line, shown } from "../words";
import { CommentField, Comments } from "./plan-comment";
import type { PlanDesk } from "./plan-desk";
import type { Row } from "./plan-draft";
import { Facts, factsOf, otherTerms } from "./plan-facts";
import { Fields, OtherProblems } from "./plan-field";
import { ContractActions } from "./plan-save";

interface Props {
  desk: PlanDesk;
  row: Row;
  /** Whether opening it brings the focus here: not when it was open from the beginning. */
  takesFocus: boolean;
  onClose: () => void;
}

/**
 * All that a task may do and must hold to; a form while the plan is being edited. Escape
 * closes it; edits are kept.
 */
export function Contract({ desk, row, takesFocus, onClose }: Props): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useOwnId();
  const editing = desk.editing.value && !row.dropped;
  const first = useRef(true);
  const { ui } = useHere();
  const focus = (): void => heading.current?.focus();
  // Opening a task that is open already goes to it as well.
  const opened = ui.opened.value;
  useLayoutEffect(() => {
    if (opened === 0 && !first.current) return;
    const place = desk.goTo.peek();
    const elsewhere = place?.key === row.key && desk.fieldsOf(row).includes(place.field);
    if ((takesFocus || !first.current) && !elsewhere) focus();
    if (place?.key === row.key && !elsewhere) desk.goTo.value = null;
    first.current = false;
    ui.opened.value = 0;
  }, [opened]);
  return (
    <section class="plan-contract" aria-labelledby={id} onKeyDown={onEscape(onClose)}>
      <div class="plan-lead">
        <h4 id={id} ref={heading} tabIndex={-1}>
          Contract of {row.stored ? `t${row.number}` : "the new task"}{" "}
          <code>{line(row.now.name)}</code>
        </h4>
        <Estimate row={row} />
        <Button small onClick={onClose}>
          Close
        </Button>
      </div>
      {row.dropped ? (
        <Dropped desk={desk} row={row} onDone={focus} />
      ) : editing ? (
        <div class="plan-form">
          <Fields desk={desk} row={row} />
          <Facts rows={otherTerms(row.now)} />
        </div>
      ) : (
        <Facts rows={[...factsOf(desk, row), ...otherTerms(row.now)]} />
      )}
      {desk.mayEdit.value && <OtherProblems desk={desk} row={row} onDone={focus} />}
      <PythonSource task={row.now} />
      <Comments task={row.now.name} />
      {desk.mayEdit.value && row.stored && <CommentField desk={desk} task={row.stored.name} />}
      {editing && <ContractActions desk={desk} row={row} onDone={focus} />}
      {desk.mayEdit.value && !desk.editing.value && <BeginEditing onDone={focus} />}
    </section>
  );
}

function Estimate({ row }: { row: Row }): JSX.Element {
  const { mission } = useHere();
  const seconds = row.now.estimate_s ?? mission.head.value.expected_s[row.now.name];
  return (
    <Quiet>{seconds == null ? "No estimate yet." : `Estimate: ${duration(seconds)}`}</Quiet>
  );
}

function BeginEditing({ onDone }: { onDone: () => void }): JSX.Element {
  const { ui } = useHere();
  return (
    <Button
      onClick={() => {
        ui.choice.editing.value = true;
        onDone();
      }}
    >
      Edit the plan
    </Button>
  );
}

interface DroppedProps {
  desk: PlanDesk;
  row: Row;
  onDone: () => void;
}

function Dropped({ desk, row, onDone }: DroppedProps): JSX.Element {
  return (
    <p class="plan-dropped">
      Your edits leave this task out, and take it from the needs of others. Nothing is left out
      before you save.{" "}
      <Button
        small
        onClick={() => {
          desk.undo(row);
          onDone();
        }}
      >
        Keep this task
      </Button>
    </p>
  );
}

function PythonSource({ task }: { task: TaskSpec }): JSX.Element | null {
  const { label, source } = task.work;
  if (!label) return null;
  return (
    <div class="plan-source">
      <span class="plan-label">
        Python {task.agent ? "agent" : "function"} <code>{line(label)}</code>
      </span>
      {source ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        <pre class="box" tabIndex={0}>
          {shown(source, 100_000)}
        </pre>
      ) : (
        <Quiet>Its source is not known.</Quiet>
      )}
    </div>
  );
}
