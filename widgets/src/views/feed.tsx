import "./feed.css";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { useHere } from "../here";
import type { Mission } from "../mission";
import { Button } from "../parts/button";
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
            <Button
              class={`btn small ${atEnd.value ? "fd-none" : ""}`}
              onClick={() => handle.current?.toEnd()}
            >
              Go to the newest
            </Button>
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

function Counted(props: CountedProps): JSX.Element {
  const [told, rest] = countedOf(props, useHere().mission.totalEvents.value);
  return (
    <>
      {told && <b>{told}</b>}
      <span class="fd-quiet">{rest}</span>
    </>
  );
}

/** What is counted, and what else is said of it. */
function countedOf({ count: number, filter, all }: CountedProps, total: number): string[] {
  if (total === 0) return ["", "Nothing has happened yet."];
  const inAll = `${grouped(total)} in all`;
  if (!isEverything(filter)) {
    if (number === 0)
      return ["No event matches", `${all ? "" : " so far; earlier ones may"}. ${inAll}.`];
    const matching = count(number, "event that matches", "events that match");
    return [all ? matching : `Newest ${matching}`, `; ${inAll}. Newest last.`];
  }
  if (number === 0) return ["", "No events so far, heartbeats left out."];
  return all
    ? [count(number, "event"), `, ${inAll} with heartbeats. Newest last.`]
    : [
        `${grouped(number)} newest of ${count(total, "event")}`,
        ", heartbeats left out. Newest last.",
      ];
}
