import type { JSX } from "preact";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { useOwnId } from "../parts/own-id";
import { QuietLine } from "../parts/quiet";
import type { Problem } from "../protocol";
import { count, grouped, line, shown } from "../words";
import type { PlanDesk } from "./plan-desk";
import { labelOf } from "./plan-fields";

/** The mark of what is wrong. */
export const WRONG = { shape: "failed", role: "bad" } as const;

const SHOWN_AT_MOST = 20;

interface Props {
  desk: PlanDesk;
  problems: readonly Problem[];
}

/** What is wrong with a plan, each with a way to where it is. */
export function Problems({ desk, problems }: Props): JSX.Element {
  const rest = problems.length - SHOWN_AT_MOST;
  return (
    <>
      <ul>
        {problems.slice(0, SHOWN_AT_MOST).map((problem, index) => (
          <li key={`${index} ${problem.text}`}>
            <Button class="link" onClick={() => desk.show(problem)}>
              {whereOf(problem)}
            </Button>{" "}
            {shown(problem.text, 600)}
          </li>
        ))}
      </ul>
      {rest > 0 && <QuietLine>And {grouped(rest)} more.</QuietLine>}
    </>
  );
}

function whereOf({ task, field }: Problem): string {
  const place = task ? line(task) : "The plan";
  return field ? `${place}, ${labelOf(field)}:` : `${place}:`;
}

/**
 * Everything that is wrong with the plan as it is being edited. What is wrong with the plan as
 * it stands is said by the decision.
 */
export function ProblemList({ desk }: { desk: PlanDesk }): JSX.Element | null {
  const id = useOwnId();
  const problems = desk.problems.value;
  const refusal = desk.refusal.value;
  if (!desk.dirty.value || (problems.length === 0 && refusal === "")) return null;
  return (
    <section class="plan-problems" aria-labelledby={id}>
      <h3 id={id}>
        <Icon {...WRONG} />{" "}
        {problems.length > 0
          ? `${count(problems.length, "problem")} to fix first`
          : "The edits could not be checked"}
      </h3>
      {refusal && <p>{shown(refusal)}</p>}
      <Problems desk={desk} problems={problems} />
    </section>
  );
}
