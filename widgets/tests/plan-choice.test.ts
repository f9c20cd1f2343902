import { describe, expect, it } from "vitest";
import { pictureOf } from "../dev/fixtures";
import type { PlanSpec } from "../src/protocol";
import {
  endPicking,
  newPlanChoice,
  setAllTicked,
  setTicked,
  tickedIn,
} from "../src/views/plan-choice";

const plan = pictureOf("awaiting_approval").plan as PlanSpec;
const names = plan.tasks.map((task) => task.name);

describe("the ticks of a plan", () => {
  it("are all set at first, and cleared all at once", () => {
    const choice = newPlanChoice();
    expect(tickedIn(choice, plan)).toEqual(names);
    setAllTicked(choice, plan, false);
    expect(tickedIn(choice, plan)).toEqual([]);
    endPicking(choice);
    expect(choice.whole.value).toBe(true);
  });

  it("go with those of all that needs the task", () => {
    const choice = newPlanChoice();
    setTicked(choice, plan, "prove-findings", false);
    const left = names.filter((name) => !tickedIn(choice, plan).includes(name));
    expect(left).toEqual(["prove-findings", "rank-findings", "write-report"]);
  });

  it("come with those of all that the task needs", () => {
    const choice = newPlanChoice();
    setAllTicked(choice, plan, false);
    setTicked(choice, plan, "audit-auth", true);
    expect(tickedIn(choice, plan)).toEqual(["map-repo", "scan-secrets", "audit-auth"]);
  });
});
