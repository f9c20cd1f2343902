import "./legend.css";
import type { JSX } from "preact";
import { useHere } from "../here";
import { Heads } from "../parts/heads";
import { State } from "../parts/icon";
import { ATTEMPT_WORDS, MISSION_WORDS, type StateWord, TASK_WORDS } from "../words";

/** What each state means: shape, word, sentence. */
export function Legend(): JSX.Element {
  const { mission, task, attempt } = useHere().mission.meanings;
  return (
    <section class="block legend-of-states" aria-label="What the states mean">
      <Meaning title="Mission" words={MISSION_WORDS} of={mission} />
      <Meaning title="Task" words={TASK_WORDS} of={task} />
      <Meaning title="Attempt" words={ATTEMPT_WORDS} of={attempt} />
    </section>
  );
}

interface Props<States extends string> {
  title: string;
  words: Readonly<Record<States, StateWord>>;
  of: Readonly<Record<States, string>>;
}

function Meaning<States extends string>({ title, words, of }: Props<States>): JSX.Element {
  const states = Object.keys(of) as States[];
  return (
    <div>
      <h4 class="h">{title}</h4>
      <table class="t">
        <Heads of={["State", "Means"]} />
        <tbody>
          {states.map((state) => (
            <tr key={state}>
              <th scope="row">
                <State of={words[state]} />
              </th>
              <td>{of[state]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
