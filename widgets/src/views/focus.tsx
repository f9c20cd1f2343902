import "./focus.css";
import type { JSX } from "preact";
import { useHere } from "../here";
import { Answers } from "../parts/answers";
import { Button } from "../parts/button";
import { Steps } from "../parts/meter";
import { Options } from "../parts/options";
import { useOwnId } from "../parts/own-id";
import type { TaskFacts } from "../protocol";
import { stepsIn, storyOf } from "../task-story";
import { count, isFinal, line, shown } from "../words";
import { TaskGoal, TaskState } from "./task-panel";

const CHOICES_AT_MOST = 200;

/** Leaves focus mode for the mission's state, or for what needs a person. */
export type Leave = (to: "state" | "needs") => void;

/** One task and nothing else. The rest is hidden, counted, and goes on. */
export function Focus({ leave }: { leave: Leave }): JSX.Element {
  const { mission, ui } = useHere();
  mission.tasksVersion.value;
  const task = mission.task(ui.focus.value ?? "");
  return (
    <>
      <section class="block solo" aria-label="The one task">
        <ChooseTask />
        {task ? <Solo task={task} /> : <p>This task is not in the plan any more.</p>}
      </section>
      <Hidden leave={leave} />
    </>
  );
}

function Solo({ task }: { task: TaskFacts }): JSX.Element {
  const { mission, ui } = useHere();
  mission.log.version.value;
  const steps = stepsIn(task.note);
  return (
    <>
      <div>
        <h4 class="solo-name" tabIndex={-1} data-landing>
          <code>{line(task.name)}</code>
        </h4>
        <TaskState task={task} />
      </div>
      <TaskGoal task={task} />
      <Answers of={storyOf(mission, task, ui.now.value)} />
      {task.note && (
        <div>
          <p>
            <b>{shown(task.note)}</b>
          </p>
          {steps && <Steps done={steps.done} total={steps.total} />}
        </div>
      )}
      {task.findings > 0 && (
        <p>
          {count(task.findings, "finding")}
          {isFinal(task.state) ? "." : " so far."}
        </p>
      )}
    </>
  );
}

/** Another task, by name; of very large plans only those that are not over. */
function ChooseTask(): JSX.Element | null {
  const { mission, ui } = useHere();
  const id = useOwnId();
  const current = ui.focus.value;
  const all = mission.tasks.length <= CHOICES_AT_MOST;
  const names = mission.tasks
    .filter((task) => all || task.name === current || !isFinal(task.state))
    .slice(0, CHOICES_AT_MOST)
    .map((task) => task.name);
  if (names.length < 2) return null;
  return (
    <p class="choose">
      <label for={id}>Focus on</label>{" "}
      <select
        id={id}
        value={current ?? ""}
        onChange={(event) => {
          ui.focus.value = event.currentTarget.value;
        }}
      >
        <Options of={names.map((name) => [name, line(name, 60)])} />
      </select>
    </p>
  );
}

function Hidden({ leave }: { leave: Leave }): JSX.Element {
  const { mission } = useHere();
  const head = mission.head.value;
  const others = head.total - 1;
  const needs = head.needs.length;
  const over = isFinal(mission.facts.value.state);
  return (
    <div class="block hidn">
      <p>
        {hiddenText(others, over)}
        {needs > 0 && (
          <>
            {" "}
            <b>{count(needs, "decision")}</b> {needs === 1 ? "needs" : "need"} you when you are
            ready.
          </>
        )}
      </p>
      <div class="acts">
        {needs > 0 && (
          <Button small onClick={() => leave("needs")}>
            Show the {needs === 1 ? "decision" : "decisions"}
          </Button>
        )}
        <Button small onClick={() => leave("state")}>
          Leave focus
        </Button>
      </div>
    </div>
  );
}

function hiddenText(others: number, over: boolean): string {
  if (others <= 0) return "There is no other task.";
  const goOn = others === 1 ? " and goes on" : " and go on as before";
  const said = count(others, "other task is hidden", "other tasks are hidden");
  return `${said}${over ? "" : goOn}.`;
}
