import "./legend.css";
import type { JSX } from "preact";
import { Heads } from "../parts/heads";
import { State } from "../parts/icon";
import { ATTEMPT_WORDS, MISSION_WORDS, type StateWord, TASK_WORDS } from "../words";

type Meanings = readonly (readonly [StateWord, string])[];

const MISSIONS: Meanings = [
  [MISSION_WORDS.planning, "The plan is being made."],
  [MISSION_WORDS.awaiting_approval, "Waits for a person. Nothing runs until the decision."],
  [MISSION_WORDS.running, "At least one task may run."],
  [MISSION_WORDS.paused, "Paused by a person. No new attempt starts."],
  [MISSION_WORDS.succeeded, "Ended well. The result is there."],
  [MISSION_WORDS.failed, "Ended without its result; says which task, and why."],
  [MISSION_WORDS.cancelled, "Ended by a person."],
  [MISSION_WORDS.rejected, "The plan was refused. Nothing ran."],
];
const TASKS: Meanings = [
  [TASK_WORDS.pending, "Its needs are not done."],
  [TASK_WORDS.ready, "Could start; waits for a free place or for budget."],
  [TASK_WORDS.waiting, "Waits for something that is in use elsewhere."],
  [TASK_WORDS.running, "An attempt is at work."],
  [TASK_WORDS.verifying, "The runner checks what the agent claims."],
  [TASK_WORDS.awaiting_approval, "Asks a person for something outside the plan."],
  [TASK_WORDS.stalled, "No heartbeat. Says what happens next, and when."],
  [TASK_WORDS.succeeded, "Its check held."],
  [TASK_WORDS.failed, "All attempts are used up, or it is not safe to repeat."],
  [TASK_WORDS.cancelled, "Ended by a person, or with its mission."],
  [TASK_WORDS.skipped, "Not needed any more."],
];
const ATTEMPTS: Meanings = [
  [ATTEMPT_WORDS.running, "At work."],
  [ATTEMPT_WORDS.succeeded, "Its check held."],
  [ATTEMPT_WORDS.failed, "An error, or its check did not hold."],
  [ATTEMPT_WORDS.abandoned, "Its runner or its heartbeat was lost."],
  [ATTEMPT_WORDS.cancelled, "Ended by a person."],
  [ATTEMPT_WORDS.refused, "It was not let start."],
];

/** What each state means: shape, word, sentence. */
export function Legend(): JSX.Element {
  return (
    <section class="block legend-of-states" aria-label="What the states mean">
      <Meaning title="Mission" of={MISSIONS} />
      <Meaning title="Task" of={TASKS} />
      <Meaning title="Attempt" of={ATTEMPTS} />
    </section>
  );
}

function Meaning({ title, of }: { title: string; of: Meanings }): JSX.Element {
  return (
    <div>
      <h4 class="h">{title}</h4>
      <table class="t">
        <Heads of={["State", "Means"]} />
        <tbody>
          {of.map(([word, means]) => (
            <tr key={word.word}>
              <th scope="row">
                <State of={word} />
              </th>
              <td>{means}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
