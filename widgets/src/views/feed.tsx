import "./feed.css";
import { type Signal, signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { type Here, useHere } from "../here";
import { Refusal } from "../link";
import type { EventFacts, Page } from "../protocol";
import type { Ui } from "../ui";
import { count, grouped, shown } from "../words";
import {
  argsOf,
  EVERYTHING,
  type Filter,
  HEARTBEAT,
  isEverything,
  testOf,
} from "./feed-filter";
import { Filters } from "./feed-filters";
import { Matches, placeOf } from "./feed-matches";
import { Rows, type RowsHandle } from "./feed-rows";

const PAGE = 50;

/** What one feed shows: the matching events, up to where it was paused. */
interface Shown {
  readonly matches: Matches;
  /** How many of the matches are shown. */
  readonly count: number;
  /** How many came since it was paused. */
  readonly waiting: number;
}

interface Choice {
  readonly filter: Signal<Filter>;
  /** The last event that is shown while the feed is paused. */
  readonly pausedAt: Signal<number | null>;
}

// What was chosen in a view stays chosen while another of its tabs is looked at.
const CHOICES = new WeakMap<Ui, Choice>();

function choiceOf(ui: Ui): Choice {
  let choice = CHOICES.get(ui);
  if (choice === undefined) {
    choice = { filter: signal(EVERYTHING), pausedAt: signal(null) };
    CHOICES.set(ui, choice);
  }
  return choice;
}

/** The event log: everything that happened, newest last. */
export function Feed(): JSX.Element {
  const here = useHere();
  const { filter, pausedAt } = choiceOf(here.ui);
  const fetches = useSignal(0);
  const atEnd = useSignal(true);
  const handle = useRef<RowsHandle | null>(null);
  const matches = useMemo(
    () => new Matches(testOf(filter.value, (task) => here.mission.task(task)?.agent)),
    [here.mission, filter.value],
  );
  void here.mission.log.version.value;
  matches.sync(here.mission.log.items);
  const now = shownOf(matches, pausedAt.value);
  const earlier = useEarlier(here, filter, matches, fetches);

  return (
    <section class="block fd" aria-label="Feed">
      <h3 class="vh">Feed</h3>
      <Filters
        filter={filter}
        paused={pausedAt.value !== null}
        onPause={() => {
          pausedAt.value = pausedAt.value === null ? here.mission.log.lastSeq : null;
        }}
      />
      <div class="fd-head">
        <p>
          <Counted count={now.count} filter={filter.value} all={earlier.all.value} />
          {pausedAt.value !== null && (
            <b class="fd-waiting">
              {now.waiting > 0
                ? `${count(now.waiting, "new event waits", "new events wait")}.`
                : "Paused; nothing new."}
            </b>
          )}
        </p>
        <div class="fd-acts">
          <button
            type="button"
            class={`btn small ${atEnd.value ? "fd-none" : ""}`}
            onClick={() => handle.current?.toEnd()}
          >
            Go to the newest
          </button>
          <Earlier of={earlier} live={here.link.liveness.value === "live"} />
        </div>
      </div>
      <Rows
        items={matches.items}
        count={now.count}
        generation={matches.generation}
        atEnd={atEnd}
        handle={handle}
      />
    </section>
  );
}

function shownOf(matches: Matches, pausedAt: number | null): Shown {
  const { items } = matches;
  const shownCount = pausedAt === null ? items.length : placeOf(items, pausedAt + 1);
  return { matches, count: shownCount, waiting: items.length - shownCount };
}

interface CountedProps {
  count: number;
  filter: Filter;
  /** Whether there are no earlier ones. */
  all: boolean;
}

function Counted({ count: number, filter, all }: CountedProps): JSX.Element {
  const { mission } = useHere();
  const total = mission.totalEvents.value;
  if (total === 0) return <span class="fd-quiet">Nothing has happened yet.</span>;
  const inAll = `${grouped(total)} in all`;
  if (isEverything(filter)) {
    if (number === 0)
      return <span class="fd-quiet">No events so far, heartbeats left out.</span>;
    return all ? (
      <>
        <b>{count(number, "event")}</b>
        <span class="fd-quiet">, {inAll} with heartbeats. Newest last.</span>
      </>
    ) : (
      <>
        <b>
          {grouped(number)} newest of {count(total, "event")}
        </b>
        <span class="fd-quiet">, heartbeats left out. Newest last.</span>
      </>
    );
  }
  if (number === 0) {
    return (
      <>
        <b>No event matches</b>
        <span class="fd-quiet">
          {all ? "" : " so far; earlier ones may"}. {inAll}.
        </span>
      </>
    );
  }
  const matching =
    number === 1 ? "1 event that matches" : `${grouped(number)} events that match`;
  return (
    <>
      <b>{all ? matching : `Newest ${matching}`}</b>
      <span class="fd-quiet">; {inAll}. Newest last.</span>
    </>
  );
}

interface EarlierState {
  readonly busy: Signal<boolean>;
  readonly all: Signal<boolean>;
  readonly refused: Signal<string>;
  ask(): Promise<void>;
}

function Earlier({ of, live }: { of: EarlierState; live: boolean }): JSX.Element | null {
  if (of.all.value) return null;
  return (
    <>
      <button
        type="button"
        class="btn small"
        disabled={!live}
        aria-busy={of.busy.value || undefined}
        onClick={() => void of.ask()}
      >
        Show {PAGE} earlier
      </button>
      {of.refused.value && (
        <span class="refused" role="alert">
          {shown(of.refused.value)}
        </span>
      )}
    </>
  );
}

/** Earlier events on demand: a page at a time, for the filter that is set. */
function useEarlier(
  here: Here,
  filter: Signal<Filter>,
  matches: Matches,
  fetches: Signal<number>,
): EarlierState {
  void fetches.value;
  const state = useMemo(
    () => ({ busy: signal(false), all: signal(false), refused: signal("") }),
    [matches],
  );
  const current = useRef(matches);
  current.current = matches;
  useEffect(
    () => () => {
      // What is answered after the view has gone is of no use to it.
      current.current = new Matches(() => false);
    },
    [],
  );

  const take = (page: Page): void => {
    const { log } = here.mission;
    if (isEverything(filter.peek())) log.prepend(page.events);
    else matches.fetch(page.events, log.items);
    state.all.value = !page.more;
    fetches.value += 1;
    here.ui.said.value = said(page);
  };
  const ask = async (): Promise<void> => {
    if (state.busy.peek()) return;
    state.busy.value = true;
    state.refused.value = "";
    try {
      const before = beforeOf(here, filter.peek(), matches);
      const args = { before, limit: PAGE, ...argsOf(filter.peek()) };
      const page = await here.link.ask<Page>("events", args);
      if (current.current === matches) take(page);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      state.refused.value = `${error.message} ${error.hint}`.trim();
    } finally {
      state.busy.value = false;
    }
  };
  // The picture leaves heartbeats out, so whoever wants them has none to begin with.
  const wanted = filter.value.kind === HEARTBEAT && matches.items.length === 0;
  useEffect(() => {
    if (wanted) void ask();
  }, [matches]);
  return { ...state, ask };
}

/** The event before which to look; null for the newest of all. */
function beforeOf(here: Here, filter: Filter, matches: Matches): number | null {
  if (matches.reach !== null) return matches.reach;
  if (filter.kind === HEARTBEAT) return matches.items[0]?.seq ?? null;
  return here.mission.log.items[0]?.seq ?? null;
}

function said({ events, more }: { events: readonly EventFacts[]; more: boolean }): string {
  if (events.length === 0) return "There are no earlier events.";
  return `${count(events.length, "earlier event")}${more ? "" : ", the first among them"}.`;
}
