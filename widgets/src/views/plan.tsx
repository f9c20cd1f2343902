import "./plan.css";
import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useHere } from "../here";
import { useKeptPlace } from "../keep-place";
import { QuietLine } from "../parts/quiet";
import { setTicked } from "./plan-choice";
import { deskOf, type PlanDesk } from "./plan-desk";
import { ProblemList } from "./plan-problems";
import { Rail } from "./plan-rail";
import { DraftBar } from "./plan-save";
import { Tasks } from "./plan-table";
import { Whole } from "./plan-whole";

/** The contract of a mission: to be read, and before the decision to be edited. */
export function Plan(): JSX.Element {
  const here = useHere();
  const desk = deskOf(here);
  const { mission, ui } = here;
  useEffect(() => desk.watch(), [desk]);
  useEffect(() => takeRevision(desk, here), [mission.plan.value, mission.facts.value.revision]);
  useSignalEffect(() => {
    if (ui.task.value !== null) desk.openAdded.value = null;
  });
  if (mission.plan.value === null) {
    return (
      <section class="block plan-view">
        <QuietLine>There is no plan yet. It is being made, and nothing runs.</QuietLine>
      </section>
    );
  }
  return <Read desk={desk} />;
}

function Read({ desk }: { desk: PlanDesk }): JSX.Element {
  const root = useRef<HTMLElement>(null);
  useKeptPlace(root);
  return (
    <section ref={root} class="block plan-view" aria-label="The plan">
      <div class="plan-two">
        <Rail desk={desk} />
        <div class="plan-main">
          <ProblemList desk={desk} />
          <DraftBar desk={desk} />
          <Whole desk={desk} />
          <Tasks desk={desk} />
        </div>
      </div>
    </section>
  );
}

/** Bring edits and ticks in line with a revision that has come. */
function takeRevision(desk: PlanDesk, { mission, ui }: ReturnType<typeof useHere>): void {
  desk.settle();
  const plan = mission.plan.peek();
  const unticked = ui.choice.unticked.peek();
  if (plan === null || unticked.size === 0) return;
  const names = new Set(plan.tasks.map((task) => task.name));
  ui.choice.unticked.value = new Set();
  for (const name of unticked) if (names.has(name)) setTicked(ui.choice, plan, name, false);
}
