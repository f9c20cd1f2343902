import "./legend.css";
import type { JSX } from "preact";
import { useHere } from "../here";
import { Title } from "../parts/block";
import { State } from "../parts/icon";
import { Table } from "../parts/table";
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
      <Title>{title}</Title>
      <Table of={["State", "Means"]}>
        {states.map((state) => (
          <tr key={state}>
            <th scope="row">
              <State of={words[state]} />
            </th>
            <td>{of[state]}</td>
          </tr>
        ))}
      </Table>
    </div>
  );
}
