import type { JSX } from "preact";
import type { Connection } from "../connection";
import { MissionShell } from "../mission-shell";
import { line } from "../words";
import { MissionView } from "./mission-view";

interface Props {
  connection: Connection;
  /** Short id of the mission that was opened. */
  wanted: string;
}

/** One mission of a list, opened inside of it: its whole view, once its picture has come. */
export function Opened({ connection, wanted }: Props): JSX.Element {
  const mission = connection.mission.value;
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
