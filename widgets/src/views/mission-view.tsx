import "./mission-view.css";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Here, useHere } from "../here";
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

const TABS: readonly TabItem<Tab>[] = [
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
    return mission.plan.value === null ? null : <Plan />;
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
  state: ".stateline [data-landing]",
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
  const last = useRef<Element | null>(null);
  const before = useRef<string | null>(null);
  const state = mission.facts.value.state;
  const focus = ui.focus.value;
  useEffect(() => {
    const remember = (event: Event): void => {
      last.current = event.target as Element;
    };
    const element = root.current;
    element?.addEventListener("focusin", remember);
    return () => element?.removeEventListener("focusin", remember);
  }, []);
  useLayoutEffect(() => {
    const lost = last.current !== null && !last.current.isConnected;
    // The button that was pressed may still be there; it goes when its own part is drawn.
    const entered = focus !== null && before.current === null;
    const lands = entered || lost;
    const place = wanted.current ?? (lands ? (focus === null ? "state" : "task") : null);
    wanted.current = null;
    before.current = focus;
    if (place === null || root.current === null) return;
    const to = root.current.querySelector<HTMLElement>(PLACES[place]);
    const now = (root.current.getRootNode() as Document | ShadowRoot).activeElement;
    last.current = null;
    // Whoever has gone elsewhere meanwhile is not called back.
    if (now === null || now === document.body || root.current.contains(now)) to?.focus();
  }, [state, focus]);
  return (place) => {
    wanted.current = place;
  };
}
