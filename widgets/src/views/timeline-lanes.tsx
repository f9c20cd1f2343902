import type { JSX } from "preact";
import { askedSince } from "../asked";
import { agentName } from "../crew";
import { type Here, useHere } from "../here";
import { TaskLink } from "../parts/task-link";
import { secondsBetween } from "../slowly";
import { clock, counting, duration, line } from "../words";
import type { Bar, Group } from "./timeline-rows";
import { type Scale, shareOf, ticksOf } from "./timeline-scale";

// The narrowest lane there is, in em; labels that fit beside a bar there fit everywhere.
const LANE_EM = 34;
const LETTER_EM = 0.48;
const REACHED = { tabIndex: 0 } as const;

interface Props {
  groups: readonly Group[];
  /** When the axis begins, in milliseconds. */
  start: number;
  scale: Scale;
  /** The present in milliseconds; nought before anything has started. */
  now: number;
  running: boolean;
}

/** The bars, as a table that reads the same facts out. */
export function Lanes({ groups, start, scale, now, running }: Props): JSX.Element {
  const present = running ? (now - start) / 1000 : null;
  return (
    <section class="tl-scroll" aria-label="Attempts by agent" {...REACHED}>
      <Passing scale={scale} present={present}>
        <table class="tl-table">
          <colgroup>
            <col class="tl-col-agent" />
            <col class="tl-col-task" />
            <col class="tl-col-attempt" />
            <col />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">Agent</th>
              <th scope="col">Task</th>
              <th scope="col">Attempt</th>
              <th scope="col">
                <span class="vh">When and how long</span>
                <Axis scale={scale} present={present} />
              </th>
            </tr>
          </thead>
          {groups.map((group) => (
            <tbody key={group.agent}>
              {group.bars.map((bar, index) => (
                <tr key={bar.key}>
                  {index === 0 && (
                    <th scope="rowgroup" rowSpan={group.bars.length}>
                      {agentName(group.agent)}
                    </th>
                  )}
                  <Lane bar={bar} start={start} scale={scale} now={now} />
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </Passing>
    </section>
  );
}

interface AxisProps {
  scale: Scale;
  /** Seconds from the start to the present; null if time has stopped. */
  present: number | null;
}

/** Moves the line of the present, and with it the ends of all bars that still grow. */
function Passing({
  scale,
  present,
  children,
}: AxisProps & { children: JSX.Element }): JSX.Element {
  const share = present === null ? -1 : shareOf(scale, present);
  return (
    <div
      class={present === null ? undefined : "tl-live"}
      style={{
        "--tl-now": share.toFixed(5),
        "--tl-steps": Math.round(scale.length / scale.step),
      }}
    >
      {children}
    </div>
  );
}

function Axis({ scale, present }: AxisProps): JSX.Element {
  return (
    <div class="tl-axis" aria-hidden="true">
      {ticksOf(scale, present).map(({ share, label }) => (
        <span key={label} class={share === 0 ? "tl-zero" : ""} style={{ left: percent(share) }}>
          {label}
        </span>
      ))}
      {present !== null && (
        <b key="now" style={{ left: percent(shareOf(scale, present)) }}>
          now
        </b>
      )}
    </div>
  );
}

interface LaneProps {
  bar: Bar;
  start: number;
  scale: Scale;
  now: number;
}

function Lane({ bar, start, scale, now }: LaneProps): JSX.Element {
  const here = useHere();
  const left = shareOf(scale, (bar.from - start) / 1000);
  const right = shareOf(scale, ((bar.to ?? now) - start) / 1000);
  const said = saidOf(here, bar, now);
  const marked = here.ui.task.value === bar.task || undefined;
  const width =
    bar.to === null ? `calc(var(--tl-now) * 100% - ${percent(left)})` : percent(right - left);
  return (
    <>
      <th scope="row" class="tl-task" aria-current={marked}>
        <TaskLink name={bar.task} />
      </th>
      <td class="tl-attempt">{bar.attempt ?? <span class="vh">none yet</span>}</td>
      <td class="tl-lane">
        <div>
          <span
            class={`tl-bar k-${bar.kind} ${bar.critical ? "tl-critical" : ""}`}
            style={{ left: percent(left), width }}
          >
            <em class={`tl-${sideOf(left, right, said)}`} aria-hidden="true">
              {said}
            </em>
          </span>
          <span class="vh">{readOf(bar, said, start)}</span>
        </div>
      </td>
    </>
  );
}

/** The words beside a bar. */
function saidOf({ mission }: Here, bar: Bar, now: number): string {
  const length = (bar.to ?? now) - bar.from;
  const seconds = Math.max(0, length / 1000);
  if (bar.kind === "expected") return `expected, ${duration(Math.round(seconds))}`;
  if (bar.kind === "succeeded") return duration(rounded(seconds));
  if (bar.to !== null) return `${bar.word} after ${duration(rounded(seconds))}`;
  const task = mission.task(bar.task);
  if (bar.kind === "stalled" && task?.heartbeat_at) {
    return `stalled, silent for ${counting(secondsBetween(task.heartbeat_at, now))}`;
  }
  if (bar.kind === "awaiting" && task) {
    const since = askedSince(mission, task);
    return since ? `${bar.word}, ${counting(secondsBetween(since, now))}` : bar.word;
  }
  return `${bar.word}, ${counting(seconds)}`;
}

function rounded(seconds: number): number {
  return seconds < 10 ? seconds : Math.round(seconds);
}

/** The same for those who do not see the bar: when, what, and what came in between. */
function readOf(bar: Bar, said: string, start: number): string {
  const from = start === 0 ? `after ${duration(bar.from / 1000)}` : `from ${clock(bar.from)}`;
  const to = bar.to !== null && start !== 0 ? ` to ${clock(bar.to)}` : "";
  const word = bar.kind === "succeeded" ? "succeeded, " : "";
  const path = bar.critical ? ", on the critical path" : "";
  const error = bar.error ? `: ${line(bar.error)}` : "";
  return `${word}${said}, ${from}${to}${path}${error}`;
}

/** On which side of its bar a label fits. */
function sideOf(left: number, right: number, said: string): "after" | "before" | "within" {
  const width = (said.length * LETTER_EM + 1.2) / LANE_EM;
  if (right + width <= 1) return "after";
  return left >= width ? "before" : "within";
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}
