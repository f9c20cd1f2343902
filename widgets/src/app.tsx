import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Connection } from "./connection";
import { type Here, HereContext } from "./here";
import { type Density, newUi, type Tab, type Ui } from "./ui";
import { Board } from "./views/board";
import { Feed } from "./views/feed";
import { Graph } from "./views/graph";
import { HistoryView } from "./views/history";
import { HyperBoardView } from "./views/hyper-board";
import { MissionView } from "./views/mission-view";
import { Plan } from "./views/plan";
import { Result } from "./views/result";
import { Timeline } from "./views/timeline";
import { isFinal } from "./words";

const PARTS: Readonly<Record<string, () => JSX.Element>> = {
  mission: MissionView,
  plan: Plan,
  graph: Graph,
  board: Board,
  feed: Feed,
  timeline: Timeline,
  result: Result,
};

/** The view that a widget is: one mission's, or that of many. */
export function App({ connection }: { connection: Connection }): JSX.Element {
  const { component, model } = connection;
  if (component === "history") return <HistoryView connection={connection} />;
  if (component === "hyper_board") return <HyperBoardView connection={connection} />;
  const mission = connection.mission.value;
  if (mission === null) {
    return (
      <div class="block quiet" role="status">
        {connection.closed.value || "Waiting for the kernel to tell what the mission is."}
      </div>
    );
  }
  const Part = PARTS[component] ?? MissionView;
  const ui = useMemo(
    () =>
      newUi(
        (model.get("tab") as Tab) || "graph",
        (model.get("density") as Density) || "comfortable",
      ),
    [],
  );
  const here = useMemo<Here>(() => ({ mission, link: connection.link, ui }), [mission]);
  useClock(here);
  return (
    <HereContext.Provider value={here}>
      <div class="mission" data-density={ui.density.value} data-seq={mission.seq.value}>
        <Part />
      </div>
    </HereContext.Provider>
  );
}

/** Let the time of a view pass while its mission is under way and the page can be seen. */
function useClock({ mission, ui }: { mission: Here["mission"]; ui: Ui }): void {
  useEffect(() => {
    const tick = (): void => {
      if (document.hidden || isFinal(mission.facts.peek().state)) return;
      ui.now.value = Date.now() + mission.skewMs;
    };
    ui.now.value = Date.now() + mission.skewMs;
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [mission]);
}
