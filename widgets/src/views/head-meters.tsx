import type { JSX } from "preact";
import { useHere } from "../here";
import { Segments, Share, Tally } from "../parts/meter";
import { QuietLine } from "../parts/quiet";
import type { HeadFacts } from "../protocol";
import { count, counting, duration, grouped, isFinal, line, money, shown } from "../words";
import { busyIn, showsMoney } from "./head-state";

/** How far the mission is, by tasks, and by money or time. */
export function Meters(): JSX.Element | null {
  const { mission } = useHere();
  const head = mission.head.value;
  if (head.total === 0) return null;
  return (
    <div class="meters">
      <Progress />
      {showsMoney(mission) ? <Money head={head} /> : <Time />}
      {head.findings && <p class="tally found">{shown(head.findings)}</p>}
    </div>
  );
}

/** `5 of 14 tasks succeeded`. */
export function doneText(head: HeadFacts): string {
  const done = head.counts.find(([state]) => state === "succeeded")?.[1] ?? 0;
  return `${grouped(done)} of ${count(head.total, "task")} succeeded`;
}

function Progress(): JSX.Element {
  const { mission } = useHere();
  const head = mission.head.value;
  return (
    <div class="meter">
      <p class="top">
        <b>{doneText(head)}</b>
        {head.left && <span>{shown(head.left)}</span>}
      </p>
      <Segments counts={head.counts} />
      <Tally counts={head.counts} />
      {head.left && head.left_from && (
        <QuietLine>Time left is estimated {shown(head.left_from)}.</QuietLine>
      )}
    </div>
  );
}

function Money({ head }: { head: HeadFacts }): JSX.Element {
  const { cost, reserved, budget, quote, spent } = head;
  const whole = Math.max(budget ?? 0, quote ?? 0, cost + reserved);
  const drawn = budget !== null || quote !== null;
  return (
    <div class="meter">
      <p class="top">
        <b>{line(spent)}</b>
        {quote !== null && <span>quote {money(quote)}</span>}
      </p>
      {drawn && <Share used={cost} kept={reserved} mark={quote} whole={whole} />}
      <ul class="tally">
        {drawn && <li>filled: spent</li>}
        {reserved > 0 && (
          <li>
            {drawn ? "striped: " : ""}
            {money(reserved)} reserved for running tasks
          </li>
        )}
        {drawn && quote !== null && <li>mark: quote</li>}
        {budget === null && <li>no budget was set</li>}
      </ul>
    </div>
  );
}

function Time(): JSX.Element {
  const { mission, ui } = useHere();
  const head = mission.head.value;
  const ended = isFinal(mission.facts.value.state);
  const elapsed = busyIn(mission, ui.now.value);
  const said = ended ? duration(elapsed) : counting(elapsed);
  return (
    <div class="meter">
      <p class="top">
        <b>
          {said}
          {head.deadline_s === null
            ? ended
              ? ""
              : " so far"
            : ` of at most ${duration(head.deadline_s)}`}
        </b>
        {head.worked_s > 0 && <span>{duration(Math.round(head.worked_s))} of work</span>}
      </p>
      {head.deadline_s !== null && <Share used={elapsed} whole={head.deadline_s} />}
    </div>
  );
}
