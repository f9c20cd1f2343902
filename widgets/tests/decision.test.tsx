import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { pictureOf } from "../dev/fixtures";
import { HereContext } from "../src/here";
import { KernelLink } from "../src/link";
import { Mission } from "../src/mission";
import type { PlanSpec } from "../src/protocol";
import { newUi } from "../src/ui";
import { Decision } from "../src/views/decision";
import { setAllTicked, setTicked } from "../src/views/plan-choice";
import { settle } from "./shown";

const plan = pictureOf("awaiting_approval").plan as PlanSpec;
let model: FakeModel;
let link: KernelLink;
let el: HTMLElement;
let ui: ReturnType<typeof newUi>;
let mission: Mission;

beforeEach(() => {
  model = new FakeModel({});
  link = new KernelLink(model, () => undefined);
  ui = newUi("graph", "comfortable");
  el = document.body.appendChild(document.createElement("div"));
  mission = new Mission(pictureOf("awaiting_approval"));
  render(
    <HereContext.Provider value={{ mission, link, ui }}>
      <Decision />
    </HereContext.Provider>,
    el,
  );
});
afterEach(() => {
  render(null, el);
  el.remove();
  link.close();
});

const button = (name: string): HTMLButtonElement => {
  const found = [...el.querySelectorAll("button")].find((each) => each.textContent === name);
  if (!found) throw new Error(`There is no button ${name}.`);
  return found;
};

/** Id of the last question. */
const idOf = (asked: FakeModel): string =>
  asked.sent.flatMap((each) => (each.type === "ask" ? [each.id] : [])).at(-1) ?? "";

describe("a fork of which all is done already", () => {
  it("can be edited and rejected; there is nothing to approve", async () => {
    const head = mission.head.value;
    const actions = head.actions.filter(({ verb }) => verb !== "approve");
    mission.head.value = { ...head, actions };
    await settle();
    const names = [...el.querySelectorAll("button")].map((each) => each.textContent);
    expect(names).toEqual(["Edit", "Reject…"]);
  });
});

describe("a part of a plan", () => {
  it("is approved by the names that are ticked, and the magic says them", async () => {
    ui.choice.picking.value = true;
    setAllTicked(ui.choice, plan, false);
    setTicked(ui.choice, plan, "audit-auth", true);
    await settle();
    const approve = button("Approve 3 of 14 tasks");
    expect(approve.parentElement?.querySelector("code")?.textContent).toBe(
      "%hyper approve m-7 map-repo scan-secrets audit-auth",
    );
    expect(el.textContent).toContain("11 tasks will not run");
    approve.click();
    expect(model.sent).toMatchObject([
      { verb: "approve", args: { tasks: ["map-repo", "scan-secrets", "audit-auth"] } },
    ]);
    model.say({ type: "answer", id: idOf(model), ok: true, value: {} });
    await settle();
    expect(ui.choice.picking.value).toBe(false);
    expect(ui.choice.whole.value).toBe(true);
  });

  it("says what is left out below its buttons, not among them", async () => {
    ui.choice.picking.value = true;
    setTicked(ui.choice, plan, "write-report", false);
    await settle();
    const labels = [...el.querySelectorAll(".acts .btn")].map((each) => each.textContent);
    expect(labels.slice(1)).toEqual(["Stop choosing", "Edit", "Reject…"]);
    expect(el.querySelector(".acts")?.textContent).not.toContain("will not run");
    expect(el.querySelector('.note[role="status"]')?.textContent).toContain("will not run");
  });

  it("cannot be nothing", async () => {
    ui.choice.picking.value = true;
    setAllTicked(ui.choice, plan, false);
    await settle();
    expect(button("Approve 0 of 14 tasks").disabled).toBe(true);
    expect(el.textContent).toContain("Nothing is ticked");
  });

  it("is the whole while nothing is unticked", async () => {
    ui.choice.picking.value = true;
    await settle();
    button("Approve all 14 tasks").click();
    expect(model.sent).toMatchObject([{ verb: "approve", args: {} }]);
  });

  it("is what the sentence about the record speaks of", async () => {
    expect(el.querySelector(".record")?.textContent).toContain("Approving records revision");
    ui.choice.picking.value = true;
    setTicked(ui.choice, plan, "write-report", false);
    await settle();
    const said = el.querySelector(".record")?.textContent;
    expect(said).toContain("a new revision with only the ticked tasks");
    expect(el.textContent).toContain("are said above of the whole plan");
  });
});

/** A revision that has come, as a message tells it. */
function revise(revision: number, plan_hash: string): void {
  const facts = mission.facts.peek();
  mission.facts.value = { ...facts, revision, plan_hash };
}

describe("a revision that nobody has looked at", () => {
  it("cannot be approved before it was said to be seen", async () => {
    const before = button("Approve all 14 tasks");
    before.focus();
    await settle();
    revise(2, "other");
    await settle();
    expect(button("Approve all 14 tasks")).not.toBe(before);
    expect(button("Approve all 14 tasks").disabled).toBe(true);
    expect(document.activeElement).toBe(el.querySelector("h4"));
    expect(el.textContent).toContain("Revision 2 has come meanwhile");
    expect(ui.said.value).toContain("Revision 2 has come meanwhile");
    button("Approve all 14 tasks").click();
    expect(model.sent).toEqual([]);

    button("I have seen it").click();
    await settle();
    expect(document.activeElement).toBe(el.querySelector("h4"));
    button("Approve all 14 tasks").click();
    expect(model.sent).toMatchObject([{ verb: "approve", args: { plan_hash: "other" } }]);
  });

  it("is asked about again when the next one comes", async () => {
    revise(2, "second");
    await settle();
    button("I have seen it").click();
    await settle();
    expect(button("Approve all 14 tasks").disabled).toBe(false);
    revise(3, "third");
    await settle();
    expect(button("Approve all 14 tasks").disabled).toBe(true);
    expect(el.textContent).toContain("Revision 3 has come meanwhile");
  });

  it("holds a part back as well", async () => {
    ui.choice.picking.value = true;
    setTicked(ui.choice, plan, "write-report", false);
    await settle();
    revise(2, "other");
    await settle();
    expect(button("Approve 13 of 14 tasks").disabled).toBe(true);
  });

  it("is no other one if it was saved here, whichever is told first", async () => {
    await settle();
    ui.choice.saving.value = true;
    revise(2, "mine");
    await settle();
    expect(el.textContent).not.toContain("has come meanwhile");
    expect(button("Approve all 14 tasks").disabled).toBe(true);
    ui.choice.saved.value = 2;
    ui.choice.saving.value = false;
    await settle();
    button("Approve all 14 tasks").click();
    expect(model.sent).toMatchObject([{ args: { plan_hash: "mine" } }]);
  });
});

describe("an approval that was given", () => {
  it("leaves nothing to decide, and the focus where it was given", async () => {
    button("Approve all 14 tasks").focus();
    button("Approve all 14 tasks").click();
    const asked = model.sent.find((said) => said.type === "ask");
    model.say({ type: "answer", id: asked?.id ?? "", ok: true, value: {} });
    await settle();
    expect(el.querySelectorAll(".decision button")).toHaveLength(0);
    expect(el.textContent).toContain("The approval is given.");
    expect(document.activeElement).toBe(el.querySelector("h4"));
  });
});

describe("edits that are not saved", () => {
  it("hold the approval back, and are said", async () => {
    ui.choice.dirty.value = true;
    await settle();
    expect(button("Approve all 14 tasks").disabled).toBe(true);
    expect(button("Edit").disabled).toBe(true);
    expect(el.textContent).toContain("Some edits are not saved.");
  });
});

describe("the button Edit", () => {
  it("opens a contract, and ends editing when it is pressed again", async () => {
    button("Edit").click();
    await settle();
    expect(ui.choice.editing.value).toBe(true);
    expect(ui.task.value).toBe("map-repo");
    expect(button("Edit").getAttribute("aria-pressed")).toBe("true");
    button("Edit").click();
    await settle();
    expect(ui.choice.editing.value).toBe(false);
  });
});
