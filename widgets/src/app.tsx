import type { ComponentType, JSX } from "preact";
import { attachAgain } from "./again";
import type { Connection } from "./connection";
import { MissionShell } from "./mission-shell";
import { HistoryView } from "./views/history";
import { HyperBoardView } from "./views/hyper-board";
import { MissionView, TABS } from "./views/mission-view";
import { Alone } from "./views/standalone";
import { shown } from "./words";

const PARTS: ReadonlyMap<string, ComponentType> = new Map(
  TABS.map(({ name, part }) => [name, () => <Alone part={part} plan={name === "plan"} />]),
);

/** The view that a widget is: one mission's, or that of many. */
export function App({ connection }: { connection: Connection }): JSX.Element {
  const { component } = connection;
  if (component === "history") return <HistoryView connection={connection} />;
  if (component === "hyper_board") return <HyperBoardView connection={connection} />;
  const mission = connection.mission.value;
  if (mission === null) return <Waiting connection={connection} />;
  return (
    <MissionShell
      key={mission.facts.peek().id}
      connection={connection}
      mission={mission}
      part={PARTS.get(component) ?? MissionView}
    />
  );
}

/** Before the first picture, or instead of it. */
function Waiting({ connection }: { connection: Connection }): JSX.Element {
  return (
    <p class="block quiet" role="status">
      {shown(connection.closed.value || connection.away.value) || waitingText(connection)}
    </p>
  );
}

function waitingText({ link, model }: Connection): string {
  return link.liveness.value === "live"
    ? "Waiting for the kernel to tell what the mission is."
    : "The kernel has not told what the mission is. " +
        attachAgain(String(model.get("mission_id") ?? ""));
}
