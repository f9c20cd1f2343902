import "./mission-view.css";
import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Here, useHere } from "../here";
import { isFree, useLostFocus } from "../lost-focus";
import { Guarded } from "../parts/guarded";
import { type TabItem, Tabs } from "../parts/tabs";
import type { MissionState } from "../protocol";
import type { Tab } from "../ui";
import { announce } from "./announce";
import { Board } from "./board";
import { Decision } from "./decision";
import { Feed } from "./feed";
import { Focus, type Leave } from "./focus";
import { Foot } from "./foot";
import { Graph } from "./graph";
import { Head } from "./head";
import { Alarms, Needs } from "./needs";
import { StaleNotice } from "./notice";
import { Plan } from "./plan";
import { Result } from "./result";
import { Timeline } from "./timeline";

/** The parts of a mission; each can also stand in a cell of its own. */
export const TABS: readonly TabItem<Tab>[] = [
  { name: "graph", label: "Graph", part: Graph },
  { name: "board", label: "Board", part: Board },
  { name: "feed", label: "Feed", part: Feed },
  { name: "timeline", label: "Timeline", part: Timeline },
  { name: "result", label: "Result", part: Result },
  { name: "plan", label: "Plan", part: Plan },
];

/** In these states there is a plan at most, and nothing of it has run. */
const BEFORE: ReadonlySet<MissionState> = new Set([
  "planning",
  "awaiting_approval",
  "rejected",
]);

/** A whole mission: what it is, how it stands, what it needs, and the details in tabs. */
export function MissionView(): JSX.Element {
  const here = useHere();
  const { mission, ui } = here;
  const root = useRef<HTMLElement>(null);
  const land = useLanding(root, here);
  useEffect(() => announce(here), [here]);
  const leave: Leave = (to) => {
    ui.focus.value = null;
    land(to);
  };
  const focused = ui.focus.value !== null;
  return (
    <article
      ref={root}
      class="mission-view"
      aria-label={`Mission ${mission.facts.value.short_id}`}
      onKeyDown={(event) => {
        if (event.key === "Escape" && focused) leave("state");
      }}
    >
      <Head />
      <StaleNotice />
      {focused ? (
        <Focus leave={leave} />
      ) : (
        <>
          <Needs />
          <Alarms />
          <Decision />
          <Details />
        </>
      )}
      <Foot />
    </article>
  );
}

function Details(): JSX.Element | null {
  const { mission, ui } = useHere();
  if (BEFORE.has(mission.facts.value.state)) {
    return mission.plan.value === null ? null : (
      <Guarded>
        <Plan />
      </Guarded>
    );
  }
  const { tab } = ui;
  return (
    <Tabs
      label="Details of the mission"
      items={TABS}
      chosen={tab.value}
      choose={(name) => {
        tab.value = name;
      }}
    />
  );
}

type Place = "state" | "needs" | "task";
const PLACES: Readonly<Record<Place, string>> = {
  state: ":is(.stateline, .headline) [data-landing]",
  needs: "[data-needs]",
  task: ".solo [data-landing]",
};

/**
 * Keep the focus in the view when what had it goes: a button that was pressed and is not
 * offered any more would otherwise leave a person at the top of the page.
 */
function useLanding(
  root: { readonly current: HTMLElement | null },
  { mission, ui }: Here,
): (place: Place) => void {
  const wanted = useRef<Place | null>(null);
  const before = useRef<string | null>(null);
  const isLost = useLostFocus(root);
  const state = mission.facts.value.state;
  const focus = ui.focus.value;
  // What is to be decided may go a moment before or after the state changes.
  const asked = useComputed(() => {
    const { needs, decision } = mission.head.value;
    return `${needs.length} ${decision !== null}`;
  }).value;
  useLayoutEffect(() => {
    const entered = focus !== null && before.current === null;
    before.current = focus;
    // What was pressed may still be there; it goes when its own part is drawn, just after this.
    queueMicrotask(() => {
      const lands = isLost() || entered;
      const place = wanted.current ?? (lands ? (focus === null ? "state" : "task") : null);
      wanted.current = null;
      if (place === null || !isFree(root.current)) return;
      root.current?.querySelector<HTMLElement>(PLACES[place])?.focus();
    });
  }, [state, focus, asked]);
  return (place) => {
    wanted.current = place;
  };
}
