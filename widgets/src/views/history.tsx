import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Connection } from "../connection";
import { type Opening, useOpening } from "../opening";
import { Button } from "../parts/button";
import { Options } from "../parts/options";
import { Quiet, QuietLine } from "../parts/quiet";
import { Refused } from "../parts/refused";
import { Table } from "../parts/table";
import type { Listed, MissionRow, MissionState } from "../protocol";
import { type Question, useQuestion } from "../question";
import { into } from "../typed";
import { count, grouped, MISSION_WORDS, shown } from "../words";
import { ComparedMissions } from "./history-compare";
import { PastMission } from "./history-row";
import { OpeningList, staleness } from "./opened";

const STEP = 50;
/** The kernel lists no more at once. */
const ROWS_AT_MOST = 500;
/** From the last key to the search. */
const TYPING_MS = 250;
const PAUSE_MS = 500;
/** Missions that run change all the time; a list of past ones need not tremble with them. */
const NEWS_MS = 3_000;

const LIVE: readonly MissionState[] = ["planning", "awaiting_approval", "running", "paused"];
const STATES: readonly (readonly [string, string])[] = [
  ["", "all states"],
  ["live", "not ended yet"],
  ...Object.entries(MISSION_WORDS).map(([state, { word }]) => [state, word] as const),
];

interface Filter {
  readonly typed: Signal<string>;
  /** What is looked for: what was typed, a moment later. */
  readonly text: Signal<string>;
  /** A state, `live`, or empty for all. */
  readonly state: Signal<string>;
  readonly limit: Signal<number>;
}

/** Past missions: search, filter, compare two, open one, fork it, write it to a file. */
export function HistoryView({ connection }: { connection: Connection }): JSX.Element {
  const opening = useOpening(connection);
  const chosen = useSignal<readonly string[]>([]);
  const comparing = useSignal<readonly [string, string] | null>(null);
  const filter: Filter = {
    typed: useSignal(""),
    text: useSignal(""),
    state: useSignal(""),
    limit: useSignal(STEP),
  };
  const cameBack = useRef(false);
  useEffect(() => {
    if (comparing.value !== null || !cameBack.current) return;
    cameBack.current = false;
    opening.heading.current?.focus();
  }, [comparing.value]);
  return (
    <OpeningList connection={connection} opening={opening} what="the list">
      {comparing.value ? (
        <ComparedMissions
          link={connection.link}
          of={comparing.value}
          onBack={() => {
            comparing.value = null;
            cameBack.current = true;
          }}
        />
      ) : (
        <List {...{ connection, opening, chosen, comparing, filter }} />
      )}
    </OpeningList>
  );
}

interface ListProps {
  connection: Connection;
  opening: Opening;
  chosen: Signal<readonly string[]>;
  comparing: Signal<readonly [string, string] | null>;
  filter: Filter;
}

function List({ connection, opening, chosen, comparing, filter }: ListProps): JSX.Element {
  const { link } = connection;
  // What the kernel tells by itself is the newest missions: a sign to ask anew.
  const news = useCalm(connection.missions.value?.n ?? 0);
  const asked = useQuestion<Listed>(link, "missions", argsOf(filter), news, PAUSE_MS);
  const listed = asked.value.value;
  const rows = listed?.rows ?? [];
  return (
    <>
      <div class="block">
        <h3 class="list-title" ref={opening.heading} tabIndex={-1}>
          History
        </h3>
        <Search filter={filter} />
        <Told asked={asked} filter={filter} stale={staleness(connection)} />
        <Refused why={opening.refused.value} />
      </div>
      <Comparing rows={rows} chosen={chosen} comparing={comparing} />
      {rows.length > 0 && (
        <div class="block">
          <Table
            look="past"
            label="Missions, newest first"
            of={[
              "Compare",
              "Mission",
              ["State", "wide-only"],
              ["Took", "num wide-only"],
              ["Cost", "num wide-only"],
            ]}
          >
            {rows.map((row) => (
              <PastMission
                key={row.mission.id}
                row={row}
                link={link}
                opening={opening}
                chosen={chosen}
              />
            ))}
          </Table>
          <More filter={filter} shownNow={rows.length} total={listed?.total ?? 0} />
        </div>
      )}
    </>
  );
}

/** A number that changes all the time, as it was a moment ago. */
function useCalm(number: number): number {
  const calm = useSignal(number);
  const latest = useRef(number);
  latest.current = number;
  const isBehind = number !== calm.value;
  useEffect(() => {
    if (!isBehind) return;
    const timer = setTimeout(() => {
      calm.value = latest.current;
    }, NEWS_MS);
    return () => clearTimeout(timer);
  }, [isBehind]);
  return calm.value;
}

function argsOf(filter: Filter): Record<string, unknown> {
  const state = filter.state.value;
  return {
    text: filter.text.value,
    states: state === "live" ? LIVE : state === "" ? [] : [state],
    limit: filter.limit.value,
    offset: 0,
  };
}

// -- searching ---------------------------------------------------------------------------

function Search({ filter }: { filter: Filter }): JSX.Element {
  const { typed, text, limit } = filter;
  const look = (): void => {
    limit.value = STEP;
    text.value = typed.value;
  };
  useEffect(() => {
    if (typed.value === text.value) return;
    const timer = setTimeout(look, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed.value]);
  return (
    <search class="filters">
      <label>
        Words in a mission, or m-7
        <input
          type="search"
          maxLength={500}
          value={typed.value}
          onInput={into(typed)}
          onKeyDown={(event) => {
            if (event.key === "Enter") look();
          }}
        />
      </label>
      <label>
        State
        <select
          value={filter.state.value}
          onChange={(event) => {
            limit.value = STEP;
            filter.state.value = event.currentTarget.value;
          }}
        >
          <Options of={STATES} />
        </select>
      </label>
    </search>
  );
}

interface ToldProps {
  asked: Question<Listed>;
  filter: Filter;
  stale: string;
}

function Told({ asked, filter, stale }: ToldProps): JSX.Element {
  const listed = asked.value.value;
  const refused = asked.refused.value;
  const filtered = filter.text.value.trim() !== "" || filter.state.value !== "";
  return (
    <>
      {stale && <QuietLine>{shown(stale)}</QuietLine>}
      <Refused why={stale ? "" : refused} />
      <QuietLine role="status">
        {listed ? summary(listed, filtered) : asked.busy.value && "Asking the kernel."}
      </QuietLine>
      {listed?.total === 0 && !filtered && (
        <p>
          A cell with <code>%%hyper</code> and a goal below it starts the first one.
        </p>
      )}
    </>
  );
}

function summary({ total }: Listed, filtered: boolean): string {
  if (total > 0) {
    const like = filtered ? (total === 1 ? " is like that" : " are like that") : "";
    return `${count(total, "mission")}${like}, newest first.`;
  }
  return filtered
    ? "No mission is like that. Use fewer words, or another state."
    : "There is no mission yet.";
}

interface MoreProps {
  filter: Filter;
  shownNow: number;
  total: number;
}

function More({ filter, shownNow, total }: MoreProps): JSX.Element | null {
  const left = total - shownNow;
  if (left <= 0) return null;
  if (shownNow >= ROWS_AT_MOST) {
    return (
      <QuietLine>
        The newest {grouped(shownNow)} of {grouped(total)} are listed. Words of it find an
        earlier one.
      </QuietLine>
    );
  }
  return (
    <p class="more">
      <Button
        small
        onClick={() => {
          filter.limit.value = Math.min(filter.limit.value + STEP, ROWS_AT_MOST);
        }}
      >
        Show {Math.min(STEP, left)} more
      </Button>{" "}
      <Quiet>
        {grouped(shownNow)} of {grouped(total)} are listed.
      </Quiet>
    </p>
  );
}

// -- choosing two ------------------------------------------------------------------------

interface ComparingProps {
  rows: readonly MissionRow[];
  chosen: Signal<readonly string[]>;
  comparing: Signal<readonly [string, string] | null>;
}

function Comparing({ rows, chosen, comparing }: ComparingProps): JSX.Element | null {
  if (rows.length < 2 && chosen.value.length === 0) return null;
  // The earlier one stands left: one reads what became of it.
  const [a, b] = [...chosen.value].sort((one, other) => numberOf(one) - numberOf(other));
  return (
    <div class="block compare-bar">
      <span role="status">
        {a === undefined
          ? "Tick two missions to compare them."
          : b === undefined
            ? `${a} is ticked. Tick another one to compare them.`
            : `${a} and ${b} are ticked.`}
      </span>
      {a !== undefined && b !== undefined && (
        <Button
          onClick={() => {
            comparing.value = [a, b];
          }}
        >
          Compare {a} with {b}
        </Button>
      )}
    </div>
  );
}

const numberOf = (ref: string): number => Number(ref.replace(/\D/g, ""));
