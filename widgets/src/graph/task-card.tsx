import type { JSX, Ref } from "preact";
import { useHere } from "../here";
import { Actions } from "../parts/action";
import { Answers } from "../parts/answers";
import { Button } from "../parts/button";
import { State } from "../parts/icon";
import { Runs } from "../parts/runs";
import type { TaskFacts } from "../protocol";
import { storyOf, tries } from "../task-story";
import { line, TASK_WORDS } from "../words";

interface Props {
  task: TaskFacts;
  /** The kernel's time. */
  now: number;
  /** Null: below the drawing. */
  place: { left: number; top: number } | null;
  cardRef: Ref<HTMLDivElement>;
  onEnter: () => void;
  onLeave: () => void;
  onOpen: () => void;
}

/** What a task does, waits for and leads to, and what can be done about it. */
export function TaskCard(props: Props): JSX.Element {
  const { task, now, place, cardRef, onEnter, onLeave, onOpen } = props;
  const { mission, link } = useHere();
  const more = task.attempt > 1 ? tries(task, mission.spec(task.name)) : "";
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form
    <div
      class={place ? "gr-card" : "gr-card gr-below"}
      role="group"
      aria-label={`${line(task.name)} at a glance`}
      ref={cardRef}
      style={place ? { left: `${place.left}px`, top: `${place.top}px` } : {}}
      onPointerEnter={onEnter}
      onPointerLeave={onLeave}
    >
      <h4>
        <span class="gr-number">t{task.number} </span>
        <span class="gr-name">{line(task.name)}</span> <State of={TASK_WORDS[task.state]} />
      </h4>
      <Answers of={storyOf(mission, task, now)} also={<Runs task={task} more={more} />} />
      <div class="gr-acts">
        <Actions of={mission.head.value.task_actions[task.name]} link={link} small />
        <Button small onClick={onOpen}>
          Open task
        </Button>
      </div>
    </div>
  );
}
