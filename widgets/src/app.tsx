import type { ComponentType, JSX } from "preact";
import { attachAgain } from "./again";
import type { Connection } from "./connection";
import { MissionShell } from "./mission-shell";
import { Board } from "./views/board";
import { Feed } from "./views/feed";
import { Graph } from "./views/graph";
import { HistoryView } from "./views/history";
import { HyperBoardView } from "./views/hyper-board";
import { MissionView } from "./views/mission-view";
import { Plan } from "./views/plan";
import { Result } from "./views/result";
import { Alone } from "./views/standalone";
import { Timeline } from "./views/timeline";
import { shown } from "./words";

const alone = (part: ComponentType, plan = false): ComponentType => {
  return function PartAlone() {
    return <Alone part={part} plan={plan} />;
  };
};

const PARTS: Readonly<Record<string, ComponentType>> = {
  mission: MissionView,
  plan: alone(Plan, true),
  graph: alone(Graph),
  board: alone(Board),
  feed: alone(Feed),
  timeline: alone(Timeline),
  result: alone(Result),
};

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
      part={PARTS[component] ?? MissionView}
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
