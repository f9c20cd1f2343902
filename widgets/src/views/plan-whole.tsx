import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { Button } from "../parts/button";
import { Quiet } from "../parts/quiet";
import { CommentField, Comments } from "./plan-comment";
import { type PlanDesk, WHOLE } from "./plan-desk";
import { type FactRow, Facts, factsOf, wordsOf } from "./plan-facts";
import { Fields, OtherProblems } from "./plan-field";
import { SaveButton } from "./plan-save";

/** The contract of the plan as a whole, folded until one wants it. */
export function Whole({ desk }: { desk: PlanDesk }): JSX.Element {
  const box = useRef<HTMLDetailsElement>(null);
  const changes = Object.keys(desk.draft.value.plan).length;
  const problems = desk.problemsByRow.value.get(WHOLE) ?? [];
  useSignalEffect(() => {
    const place = desk.goTo.value;
    if (place?.key !== WHOLE || !box.current) return;
    box.current.open = true;
    if (desk.fieldsOf(null).includes(place.field)) return; // the field takes it from here
    box.current.querySelector("summary")?.focus();
    desk.goTo.value = null;
  });
  return (
    <details class="plan-whole" ref={box}>
      <summary>
        <h3>The whole plan</h3>
        <Quiet>{summaryOf(desk)}</Quiet>
        {changes > 0 && <span class="plan-chip">changed</span>}
        {problems.length > 0 && <span class="plan-chip plan-bad">problem</span>}
      </summary>
      <OtherProblems
        desk={desk}
        row={null}
        onDone={() => box.current?.querySelector("summary")?.focus()}
      />
      {desk.editing.value ? (
        <div class="plan-form">
          <Fields desk={desk} row={null} />
          <div class="plan-acts">
            <SaveButton desk={desk} />
            <Button disabled={changes === 0} onClick={() => desk.undo(null)}>
              Undo these edits
            </Button>
          </div>
        </div>
      ) : (
        <Facts rows={factsOf(desk, null)} />
      )}
      <Facts rows={fixedOf(desk)} />
      <Comments task="" />
      {desk.mayEdit.value && <CommentField desk={desk} task="" />}
    </details>
  );
}

function summaryOf(desk: PlanDesk): string {
  const said = (field: string): string => wordsOf(desk, null, field);
  const capOf = (field: string): string => said(field) && `at most ${said(field)}`;
  const caps = [capOf("budget") || "no budget", capOf("deadline_s") || "no deadline"];
  return `${caps.join(", ")}, up to ${said("concurrency")} at once`;
}

/** What nobody edits: where it comes from, and what an approval is bound to. */
function fixedOf(desk: PlanDesk): FactRow[] {
  const plan = desk.stored.value;
  const { revision, plan_hash } = desk.mission.facts.value;
  const inputs = Object.keys(plan.inputs ?? {});
  return [
    ...(plan.root ? [["Folder", plan.root, true] as const] : []),
    ...(inputs.length > 0 ? [["Inputs", inputs.join(", "), true] as const] : []),
    ...(plan.planned_by ? [["Planned by", plan.planned_by] as const] : []),
    ["Revision", `${revision}, hash ${plan_hash.slice(0, 8)}`],
  ];
}
