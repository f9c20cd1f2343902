import "./feed.css";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { useHere } from "../here";
import type { Mission } from "../mission";
import { count, grouped } from "../words";
import { Earlier, useEarlier } from "./feed-earlier";
import { type Filter, HEARTBEAT, isEverything, matcherOf } from "./feed-filter";
import { Filters } from "./feed-filters";
import { Matches, placeOf } from "./feed-matches";
import { Rows, type RowsHandle } from "./feed-rows";
import { TaskPanel } from "./task-panel";

/** What one feed shows of the matching events: those up to where it was paused. */
interface Shown {
  /** How many of the matches are shown. */
  readonly count: number;
  /** How many came since it was paused. */
  readonly waiting: number;
}

/** The event log: everything that happened, newest last. */
export function Feed(): JSX.Element {
  const here = useHere();
  const { filter, pausedAt } = here.ui.feed;
  const atEnd = useSignal(true);
  const handle = useRef<RowsHandle | null>(null);
  const matches = useMemo(
    () => new Matches(matcherOf(filter.value, (task) => here.mission.task(task)?.agent)),
    [here.mission, filter.value],
  );
  void here.mission.log.version.value;
  matches.sync(here.mission.log.items);
  const now = shownOf(matches, pausedAt.value);
  const earlier = useEarlier(here, filter, matches, () => handle.current?.focus());

  return (
    <>
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
            <Earlier
              of={earlier}
              live={here.link.liveness.value === "live"}
              none={filter.value.kind !== HEARTBEAT && isWhole(here.mission)}
            />
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
      <TaskPanel />
    </>
  );
}

/** Whether the log goes back to the beginning; heartbeats, which it leaves out, are counted too. */
function isWhole({ log, totalEvents }: Mission): boolean {
  return log.items.length >= totalEvents.value || log.items[0]?.kind === "mission.created";
}

function shownOf(matches: Matches, pausedAt: number | null): Shown {
  const { items } = matches;
  const shownCount = pausedAt === null ? items.length : placeOf(items, pausedAt + 1);
  return { count: shownCount, waiting: items.length - shownCount };
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
