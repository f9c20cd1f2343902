import type { JSX } from "preact";
import type { Connection } from "../connection";
import type { Link } from "../link";
import { type Opening, useOpening } from "../opening";
import { ActionButton } from "../parts/action";
import { State } from "../parts/icon";
import { Segments, Tally } from "../parts/meter";
import { Said } from "../parts/phrase";
import { Quiet, QuietLine } from "../parts/quiet";
import { Refused } from "../parts/refused";
import type { MissionRow, MissionState } from "../protocol";
import { count, isFinal, line, MISSION_WORDS, shown } from "../words";
import { OpeningList, staleness } from "./opened";

interface Section {
  title: string;
  has: (row: MissionRow) => boolean;
}

const rest =
  (...states: MissionState[]) =>
  (row: MissionRow): boolean =>
    !row.needs_you && states.includes(row.mission.state);

const SECTIONS: readonly Section[] = [
  { title: "Needs you", has: (row) => row.needs_you },
  { title: "Running", has: rest("running") },
  { title: "Not started yet", has: rest("planning", "awaiting_approval") },
  { title: "Paused", has: rest("paused") },
];

/** All missions that have not ended, those that wait for a person first. */
export function HyperBoardView({ connection }: { connection: Connection }): JSX.Element {
  const opening = useOpening(connection);
  return (
    <OpeningList connection={connection} opening={opening} what="the board">
      <Live connection={connection} opening={opening} />
    </OpeningList>
  );
}

interface LiveProps {
  connection: Connection;
  opening: Opening;
}

function Live({ connection, opening }: LiveProps): JSX.Element {
  const message = connection.missions.value;
  const rows = (message?.rows ?? []).filter((row) => !isFinal(row.mission.state));
  const more = (message?.total ?? 0) - (message?.rows.length ?? 0);
  const stale = staleness(connection);
  return (
    <>
      <div class="block">
        <h3 class="list-title" ref={opening.heading} tabIndex={-1}>
          Live missions
          <span class="aside">{summary(rows)}</span>
        </h3>
        <p class="vh" role="status">
          {needs(rows)}
        </p>
        {stale && <QuietLine role="status">{shown(stale)}</QuietLine>}
        <Refused why={opening.refused.value} />
        {message === null && !stale && (
          <QuietLine role="status">
            Waiting for the kernel to tell which missions there are.
          </QuietLine>
        )}
        {message !== null && rows.length === 0 && <Nothing />}
      </div>
      {SECTIONS.map(({ title, has }) => (
        <Part
          key={title}
          title={title}
          rows={rows.filter(has)}
          link={connection.link}
          opening={opening}
        />
      ))}
      {more > 0 && (
        <p class="block quiet">
          And {count(more, "more live mission")}, which <code>%hyper ls</code> lists.
        </p>
      )}
    </>
  );
}

function Nothing(): JSX.Element {
  return (
    <>
      <p>No mission is under way, and none waits for you.</p>
      <QuietLine>
        A cell with <code>%%hyper</code> and a goal below it starts one. Past missions are in{" "}
        <code>History()</code>.
      </QuietLine>
    </>
  );
}

function summary(rows: readonly MissionRow[]): string {
  if (rows.length === 0) return "";
  const running = rows.reduce((sum, row) => sum + row.at_work, 0);
  return `${count(rows.length, "mission")}${running > 0 ? `, ${count(running, "task")} running` : ""}`;
}

function needs(rows: readonly MissionRow[]): string {
  const many = rows.filter((row) => row.needs_you).length;
  return many === 0 ? "" : `${count(many, "mission needs", "missions need")} you.`;
}

interface PartProps {
  title: string;
  rows: readonly MissionRow[];
  link: Link;
  opening: Opening;
}

function Part({ title, rows, link, opening }: PartProps): JSX.Element | null {
  if (rows.length === 0) return null;
  return (
    <section class={`block lane ${title === "Needs you" ? "attention" : ""}`}>
      <h4 class="h">
        {title}: {count(rows.length, "mission")}
      </h4>
      <ul class="cards">
        {rows.map((row) => (
          <li key={row.mission.id}>
            <Card row={row} link={link} opening={opening} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface CardProps {
  row: MissionRow;
  link: Link;
  opening: Opening;
}

function Card({ row, link, opening }: CardProps): JSX.Element {
  const { mission } = row;
  const decide = mission.state === "awaiting_approval" && row.needs_you;
  return (
    <article class="card" aria-label={`${mission.short_id}: ${line(mission.goal, 80)}`}>
      <p class="card-head">
        <State of={MISSION_WORDS[mission.state]} />
        <code>{mission.short_id}</code>
        <Quiet>{line(mission.playbook)}</Quiet>
      </p>
      <h5 class="card-goal" dir="auto">
        {line(mission.goal, 300)}
      </h5>
      <p class="card-told">
        <Said phrase={row.told} />
      </p>
      {mission.started_at !== null && (
        <>
          <Segments counts={row.counts} />
          <Tally counts={row.counts} />
        </>
      )}
      <QuietLine>{line(row.figures)}</QuietLine>
      <div class="card-acts">
        <button
          type="button"
          class={`btn ${decide ? "primary" : ""}`}
          disabled={link.liveness.value !== "live"}
          onClick={() => opening.open(mission.short_id)}
        >
          {decide ? "Read the plan and decide" : "Open"}
          <span class="vh"> {mission.short_id}</span>
        </button>
        {row.actions.map((action) => (
          <ActionButton key={action.verb} action={action} link={link} />
        ))}
      </div>
    </article>
  );
}
