import "./result.css";
import "./missions.css";
import type { ComponentChildren, JSX } from "preact";
import type { Connection } from "../connection";
import { MissionShell } from "../mission-shell";
import type { Opening } from "../opening";
import { BackToList } from "../parts/back-to-list";
import { Button } from "../parts/button";
import { line } from "../words";
import { MissionView } from "./mission-view";

interface Props {
  connection: Connection;
  opening: Opening;
  /** Short id of the mission that was opened. */
  wanted: string;
}

interface ListProps {
  connection: Connection;
  opening: Opening;
  /** What one comes back to: `the list`. */
  what: string;
  children: ComponentChildren;
}

/** A list of missions, or in its place the one of them that was opened. */
export function OpeningList({ connection, opening, what, children }: ListProps): JSX.Element {
  const wanted = opening.opened.value;
  return (
    <div class="missions">
      {wanted === null ? (
        children
      ) : (
        <>
          <BackToList opening={opening} what={what} />
          <Opened {...{ connection, opening, wanted }} />
        </>
      )}
    </div>
  );
}

/** Why a list is not current; empty while it is. */
export function staleness({ away, closed, link }: Connection): string {
  if (closed.value) return closed.value;
  if (link.liveness.value === "live") return away.value;
  return (
    "The kernel is silent, so this is how it was. " +
    "Import hypernb anew and run the cell again to see how it is."
  );
}

/** One mission of a list, opened inside of it: its whole view, once its picture has come. */
function Opened({ connection, opening, wanted }: Props): JSX.Element {
  const mission = connection.mission.value;
  const now = connection.opened.value;
  if (now !== null && now.mission !== wanted && !opening.asking.value)
    return <Overtaken {...{ connection, opening, wanted }} by={now.mission} />;
  if (mission === null || mission.facts.value.short_id !== wanted) {
    return (
      <p class="block quiet" role="status">
        Opening {line(wanted)}.
      </p>
    );
  }
  return (
    <MissionShell
      key={mission.facts.peek().id}
      connection={connection}
      mission={mission}
      part={MissionView}
    />
  );
}

/** In the place of a mission that the kernel follows no more, for another view of the list. */
function Overtaken({
  connection,
  opening,
  wanted,
  by,
}: Props & { by: string | null }): JSX.Element {
  return (
    <div class="block">
      <p role="status">
        {by === null
          ? `Another view of this list has closed ${line(wanted)}.`
          : `Another view of this list has opened ${line(by)}, and a list has one mission open ` +
            "at a time."}
      </p>
      <Button
        disabled={connection.link.liveness.value !== "live"}
        onClick={() => opening.open(wanted)}
      >
        Show {line(wanted)} here
      </Button>
    </div>
  );
}
