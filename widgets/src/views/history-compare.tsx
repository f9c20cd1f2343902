import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Link } from "../link";
import { Block } from "../parts/block";
import { Button } from "../parts/button";
import { FindingsTable } from "../parts/findings-table";
import { State } from "../parts/icon";
import { Tally } from "../parts/meter";
import { useMore } from "../parts/more";
import { Said } from "../parts/phrase";
import { Quiet, QuietLine } from "../parts/quiet";
import { Scrolled } from "../parts/scrolled";
import { Table } from "../parts/table";
import { Wait } from "../parts/wait";
import type { Compared, ComparedSide, ComparedTask, Difference, Findings } from "../protocol";
import { useQuestion } from "../question";
import { enumerated } from "../task-story";
import { count, grouped, line, MISSION_WORDS, shown, TASK_WORDS } from "../words";

const STEP = 50;

interface Props {
  link: Link;
  /** Short ids of two missions, the earlier one first. */
  of: readonly [string, string];
  onBack: () => void;
}

/** Two missions side by side, the earlier one left. */
export function ComparedMissions({ link, of: [a, b], onBack }: Props): JSX.Element {
  const asked = useQuestion<Compared>(link, "compare", { a, b });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const found = asked.value.value;
  return (
    <>
      <p class="block back">
        <Button small onClick={onBack}>
          Back to the list
        </Button>
      </p>
      <div class="block">
        <h3 class="list-title" ref={heading} tabIndex={-1}>
          {a} and {b}
        </h3>
        <Wait of={asked} doing="Comparing them." />
        {found && <Sides a={found.a} b={found.b} />}
      </div>
      {found && <PlanDifference of={found.difference} a={a} b={b} />}
      {found && <Tasks of={found} />}
      {found && <FindingsOfBoth of={found} />}
    </>
  );
}

// -- as a whole --------------------------------------------------------------------------

function Sides({ a, b }: { a: ComparedSide; b: ComparedSide }): JSX.Element {
  const both = [a, b];
  const rows: [string, ComponentChildren[]][] = [
    ["Goal", both.map(({ mission }) => <span dir="auto">{line(mission.goal, 400)}</span>)],
    ["State", both.map(({ mission }) => <State of={MISSION_WORDS[mission.state]} />)],
    ["Tasks", both.map(({ counts }) => <Tally counts={counts} />)],
    ...a.facts.map(({ label }, place): [string, ComponentChildren[]] => [
      label,
      both.map(({ facts }) => <Said phrase={facts[place]?.said ?? []} />),
    ]),
  ];
  return (
    <Table
      look="sides"
      label="The missions as a whole"
      of={["", line(a.mission.short_id), line(b.mission.short_id)]}
    >
      {rows.map(([label, [one, other]]) => (
        <tr key={label}>
          <th scope="row">{label}</th>
          <td>{one}</td>
          <td>{other}</td>
        </tr>
      ))}
    </Table>
  );
}

// -- plans -------------------------------------------------------------------------------

interface PlanProps {
  of: Difference | null;
  a: string;
  b: string;
}

function PlanDifference({ of, a, b }: PlanProps): JSX.Element {
  const more = useMore(STEP);
  if (of === null) {
    return (
      <Block title="Plans">
        <p>One of them has no plan yet.</p>
      </Block>
    );
  }
  const same = of.added.length + of.removed.length + of.changed.length === 0;
  return (
    <Block title="Plans" aside={`${count(of.same, "task")} the same in both`}>
      {same && <p>The plans are the same.</p>}
      <Names said={`Only in ${b}`} names={of.added} />
      <Names said={`Only in ${a}`} names={of.removed} />
      {of.changed.length > 0 && (
        <Scrolled label="What differs between the plans">
          <Table
            look="cols"
            label="What differs between the plans"
            of={["Task", "Field", a, b]}
          >
            {of.changed.slice(0, more.shown).map((change) => (
              <tr key={`${change.task} ${change.field}`}>
                <th scope="row">
                  {change.task ? <code>{line(change.task)}</code> : "the plan"}
                </th>
                <td>{line(change.label)}</td>
                <td dir="auto">{shown(change.old, 400)}</td>
                <td dir="auto">{shown(change.new, 400)}</td>
              </tr>
            ))}
          </Table>
        </Scrolled>
      )}
      {more.button(of.changed.length, "change")}
    </Block>
  );
}

const NAMES_SHOWN = 30;

interface NamesProps {
  said: string;
  names: readonly string[];
}

function Names({ said, names }: NamesProps): JSX.Element | null {
  if (names.length === 0) return null;
  return (
    <p>
      {said}: <Said phrase={enumerated(names, NAMES_SHOWN)} />.
    </p>
  );
}

// -- tasks -------------------------------------------------------------------------------

function Tasks({ of }: { of: Compared }): JSX.Element {
  const more = useMore(STEP);
  const [a, b] = [line(of.a.mission.short_id), line(of.b.mission.short_id)];
  return (
    <Block title="Tasks" aside={`${grouped(of.total_tasks)}, by name`}>
      <Scrolled label="The tasks of both">
        <Table look="cols" label="The tasks of both" of={["Task", a, b, ["Difference", "num"]]}>
          {of.tasks.slice(0, more.shown).map((task) => (
            <tr key={task.name}>
              <th scope="row">
                <code>{line(task.name)}</code>
              </th>
              <td>
                <TaskOf task={task.a} />
              </td>
              <td>
                <TaskOf task={task.b} />
              </td>
              <td class="num">{line(task.difference) || "–"}</td>
            </tr>
          ))}
        </Table>
      </Scrolled>
      {more.button(of.tasks.length, "task")}
      {of.tasks.length < of.total_tasks && (
        <QuietLine>
          The first {grouped(of.tasks.length)} of {grouped(of.total_tasks)} tasks are listed.
        </QuietLine>
      )}
    </Block>
  );
}

function TaskOf({ task }: { task: ComparedTask | null }): JSX.Element {
  if (task === null) return <Quiet>no such task</Quiet>;
  return <State of={TASK_WORDS[task.state]} more={line(task.more)} />;
}

// -- findings ----------------------------------------------------------------------------

function FindingsOfBoth({ of }: { of: Compared }): JSX.Element {
  const { only_a, only_b, both } = of.findings;
  const [a, b] = [of.a.mission, of.b.mission];
  return (
    <Block title="Findings" aside={`${grouped(both)} in both`}>
      <Only said={`Only in ${line(a.short_id)}`} found={only_a} root={a.root} />
      <Only said={`Only in ${line(b.short_id)}`} found={only_b} root={b.root} />
      <QuietLine>
        A finding is the same where file, rule, tool and words are; its line may have moved.
      </QuietLine>
    </Block>
  );
}

interface OnlyProps {
  said: string;
  found: Findings;
  root: string;
}

function Only({ said, found, root }: OnlyProps): JSX.Element {
  return (
    <div class="part">
      <h5>
        {said}
        <span class="aside">{found.total === 0 ? "none" : grouped(found.total)}</span>
      </h5>
      {found.total > 0 && <FindingsTable findings={found} root={root} label={said} />}
    </div>
  );
}
