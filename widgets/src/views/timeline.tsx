import "./timeline.css";
import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Here, useHere } from "../here";
import type { Mission } from "../mission";
import { useMore } from "../parts/more";
import { QuietLine } from "../parts/quiet";
import { slowNow } from "../slowly";
import { clock, duration, grouped, isFinal } from "../words";
import { elapsedUntil } from "./board-cards";
import { TaskPanel } from "./task-panel";
import { endOf } from "./timeline-end";
import { Lanes } from "./timeline-lanes";
import { type Bar, firstBars, type Group, groupsOf, type Kind } from "./timeline-rows";
import { type Scale, scaleOf } from "./timeline-scale";

/** So many at first, and so many more each time. */
const BARS = 300;
/** Above so many tasks and attempts the bars are reckoned every five seconds, not with each change. */
const MANY = 1_000;

/** All attempts along the time, by agent, with the critical path. */
export function Timeline(): JSX.Element {
  const here = useHere();
  const more = useMore(BARS);
  const drawn = useDrawn(here);
  const rest = more.button(drawn.bars.length, "attempt");
  const shown = firstBars(drawn.groups, more.shown);
  return (
    <>
      <section class="block tl" aria-label="Timeline">
        <div class="tl-head">
          <Span />
          <AtWork />
        </div>
        <h3 class="h">Attempts by agent</h3>
        {shown.length === 0 ? (
          <QuietLine>
            Nothing has been tried yet, and nothing is known of how long it takes.
          </QuietLine>
        ) : (
          <Lanes
            groups={shown}
            start={drawn.start}
            scale={drawn.scale}
            now={drawn.now}
            running={drawn.running}
          />
        )}
        {rest && <p class="tl-more">{rest}</p>}
        {shown.length > 0 && <Legend bars={drawn.bars} />}
      </section>
      <TaskPanel />
    </>
  );
}

interface Drawn {
  readonly groups: readonly Group[];
  /** All bars of all groups. */
  readonly bars: readonly Bar[];
  readonly start: number;
  readonly scale: Scale;
  readonly now: number;
  /** Whether time goes on: there is a now. */
  readonly running: boolean;
}

function useDrawn({ mission, ui }: Here): Drawn {
  const many = mission.tasks.length + mission.attempts.length > MANY;
  if (!many) {
    void mission.tasksVersion.value;
    void mission.attemptsVersion.value;
    void mission.head.value;
  }
  void mission.plan.value;
  const state = useComputed(() => mission.facts.value.state).value;
  const { started_at } = mission.facts.peek();
  const ended = isFinal(state);
  const running = started_at !== null && !ended;
  // Before the start the axis shows how long things would take, from nought.
  const now = started_at === null ? 0 : Math.max(slowNow(ui), newest(mission));
  const groups = groupsOf(mission, now);
  const bars = groups.flatMap((group) => group.bars);
  const begun = started_at === null ? 0 : Date.parse(started_at);
  const start = bars.reduce((first, { from }) => Math.min(first, from), begun);
  const left = running ? (mission.head.peek().left_s ?? 0) : 0;
  const expected = running ? now + left * 1000 : 0;
  const goneBy = ended ? start : now;
  const last = bars.reduce((end, { to }) => Math.max(end, to ?? goneBy), goneBy);
  const seconds = (Math.max(last, expected) - start) / 1000;
  const { length, step } = scaleOf(seconds);
  const scale = useMemo(() => ({ length, step }), [length, step]);
  return { groups, bars, start, scale, now, running };
}

/** The last that is known to have happened: our clock may be a little behind it. */
function newest({ attempts }: Mission): number {
  return attempts.reduce(
    (last, { started_at, finished_at }) =>
      Math.max(last, Date.parse(finished_at ?? started_at)),
    0,
  );
}

/** When it began, and when it ended or is expected to. */
function Span(): JSX.Element {
  const { mission, ui } = useHere();
  const { started_at, finished_at } = mission.facts.value;
  const head = mission.head.value;
  if (started_at === null) return <p>Nothing has started yet.</p>;
  const took = duration(elapsedUntil(mission, ui.now.peek()));
  return (
    <p>
      <b>Started {clock(started_at)}.</b>{" "}
      {finished_at === null
        ? endOf(head, Date.parse(started_at) + head.elapsed_s * 1000)
        : `Ended ${clock(finished_at)}, after ${took}.`}
    </p>
  );
}

function AtWork(): JSX.Element | null {
  const { mission } = useHere();
  const { at_work, most_at_once } = mission.head.value;
  const { state, started_at } = mission.facts.value;
  if (started_at === null) return null;
  const most = grouped(most_at_once);
  return (
    <p class="tl-quiet">
      {isFinal(state)
        ? `Most at once ${most}.`
        : `${grouped(at_work)} at work now, most at once ${most}.`}
    </p>
  );
}

const LEGEND: readonly [Kind, string][] = [
  ["succeeded", "succeeded"],
  ["running", "running"],
  ["verifying", "verifying"],
  ["awaiting", "awaiting approval"],
  ["stalled", "stalled"],
  ["failed", "failed attempt"],
  ["other", "cancelled, abandoned or refused"],
  ["expected", "expected, at the earliest"],
];

/** What the bars mean, of those that there are. */
function Legend({ bars }: { bars: readonly Bar[] }): JSX.Element {
  const kinds = new Set(bars.map((bar) => bar.kind));
  return (
    <ul class="tl-legend" aria-label="What the bars mean">
      {LEGEND.filter(([kind]) => kinds.has(kind)).map(([kind, said]) => (
        <li key={kind}>
          <i class={`tl-bar k-${kind}`} />
          {said}
        </li>
      ))}
      {bars.some((bar) => bar.critical) && (
        <li>
          <i class="tl-bar k-expected tl-critical" />
          on the critical path
        </li>
      )}
    </ul>
  );
}
