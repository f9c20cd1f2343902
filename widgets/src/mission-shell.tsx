import { effect, type ReadonlySignal, type Signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";
import type { Connection } from "./connection";
import { type Here, HereContext } from "./here";
import { about } from "./link";
import type { Mission } from "./mission";
import { type Density, newUi, type Tab, type Ui } from "./ui";
import { isFinal } from "./words";

interface Props {
  connection: Connection;
  mission: Mission;
  part: ComponentType;
}

/** What stands around every view of one mission: what it knows, its clock, its live region. */
export function MissionShell({ connection, mission, part: Part }: Props): JSX.Element {
  const { model } = connection;
  const ui = useMemo(() => {
    const made = newUi(
      (model.get("tab") as Tab) || (isFinal(mission.facts.peek().state) ? "result" : "graph"),
      (model.get("density") as Density) || "comfortable",
    );
    made.task.value = (model.get("task") as string) || null;
    return made;
  }, []);
  const here = useMemo<Here>(
    () => ({
      mission,
      link: about(connection.link, mission.facts.peek().id),
      ui,
      closed: connection.closed,
      away: connection.away,
    }),
    [mission],
  );
  // The same element each time: what changes with every message is not the part's concern.
  const drawn = useMemo(() => <Part />, [mission]);
  useClock(here);
  useTraits(connection, ui);
  return (
    <HereContext.Provider value={here}>
      <div class="mission" data-density={ui.density.value} data-seq={mission.seq.value}>
        {drawn}
        <LiveRegion said={ui.said} />
      </div>
    </HereContext.Provider>
  );
}

/** What a screen reader is told, once it is free to tell it. */
function LiveRegion({ said }: { said: ReadonlySignal<string> }): JSX.Element {
  return (
    <p class="vh" role="status">
      {said.value}
    </p>
  );
}

/** Let the time of a view pass while its mission is under way and the page can be seen. */
function useClock({ mission, link, ui }: Here): void {
  useEffect(() => {
    const show = (): void => {
      // What nobody tells of any more may have ended: its time stands where it was last heard of.
      const at = link.liveness.peek() === "live" ? Date.now() : link.heardAt;
      ui.now.value = at + mission.skewMs;
    };
    const tick = (): void => {
      if (!document.hidden && !isFinal(mission.facts.peek().state)) show();
    };
    show();
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [mission]);
}

/** What a view shows that is a trait of its widget too, and what it is without a value there. */
const TRAITS = [
  ["tab", "graph"],
  ["density", "comfortable"],
  ["task", null],
] as const;

/** Tell Python what a person looks at, and follow it where it says what to look at. */
function useTraits(connection: Connection, ui: Ui): void {
  useLayoutEffect(() => {
    const ends = TRAITS.flatMap(([trait, otherwise]) => {
      const own: Signal<unknown> = ui[trait];
      return [
        connection.follow(trait, (value) => {
          own.value = value || otherwise;
        }),
        onChange(own, (value) => connection.put(trait, value)),
      ];
    });
    return () => {
      for (const end of ends) end();
    };
  }, [connection]);
}

/** Call with each new value of a signal, not with the one that it has. */
function onChange<Value>(of: ReadonlySignal<Value>, take: (value: Value) => void): () => void {
  let isFirst = true;
  return effect(() => {
    const { value } = of;
    if (!isFirst) take(value);
    isFirst = false;
  });
}
