import type { JSX, Ref } from "preact";
import { useHere } from "../here";
import { ActionButton } from "../parts/action";
import { State } from "../parts/icon";
import { Said } from "../parts/phrase";
import type { Phrase } from "../protocol";
import { line, TASK_WORDS } from "../words";
import { type Around, storyOf } from "./story";

interface Props {
  around: Around;
  place: { left: number; top: number };
  cardRef: Ref<HTMLElement>;
  onEnter: () => void;
  onLeave: () => void;
  onOpen: () => void;
}

/** What a task does, waits for and leads to, and what can be done about it. */
export function TaskCard(props: Props): JSX.Element {
  const { around, place, cardRef, onEnter, onLeave, onOpen } = props;
  const { link } = useHere();
  const { task, head } = around;
  const told = storyOf(around);
  return (
    <section
      class="gr-card"
      aria-label={`Task ${line(task.name)}`}
      ref={cardRef}
      style={{ left: `${place.left}px`, top: `${place.top}px` }}
      onPointerEnter={onEnter}
      onPointerLeave={onLeave}
    >
      <h4>
        <span class="gr-number">t{task.number} </span>
        <span class="gr-name">{line(task.name)}</span> <State of={TASK_WORDS[task.state]} />
      </h4>
      <dl class="gr-kv">
        <Row label="Now" said={told.now} />
        <Row label="Waiting for" said={told.waiting} />
        <Row label="Next" said={told.next} />
        <Row label="Agent" said={whoOf(around)} />
      </dl>
      <div class="gr-acts">
        {(head.task_actions[task.name] ?? []).map((action) => (
          <ActionButton
            key={`${action.verb} ${action.label}`}
            action={action}
            link={link}
            small
          />
        ))}
        <button type="button" class="btn small" onClick={onOpen}>
          Open task
        </button>
      </div>
    </section>
  );
}

function Row({ label, said }: { label: string; said: Phrase }): JSX.Element {
  return (
    <>
      <dt>{label}</dt>
      <dd>
        <Said phrase={said} />
      </dd>
    </>
  );
}

function whoOf({ task, spec }: Around): Phrase {
  const process = task.pid === null ? "" : `, process ${task.pid}`;
  const most = spec?.attempts ?? 1;
  const attempt =
    task.attempt > 1 ? `, attempt ${task.attempt} of ${Math.max(most, task.attempt)}` : "";
  if (task.agent) return [`${line(task.agent)}${process}${attempt}`];
  const label = spec?.work.kind === "python" ? spec.work.label : "";
  return label
    ? ["none: Python, ", { code: line(label) }, `${process}${attempt}`]
    : [`none${process}${attempt}`];
}
