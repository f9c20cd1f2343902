import "./timeline.css";
import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Here, useHere } from "../here";
import type { Mission } from "../mission";
import { Button } from "../parts/button";
import { slowNow } from "../slowly";
import { clock, count, duration, grouped, isFinal } from "../words";
import { elapsedUntil } from "./board-cards";
import { TaskPanel } from "./task-panel";
import { endOf } from "./timeline-end";
import { Lanes } from "./timeline-lanes";
import { firstBars, type Group, groupsOf, howMany, type Kind } from "./timeline-rows";
import { type Scale, scaleOf } from "./timeline-scale";

const BARS_AT_FIRST = 300;
const BARS_MORE = 200;
/** Above so many tasks and attempts the bars are reckoned every five seconds, not with each change. */
const MANY = 1_000;

/** All attempts along the time, by agent, with the critical path. */
export function Timeline(): JSX.Element {
  const here = useHere();
  const limit = useSignal(BARS_AT_FIRST);
  const drawn = useDrawn(here);
  const shown = firstBars(drawn.groups, limit.value);
  const rest = howMany(drawn.groups) - limit.value;
  return (
    <>
      <section class="block tl" aria-label="Timeline">
        <div class="tl-head">
          <Span />
          <AtWork />
        </div>
        <h3 class="h">Attempts by agent</h3>
        {shown.length === 0 ? (
          <p class="quiet">
            Nothing has been tried yet, and nothing is known of how long it takes.
          </p>
        ) : (
          <Lanes
            groups={shown}
            start={drawn.start}
            scale={drawn.scale}
            now={drawn.now}
            running={drawn.running}
          />
        )}
        {rest > 0 && (
          <p class="tl-more">
            And {count(rest, "more attempt")}.{" "}
            <Button
              small
              onClick={() => {
                limit.value += BARS_MORE;
              }}
            >
              Show {grouped(Math.min(rest, BARS_MORE))} more
            </Button>
          </p>
        )}
        {shown.length > 0 && <Legend groups={drawn.groups} />}
      </section>
      <TaskPanel />
    </>
  );
}

interface Drawn {
  readonly groups: readonly Group[];
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
  const start = started_at === null ? 0 : Math.min(Date.parse(started_at), earliest(groups));
  const left = running ? (mission.head.peek().left_s ?? 0) : 0;
  const last = latest(groups, ended ? start : now);
  const seconds = (Math.max(last, running ? now + left * 1000 : 0) - start) / 1000;
  const { length, step } = scaleOf(seconds);
  const scale = useMemo(() => ({ length, step }), [length, step]);
  return { groups, start, scale, now, running };
}

/** The last that is known to have happened: our clock may be a little behind it. */
function newest({ attempts }: Mission): number {
  let last = 0;
  for (const { started_at, finished_at } of attempts) {
    last = Math.max(last, Date.parse(finished_at ?? started_at));
  }
  return last;
}

function earliest(groups: readonly Group[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { bars } of groups) for (const bar of bars) first = Math.min(first, bar.from);
  return first;
}

function latest(groups: readonly Group[], now: number): number {
  let last = now;
  for (const { bars } of groups) for (const bar of bars) last = Math.max(last, bar.to ?? now);
  return last;
}

/** When it began, and when it ended or is expected to. */
function Span(): JSX.Element {
  const { mission, ui } = useHere();
  const { started_at, finished_at } = mission.facts.value;
  const head = mission.head.value;
  if (started_at === null) return <p>Nothing has started yet.</p>;
  const took = duration(Math.round(elapsedUntil(mission, ui.now.peek())));
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
function Legend({ groups }: { groups: readonly Group[] }): JSX.Element {
  const kinds = new Set<Kind>();
  let critical = false;
  for (const { bars } of groups) {
    for (const bar of bars) {
      kinds.add(bar.kind);
      critical ||= bar.critical;
    }
  }
  return (
    <ul class="tl-legend" aria-label="What the bars mean">
      {LEGEND.filter(([kind]) => kinds.has(kind)).map(([kind, said]) => (
        <li key={kind}>
          <i class={`tl-bar k-${kind}`} />
          {said}
        </li>
      ))}
      {critical && (
        <li>
          <i class="tl-bar k-expected tl-critical" />
          on the critical path
        </li>
      )}
    </ul>
  );
}
