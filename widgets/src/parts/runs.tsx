import type { JSX } from "preact";
import { useHere } from "../here";
import type { TaskFacts } from "../protocol";
import { line } from "../words";
import { Row } from "./facts";

interface Props {
  task: TaskFacts;
  /** What else is said of the attempt. */
  more?: string;
}

/** Who or what does a task, and in which process. */
export function Runs({ task, more }: Props): JSX.Element {
  const work = useHere().mission.spec(task.name)?.work;
  const label = work?.kind === "python" ? work.label : "a function of yours";
  return (
    <Row label={task.agent ? "Agent" : "Runs"}>
      {line(task.agent || label, 80)}
      {task.pid !== null && `, process ${task.pid}`}
      {more && `, ${more}`}
    </Row>
  );
}
