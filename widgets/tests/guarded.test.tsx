import { afterEach, describe, expect, it, vi } from "vitest";
import { pictureOf } from "../dev/fixtures";
import type { Batch, EventFacts, HeadFacts, PlanSpec } from "../src/protocol";
import { type OnPage, showView } from "./shown";

let page: OnPage;

afterEach(() => {
  page.end();
  vi.unstubAllGlobals();
});

/** What no kernel of this version says. */
function odd(more: Partial<Batch>): Batch {
  const picture = pictureOf("running");
  return {
    type: "batch",
    mission_id: picture.mission.id,
    n: 2,
    from_seq: picture.seq,
    seq: picture.seq + 1,
    now: picture.now,
    tasks: [],
    attempts: [],
    events: [],
    total_events: 1,
    ...more,
  };
}

describe("what cannot be drawn", () => {
  it("says so, and leaves the parts around it as they are", async () => {
    const report = vi.fn();
    vi.stubGlobal("reportError", report);
    page = showView(pictureOf("running"), { tab: "feed" });
    await page.drawn();
    const seq = pictureOf("running").seq + 1;
    page.model.say(odd({ events: [{ seq, told: 5 } as unknown as EventFacts] }));
    await page.drawn();
    expect(page.el.querySelector("[role=tabpanel]")?.textContent).toContain(
      "This part of the view cannot be drawn",
    );
    expect(report).toHaveBeenCalled();
    expect(page.text()).toContain("Pause");
    page.button("Board").click();
    await page.drawn();
    expect(page.text()).not.toContain("cannot be drawn");
  });

  it("leaves the decision on a plan where it is", async () => {
    vi.stubGlobal("reportError", vi.fn());
    const picture = pictureOf("awaiting_approval");
    const plan = { ...picture.plan, tasks: [{ name: 5 }] } as unknown as PlanSpec;
    page = showView({ ...picture, plan });
    await page.drawn();
    expect(page.text()).toContain("cannot be drawn");
    expect(page.text()).toContain("Approve all 14 tasks");
  });

  it("is drawn again when it can be", async () => {
    vi.stubGlobal("reportError", vi.fn());
    page = showView();
    const { head } = pictureOf("running");
    page.model.say(odd({ head: { ...head, needs: null } as unknown as HeadFacts }));
    await page.drawn();
    expect(page.text()).toContain("cannot be drawn");
    page.model.say(pictureOf("running"));
    page.button("Draw it again").click();
    await page.drawn();
    expect(page.text()).toContain("Waiting for");
    expect(page.text()).not.toContain("cannot be drawn");
  });
});
