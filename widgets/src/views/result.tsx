import "./result.css";
import type { JSX } from "preact";
import { useHere } from "../here";
import type { Mission } from "../mission";
import { Block, Title } from "../parts/block";
import { Button } from "../parts/button";
import { CopyButton } from "../parts/copy-button";
import { FindingsTable } from "../parts/findings-table";
import { useMore } from "../parts/more";
import { Said } from "../parts/phrase";
import { Quiet, QuietLine } from "../parts/quiet";
import { Refused } from "../parts/refused";
import { LEVELS } from "../parts/severity";
import { ShownOutput } from "../parts/shown-output";
import { Table } from "../parts/table";
import { Wait } from "../parts/wait";
import type { Finding, MissionOutputs, Output, Shown } from "../protocol";
import { useQuestion } from "../question";
import { count, grouped, isFinal, line } from "../words";

/** The kernel is asked at most so often while tasks end one after the other. */
const PAUSE_MS = 1_000;
const STEP = 25;

/** What came of the mission: its result, findings, and the outputs that can be used. */
export function Result(): JSX.Element {
  const { mission, link, ui } = useHere();
  const { value, refused, busy } = useQuestion<Output>(
    link,
    "output",
    { task: "" },
    versionOf(mission),
    PAUSE_MS,
  );
  const answer = value.value;
  const name = ui.task.value;
  const chosen = name !== null && mission.task(name)?.has_output ? name : null;
  return (
    <section class="result" aria-label="Result">
      <Readiness answer={answer} refused={refused.value} busy={busy.value} />
      {answer?.mission && !tellsFindings(answer.shown, answer.mission.findings.total) && (
        <Found of={answer.mission} />
      )}
      {answer?.mission && <Outputs of={answer.mission} chosen={chosen} />}
      {chosen !== null && <Chosen key={chosen} name={chosen} />}
    </section>
  );
}

/** Changes whenever something came that the view would show. */
function versionOf(mission: Mission): string {
  void mission.tasksVersion.value;
  let outputs = 0;
  let findings = 0;
  for (const task of mission.tasks) {
    if (task.has_output) outputs += 1;
    findings += task.findings;
  }
  return `${mission.facts.value.state} ${outputs} ${findings}`;
}

// -- whether it is there -----------------------------------------------------------------

interface ReadinessProps {
  answer: Output | null;
  refused: string;
  busy: boolean;
}

function Readiness({ answer, refused, busy }: ReadinessProps): JSX.Element {
  const { mission } = useHere();
  const { state } = mission.facts.value;
  return (
    <div class="block">
      {isFinal(state) ? <Ended answer={answer} /> : <NotReady answer={answer} />}
      <Refused why={refused} />
      {answer === null && busy && (
        <QuietLine role="status">Asking the kernel what is there.</QuietLine>
      )}
    </div>
  );
}

const UNKNOWN = ["The result is there when the mission has succeeded"];

function NotReady({ answer }: { answer: Output | null }): JSX.Element {
  const { mission } = useHere();
  const { state } = mission.facts.value;
  const { left } = mission.head.value;
  if (state === "planning" || state === "awaiting_approval") {
    return (
      <p class="ready">
        <b>Not ready yet.</b> Nothing runs until you approve the plan, so there is nothing to
        show.
      </p>
    );
  }
  return (
    <p class="ready">
      <b>Not ready yet.</b> <Said phrase={answer?.mission?.result ?? UNKNOWN} />
      {left && `, ${line(left)}`}
      {state === "paused" && "; the mission is paused"}. What is below may still change.
    </p>
  );
}

function Ended({ answer }: { answer: Output | null }): JSX.Element {
  const { mission } = useHere();
  const { root } = mission.facts.value;
  if (answer === null) return <Title>Result</Title>;
  return (
    <>
      <Title aside={line(answer.what)}>Result</Title>
      {answer.shown.kind !== "none" && <Snippet python={answer.python} />}
      <ShownOutput of={answer.shown} label="Result" root={root} />
    </>
  );
}

const linesOf = (code: string): string[] => code.split("\n");

/** Shows the last line, and copies those before it too: they make it work in any cell. */
function Python({ code }: { code: string }): JSX.Element {
  const last = linesOf(code).at(-1) ?? "";
  return (
    <>
      <code>{line(last, 400)}</code> <CopyButton text={code} name={last} />
    </>
  );
}

function Snippet({ python }: { python: string }): JSX.Element {
  return (
    <p class="snippet">
      <Python code={python} />
      <Quiet>
        <code>m</code> is the mission: <code>{line(linesOf(python).at(-2) ?? "")}</code>
      </Quiet>
    </p>
  );
}

// -- findings ----------------------------------------------------------------------------

function Found({ of }: { of: MissionOutputs }): JSX.Element | null {
  const { mission } = useHere();
  const { state, root } = mission.facts.value;
  const { rows, total } = of.findings;
  if (total === 0) return null;
  const soFar = isFinal(state) ? "" : " so far";
  return (
    <Block title={count(total, "finding") + soFar} aside={rows.length === total && tally(rows)}>
      <FindingsTable
        findings={of.findings}
        root={root}
        label="Findings"
        python={of.all_findings}
      />
    </Block>
  );
}

/** Whether the result has all of the findings in it, which then need not stand there twice. */
function tellsFindings(result: Shown, total: number): boolean {
  if (result.kind === "findings") return result.total >= total;
  return (
    result.kind === "report" && result.parts.some(({ shown }) => tellsFindings(shown, total))
  );
}

function tally(rows: readonly Finding[]): string {
  return LEVELS.map((level) => [level, rows.filter((row) => row.severity === level).length])
    .filter(([, many]) => many !== 0)
    .map(([level, many]) => `${many} ${level}`)
    .join(", ");
}

// -- outputs -----------------------------------------------------------------------------

interface OutputsProps {
  of: MissionOutputs;
  chosen: string | null;
}

function Outputs({ of, chosen }: OutputsProps): JSX.Element | null {
  const { ui } = useHere();
  const more = useMore(STEP);
  if (of.outputs.length === 0) return null;
  return (
    <Block
      title="Outputs you can use now"
      aside={`${grouped(of.total_outputs)} of ${count(of.total_tasks, "task")}`}
    >
      <Table
        look="outputs"
        label="Outputs you can use now"
        of={["Task", "Output", ["In Python", "wide-only"]]}
      >
        {of.outputs.slice(0, more.shown).map(({ task, what, python }) => (
          <tr key={task} aria-current={task === chosen ? "true" : undefined}>
            <th scope="row">
              <Button
                class="link name"
                aria-expanded={task === chosen}
                onClick={() => {
                  ui.task.value = task === chosen ? null : task;
                }}
              >
                {line(task)}
              </Button>
            </th>
            <td>{line(what)}</td>
            <td class="wide-only">
              <span class="snippet">
                <Python code={python} />
              </span>
            </td>
          </tr>
        ))}
      </Table>
      {more.button(of.outputs.length, "output")}
      {of.outputs.length < of.total_outputs && (
        <QuietLine>
          The first {grouped(of.outputs.length)} of {grouped(of.total_outputs)} outputs are
          listed.
        </QuietLine>
      )}
    </Block>
  );
}

function Chosen({ name }: { name: string }): JSX.Element {
  const { mission, link, ui } = useHere();
  const task = mission.task(name);
  const version = `${task?.attempt ?? 0} ${task?.state ?? ""}`;
  const asked = useQuestion<Output>(link, "output", { task: name }, version);
  const answer = asked.value.value;
  return (
    <div class="block chosen">
      <h4 class="h">
        <code>{line(name)}</code>
        <span class="aside">{answer ? line(answer.what) : ""}</span>
        <Button
          class="btn small away"
          onClick={() => {
            ui.task.value = null;
          }}
        >
          Close
        </Button>
      </h4>
      {answer && (
        <>
          <Snippet python={answer.python} />
          <ShownOutput
            of={answer.shown}
            label={`Output of ${line(name)}`}
            root={mission.facts.value.root}
          />
        </>
      )}
      <Wait of={asked} doing="Reading it." />
    </div>
  );
}
