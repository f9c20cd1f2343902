import type { JSX } from "preact";
import { useHere } from "../here";
import type { Mission } from "../mission";
import { Actions } from "../parts/action";
import { Answers } from "../parts/answers";
import { Icon } from "../parts/icon";
import { clock, counting, duration, isFinal, MISSION_WORDS, money, shown } from "../words";

/** The state in a word, since when, and what can be done to the whole mission. */
export function StateLine(): JSX.Element {
  const { mission, link } = useHere();
  const { state } = mission.facts.value;
  const word = MISSION_WORDS[state];
  const head = mission.head.value;
  const actions = head.decision
    ? head.actions.filter(({ verb }) => verb !== "approve" && verb !== "reject")
    : head.actions;
  const { at_once, why } = mission.clicks.value;
  return (
    <div class="stateline">
      <p>
        <span class="state" tabIndex={-1} data-landing>
          <Icon shape={word.shape} role={word.role} />{" "}
          <span class="word">{sentenceCase(word.word)}</span>
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
  const end = finished_at === null ? now : Date.parse(finished_at);
  return Math.max(0, end - Date.parse(started_at)) / 1000;
}

/** Whether money is shown, not time. */
export function showsMoney(mission: Mission): boolean {
  const { budget, cost } = mission.head.value;
  return budget !== null || cost > 0;
}

function Since(): JSX.Element {
  return <span class="since">{shown(useSince())}</span>;
}

function useSince(): string {
  const { mission, ui } = useHere();
  const { state, started_at, finished_at } = mission.facts.value;
  const head = mission.head.value;
  if (isFinal(state) && started_at !== null) {
    const took = `in ${duration(Math.round(elapsedIn(mission, 0)))}`;
    const cost = head.cost > 0 ? ` for ${money(head.cost)}` : "";
    return finished_at ? `${took}${cost}, ended ${moment(finished_at, ui.now.value)}` : took;
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
