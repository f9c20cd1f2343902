import type { JSX } from "preact";
import { useHere } from "../here";
import type { Mission } from "../mission";
import { Actions } from "../parts/action";
import { Answers } from "../parts/answers";
import { Icon } from "../parts/icon";
import { secondsBetween } from "../slowly";
import { APPROVED, clock, counting, duration, isFinal, MISSION_WORDS, shown } from "../words";

/** The state in a word, since when, and what can be done to the whole mission. */
export function StateLine(): JSX.Element {
  const { mission, link } = useHere();
  const { state } = mission.facts.value;
  const head = mission.head.value;
  const approved =
    state === "awaiting_approval" && mission.plan.value !== null && head.decision === null;
  const word = approved ? APPROVED : MISSION_WORDS[state];
  const actions = head.decision
    ? head.actions.filter(({ verb }) => verb !== "approve" && verb !== "reject")
    : head.actions;
  const { at_once, why } = mission.clicks.value;
  return (
    <div class="stateline">
      <p>
        <span class="state" tabIndex={-1} data-landing>
          <Icon {...word} /> <span class="word">{sentenceCase(word.word)}</span>
        </span>{" "}
        <Since />
      </p>
      <div class="acts">
        <Actions of={actions} link={link} />
      </div>
      {!at_once && why && actions.length > 0 && <p class="quiet why">{shown(why)}</p>}
    </div>
  );
}

/** How the mission stands. */
export function Story(): JSX.Element {
  return <Answers of={useHere().mission.head.value} />;
}

/** Seconds from the start to the end, or to now. */
export function elapsedIn(mission: Mission, now: number): number {
  const { started_at, finished_at } = mission.facts.value;
  if (started_at === null) return 0;
  if (finished_at !== null) return secondsBetween(started_at, Date.parse(finished_at));
  // This page's clock may stand still while it is hidden; the kernel's does not.
  return Math.max(secondsBetween(started_at, now), mission.head.value.elapsed_s);
}

/** The same without the time in which it had ended, before it was tried again. */
export function busyIn(mission: Mission, now: number): number {
  return Math.max(0, elapsedIn(mission, now) - mission.head.value.rested_s);
}

/** Whether money is shown, not time. */
export function showsMoney(mission: Mission): boolean {
  const { budget, cost, unknown } = mission.head.value;
  return budget !== null || cost + unknown > 0;
}

function Since(): JSX.Element {
  return <span class="since">{shown(useSince())}</span>;
}

function useSince(): string {
  const { mission, ui } = useHere();
  const { state, started_at, finished_at } = mission.facts.value;
  const head = mission.head.value;
  if (isFinal(state) && started_at !== null) {
    const took = `in ${duration(busyIn(mission, 0))}`;
    const cost = head.cost + head.unknown > 0 ? ` for ${head.cost_says}` : "";
    const rested = Math.round(head.rested_s);
    const all = `${took}${cost}${rested > 0 ? `, with a pause of ${duration(rested)}` : ""}`;
    return finished_at ? `${all}, ended ${moment(finished_at, ui.now.value)}` : all;
  }
  if (started_at === null || state === "awaiting_approval") return head.since;
  const started = `started ${moment(started_at, ui.now.value)}`;
  // Time has a meter of its own where there is no money to show; one number counts, not two.
  if (!showsMoney(mission)) return started;
  const most = head.deadline_s === null ? "" : `, of at most ${duration(head.deadline_s)}`;
  return `${started}, ${counting(elapsedIn(mission, ui.now.value))} ago${most}`;
}

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });

/** Time of day; with the date where it is another day. */
export function moment(at: string, now: number): string {
  const time = new Date(at);
  const same = time.toDateString() === new Date(now).toDateString();
  return same ? clock(at) : `${clock(at)} on ${DATE.format(time)}`;
}

export function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
