import { type Signal, signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Here } from "../here";
import { reasonOf } from "../link";
import { Button } from "../parts/button";
import { Refused } from "../parts/refused";
import type { Page } from "../protocol";
import { count } from "../words";
import { argsOf, type Filter, HEARTBEAT, isEverything } from "./feed-filter";
import { Matches } from "./feed-matches";

const PAGE = 50;

/** What is known of the events before those that are shown. */
export interface EarlierState {
  readonly busy: Signal<boolean>;
  readonly all: Signal<boolean>;
  readonly refused: Signal<string>;
  ask(): Promise<void>;
}

interface Props {
  of: EarlierState;
  live: boolean;
  /** Whether there is nothing before what is known. */
  none: boolean;
}

export function Earlier({ of, live, none }: Props): JSX.Element | null {
  if (of.all.value || none) return null;
  return (
    <>
      <Button
        small
        disabled={!live}
        aria-busy={of.busy.value || undefined}
        onClick={() => void of.ask()}
      >
        Show {PAGE} earlier
      </Button>
      <Refused why={of.refused.value} />
    </>
  );
}

/** Earlier events on demand: a page at a time, for the filter that is set. */
export function useEarlier(
  here: Here,
  filter: Signal<Filter>,
  matches: Matches,
  onAll: () => void,
): EarlierState {
  const fetches = useSignal(0);
  const asks = useRef(false);
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
    else matches.fetch(page.events, log.items, page.before ?? null);
    state.all.value = !page.more;
    // Its button goes, and the focus must not go with it.
    if (!page.more && asks.current) onAll();
    fetches.value += 1;
    here.ui.said.value = said(page);
  };
  const ask = async (pressed = true): Promise<void> => {
    if (state.busy.peek()) return;
    asks.current = pressed;
    state.busy.value = true;
    state.refused.value = "";
    try {
      const before = beforeOf(here, filter.peek(), matches);
      const args = { before, limit: PAGE, ...argsOf(filter.peek()) };
      const page = await here.link.ask<Page>("events", args);
      if (current.current === matches) take(page);
    } catch (error) {
      state.refused.value = reasonOf(error);
    } finally {
      state.busy.value = false;
    }
  };
  // The picture leaves heartbeats out, so whoever wants them has none to begin with.
  const wanted = filter.value.kind === HEARTBEAT && matches.items.length === 0;
  useEffect(() => {
    if (wanted) void ask(false);
  }, [matches]);
  return { ...state, ask };
}

/** The event before which to look; null for the newest of all. */
function beforeOf(here: Here, filter: Filter, matches: Matches): number | null {
  if (matches.reach !== null) return matches.reach;
  if (filter.kind === HEARTBEAT) return matches.items[0]?.seq ?? null;
  return here.mission.log.items[0]?.seq ?? null;
}

function said({ events, more }: Page): string {
  if (events.length === 0)
    return more
      ? "None among the events just before; there are still earlier ones."
      : "There are no earlier events.";
  return `${count(events.length, "earlier event")}${more ? "" : ", the first among them"}.`;
}
