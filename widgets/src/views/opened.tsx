import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Connection } from "../connection";
import { type Here, HereContext } from "../here";
import type { Mission } from "../mission";
import { newUi } from "../ui";
import { isFinal, line } from "../words";
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
  return <Whole key={mission.facts.peek().id} connection={connection} mission={mission} />;
}

function Whole({
  connection,
  mission,
}: {
  connection: Connection;
  mission: Mission;
}): JSX.Element {
  const ui = useMemo(() => newUi("graph", "comfortable"), []);
  const here = useMemo<Here>(() => ({ mission, link: connection.link, ui }), [mission]);
  useEffect(() => {
    const tick = (): void => {
      if (document.hidden || isFinal(mission.facts.peek().state)) return;
      ui.now.value = Date.now() + mission.skewMs;
    };
    ui.now.value = Date.now() + mission.skewMs;
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [mission]);
  return (
    <HereContext.Provider value={here}>
      <div class="mission" data-density={ui.density.value} data-seq={mission.seq.value}>
        <MissionView />
        <p class="vh" role="status">
          {ui.said.value}
        </p>
      </div>
    </HereContext.Provider>
  );
}
