import type { JSX } from "preact";
import { useHere } from "../here";
import { Block } from "../parts/block";
import { Row } from "../parts/facts";
import { Said } from "../parts/phrase";
import { QuietLine } from "../parts/quiet";
import { TaskLink } from "../parts/task-link";
import type { HeadFacts } from "../protocol";
import { count, MISSION_WORDS } from "../words";
import { Meters } from "./head-meters";
import { StateLine, Story } from "./head-state";

const GAPS_SHOWN = 20;

/** A mission that has ended: what came of it, what is missing, and how to go on. */
export function Ending(): JSX.Element {
  const { mission, ui } = useHere();
  const head = mission.head.value;
  const { role } = MISSION_WORDS[mission.facts.value.state];
  const ran = mission.facts.value.started_at !== null;
  if (ui.focus.value !== null) {
    return (
      <div class="block ending">
        <StateLine />
      </div>
    );
  }
  return (
    <>
      <section class={`block ending end-${role}`} aria-label="Outcome">
        <StateLine />
        {head.ending && (
          <p class="outcome">
            <Said phrase={head.ending.outcome} />
          </p>
        )}
        <Story />
      </section>
      {ran && (
        <div class="block">
          <Meters />
        </div>
      )}
      <Gaps />
      <GoOn />
    </>
  );
}

function Gaps(): JSX.Element {
  const { mission } = useHere();
  mission.tasksVersion.value;
  const gaps = mission.head.value.ending?.gaps ?? [];
  const hasFailed = ({ task }: Gap): boolean => mission.task(task)?.state === "failed";
  return (
    <>
      <Listed title="What failed" gaps={gaps.filter(hasFailed)} />
      <Listed title="What is missing" gaps={gaps.filter((gap) => !hasFailed(gap))} />
    </>
  );
}

type Gap = NonNullable<HeadFacts["ending"]>["gaps"][number];

function Listed({ title, gaps }: { title: string; gaps: readonly Gap[] }): JSX.Element | null {
  if (gaps.length === 0) return null;
  const more = gaps.length - GAPS_SHOWN;
  return (
    <Block title={title}>
      <dl class="kv wide">
        {gaps.slice(0, GAPS_SHOWN).map((gap, place) => (
          <div class="row" key={`${gap.task} ${place}`}>
            <dt>{gap.task ? <TaskLink name={gap.task} /> : "A tool"}</dt>
            <dd>
              <Said phrase={gap.why} />
            </dd>
          </div>
        ))}
      </dl>
      {more > 0 && (
        <QuietLine>And {count(more, "more like this", "more like these")}.</QuietLine>
      )}
    </Block>
  );
}

function GoOn(): JSX.Element | null {
  const commands = useHere().mission.head.value.ending?.commands ?? [];
  if (commands.length === 0) return null;
  return (
    <Block title="Go on">
      <dl class="kv cmds">
        {commands.map((command) => (
          <Row key={command.label} label={command.label} code>
            <Said phrase={command.said} />
          </Row>
        ))}
      </dl>
    </Block>
  );
}
