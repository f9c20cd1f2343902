import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { largePicture, MISSION_ID, pictureOf } from "../dev/fixtures";
import { type Here, HereContext } from "../src/here";
import { KernelLink } from "../src/link";
import { Mission } from "../src/mission";
import type {
  Batch,
  Checked,
  Decision,
  Difference,
  Draft,
  Picture,
  PlanSpec,
  Problem,
  TaskSpec,
  ToKernel,
} from "../src/protocol";
import { newUi, openTask } from "../src/ui";
import { Plan } from "../src/views/plan";
import { setTicked } from "../src/views/plan-choice";

type Ask = Extract<ToKernel, { type: "ask" }>;

const NO_DIFFERENCE: Difference = {
  from_revision: 2,
  to_revision: 3,
  added: [],
  removed: [],
  changed: [],
  same: 14,
};

let root: HTMLElement;
let model: FakeModel;
let here: Here;
let link: KernelLink;

function show(picture: Picture = pictureOf("awaiting_approval")): void {
  model = new FakeModel({});
  const mission = new Mission(picture);
  link = new KernelLink(model, (message) => {
    if (message.type === "batch") mission.apply(message);
  });
  here = {
    mission,
    ui: newUi("plan", "comfortable"),
    link,
  };
  root = document.body.appendChild(document.createElement("div"));
  draw();
}

function draw(): void {
  act(() => {
    render(
      <HereContext.Provider value={here}>
        <Plan />
      </HereContext.Provider>,
      root,
    );
  });
}

/** A plan in which a model does one task. */
function withModels(): Picture {
  const picture = pictureOf("awaiting_approval");
  const { plan, head } = picture;
  if (!plan || !head.decision) throw new Error("There is no plan to decide on.");
  const tasks = plan.tasks.map((task) =>
    task.name === "audit-ui" ? { ...task, work: { ...task.work, model: "big" } } : task,
  ) as TaskSpec[];
  const decision: Decision = {
    ...head.decision,
    models: [
      ["big", "big at api.example: $2 read, $8 written"],
      ["small", "small, cheaper, at api.example: $0.1 read, $0.4 written"],
    ],
  };
  return { ...picture, plan: { ...plan, tasks }, head: { ...head, decision } };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  act(() => render(null, root));
  link.close();
  root.remove();
  vi.useRealTimers();
});

const text = (): string => root.textContent ?? "";
const all = <Kind extends Element>(selector: string): Kind[] => [
  ...root.querySelectorAll<Kind>(selector),
];

function button(label: string | RegExp): HTMLButtonElement {
  const found = all<HTMLButtonElement>("button").find((each) =>
    typeof label === "string"
      ? each.textContent?.trim() === label
      : label.test(each.textContent ?? ""),
  );
  if (!found) throw new Error(`No button says ${label}: ${text()}`);
  return found;
}

const press = (label: string | RegExp): void => {
  act(() => button(label).click());
};

function control(field: string): HTMLInputElement {
  const found = root.querySelector<HTMLInputElement>(
    `[data-field="${field}"] :is(input, select, textarea)`,
  );
  if (!found) throw new Error(`There is no field ${field}: ${text()}`);
  return found;
}

function type(field: string, value: string): void {
  act(() => {
    control(field).value = value;
    control(field).dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function choose(field: string, value: string): void {
  act(() => {
    control(field).value = value;
    control(field).dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function tick(box: HTMLInputElement): void {
  act(() => {
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

const asks = (verb: string): Ask[] =>
  model.sent.filter((each): each is Ask => each.type === "ask" && each.verb === verb);

const lastDraft = (verb: string): Draft => asks(verb).at(-1)?.args.draft as Draft;

function rest(): void {
  act(() => {
    vi.advanceTimersByTime(300);
  });
}

async function answer(verb: string, value: unknown): Promise<void> {
  const ask = asks(verb).at(-1);
  if (!ask) throw new Error(`Nobody asked to ${verb}.`);
  await act(async () => {
    model.say({ type: "answer", id: ask.id, ok: true, value });
  });
}

async function refuse(verb: string, message: string, hint = ""): Promise<void> {
  const ask = asks(verb).at(-1);
  await act(async () => {
    model.say({
      type: "answer",
      id: ask?.id ?? 0,
      ok: false,
      error: { code: "refused", message, hint },
    });
  });
}

const planNow = (): PlanSpec => here.mission.plan.value as PlanSpec;

const checked = (more: Partial<Checked> = {}): Checked => ({
  problems: [],
  difference: NO_DIFFERENCE,
  plan: planNow(),
  twin: "%hyper edit m-7 audit-ui",
  ...more,
});

function revision(number: number, change: (plan: PlanSpec) => PlanSpec): void {
  const batch: Batch = {
    type: "batch",
    mission_id: MISSION_ID,
    n: 2,
    from_seq: 3,
    seq: 4,
    now: new Date().toISOString(),
    mission: { ...here.mission.facts.value, revision: number },
    plan: change(planNow()),
    tasks: [],
    attempts: [],
    events: [],
    total_events: 60,
  };
  act(() => model.say(batch));
}

const withTask = (plan: PlanSpec, name: string, values: Partial<TaskSpec>): PlanSpec => ({
  ...plan,
  tasks: plan.tasks.map((task) => (task.name === name ? { ...task, ...values } : task)),
});

function startEditing(): void {
  act(() => {
    here.ui.choice.editing.value = true;
  });
}

function edit(name = "audit-ui"): void {
  startEditing();
  press(name);
}

describe("the contract", () => {
  it("opens under its row and takes the focus", () => {
    show();
    press("audit-ui");
    expect(button("audit-ui").getAttribute("aria-expanded")).toBe("true");
    expect(document.activeElement?.textContent).toContain("Contract of t8 audit-ui");
    expect(here.ui.task.value).toBe("audit-ui");
  });

  it("gives the focus back when it is closed", () => {
    show();
    press("audit-ui");
    press("Close");
    expect(document.activeElement).toBe(button("audit-ui"));
    expect(here.ui.task.value).toBeNull();
  });

  it("is gone to when it is opened again from elsewhere", () => {
    show();
    startEditing();
    press("Add a task");
    act(() => openTask(here.ui, "audit-ui"));
    expect(document.activeElement?.textContent).toContain("Contract of t8 audit-ui");
    act(() => control("goal").focus());
    act(() => openTask(here.ui, "audit-ui"));
    expect(document.activeElement?.textContent).toContain("Contract of t8 audit-ui");
  });

  it("is closed by Escape, after what is asked in it, and keeps the edits", () => {
    show();
    edit();
    type("goal", "Other");
    press("Drop this task…");
    const takeBack = (from: Element): void => {
      act(() => {
        from.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
      });
    };
    takeBack(button("Drop it"));
    expect(document.activeElement).toBe(button("Drop this task…"));
    takeBack(control("goal"));
    expect(document.activeElement).toBe(button("audit-ui"));
    expect(here.ui.choice.dirty.value).toBe(true);
  });

  it("takes no focus when it was open from the beginning", () => {
    show();
    act(() => render(null, root));
    here.ui.task.value = "audit-ui";
    draw();
    expect(text()).toContain("Contract of t8");
    expect(document.activeElement).toBe(document.body);
  });

  it("is read, not edited, until one says so", () => {
    show();
    press("audit-ui");
    expect(all("[data-field]")).toHaveLength(0);
    expect(text()).toContain("3 min for each attempt");
    press("Edit the plan");
    expect(control("goal").value).toBe("Read all 31 templates: escaping, forms, labels");
  });

  it("shows a Python function with its source instead of tools", () => {
    const picture = pictureOf("awaiting_approval");
    const plan = withTask(picture.plan as PlanSpec, "audit-ui", {
      agent: "",
      work: { kind: "python", label: "steps.fetch", source: "def fetch():\n    return 1\n" },
    });
    show({ ...picture, plan });
    edit();
    expect(text()).toContain("Python function steps.fetch");
    expect(root.querySelector("pre")?.textContent).toContain("return 1");
    expect(all('[data-field="tools"]')).toHaveLength(0);
  });

  it("shows an agent in Python with its source", () => {
    const picture = pictureOf("awaiting_approval");
    const plan = withTask(picture.plan as PlanSpec, "audit-ui", {
      work: { kind: "agent", label: "crew.Mine", source: "class Mine:\n    pass\n" },
    });
    show({ ...picture, plan });
    edit();
    expect(text()).toContain("Python agent crew.Mine");
    expect(root.querySelector("pre")?.textContent).toContain("pass");
  });

  it("shows the model of a task, in the table and with what it costs", () => {
    show(withModels());
    expect(text()).toContain("frontend-specialist with big");
    press("audit-ui");
    expect(text()).toContain("Modelbig at api.example: $2 read, $8 written");
  });

  it("tells of no model where the plan asks none", () => {
    show();
    press("audit-ui");
    expect(all("dt").map((each) => each.textContent)).not.toContain("Model");
  });

  it("shows what tools are called with", () => {
    const picture = pictureOf("awaiting_approval");
    const plan = withTask(picture.plan as PlanSpec, "audit-ui", {
      work: { kind: "agent", tools: ["tests"], params: { tests: { command: "pytest -q" } } },
    });
    show({ ...picture, plan });
    press("audit-ui");
    expect(text()).toContain('Arguments of tests{"command":"pytest -q"}');
  });
});

describe("edits", () => {
  it("are sent to be checked after a rest, once", () => {
    show();
    edit();
    type("goal", "Read");
    type("goal", "Read all");
    expect(asks("check")).toHaveLength(0);
    rest();
    expect(asks("check")).toHaveLength(1);
    expect(lastDraft("check").changes).toEqual({ "audit-ui": { goal: "Read all" } });
  });

  it("are none any more when the value is as before", () => {
    show();
    edit();
    type("attempts", "5");
    expect(here.ui.choice.dirty.value).toBe(true);
    type("attempts", "3");
    expect(here.ui.choice.dirty.value).toBe(false);
  });

  it("keep seconds exact", () => {
    const picture = pictureOf("awaiting_approval");
    show({
      ...picture,
      plan: withTask(picture.plan as PlanSpec, "audit-ui", { timeout_s: 100 }),
    });
    edit();
    expect(control("timeout_s").value).toBe("1:40");
    type("timeout_s", "1.1");
    rest();
    expect(lastDraft("check").changes["audit-ui"]).toEqual({ timeout_s: 66 });
  });

  it("keep a text that is no value, and are not saved with it", async () => {
    show();
    edit();
    type("timeout_s", "soon");
    expect(control("timeout_s").value).toBe("soon");
    rest();
    expect(lastDraft("check").changes["audit-ui"]).toEqual({ timeout_s: "soon" });
    const text = "This is no length of time.";
    const problem = { task: "audit-ui", field: "timeout_s", text, instead: 180 };
    await answer("check", checked({ problems: [problem] }));
    expect(control("timeout_s").getAttribute("aria-invalid")).toBe("true");
    const save = all<HTMLButtonElement>("button").filter((each) =>
      each.textContent?.startsWith("Save as"),
    );
    expect(save.every((each) => each.disabled)).toBe(true);
    expect(root.textContent).toContain("It can be saved when the problem is fixed.");
    type("timeout_s", "3");
    expect(root.textContent).not.toContain("It can be saved when");
    expect(asks("edit")).toHaveLength(0);
  });

  it("read needs by name, by number and with commas in names", () => {
    const picture = pictureOf("awaiting_approval");
    const plan = withTask(picture.plan as PlanSpec, "map-repo", { name: "map, then read" });
    show({ ...picture, plan });
    edit();
    type("needs", "map, then read, t2,inventory-deps,");
    rest();
    expect(lastDraft("check").changes["audit-ui"]?.needs).toEqual([
      "map, then read",
      "scan-secrets",
      "inventory-deps",
    ]);
  });

  it("complete the name that is being typed", () => {
    show();
    edit();
    type("needs", "map-repo, base");
    const offered = all<HTMLOptionElement>('[data-field="needs"] option');
    expect(offered.map((each) => each.value)).toEqual(["map-repo, baseline-tests"]);
  });

  it("change agent, tools and what a failure does", () => {
    show();
    edit();
    choose("agent", "qa-engineer");
    choose("on_failure", "skip");
    const boxes = all<HTMLInputElement>('[data-field="tools"] input');
    tick(boxes[2] as HTMLInputElement);
    rest();
    expect(lastDraft("check").changes["audit-ui"]).toEqual({
      agent: "qa-engineer",
      on_failure: "skip",
      work: { kind: "agent", tools: ["files", "scan", "git"] },
    });
    tick(all<HTMLInputElement>('[data-field="tools"] input')[2] as HTMLInputElement);
    rest();
    expect(lastDraft("check").changes["audit-ui"]?.work).toBeUndefined();
  });

  it("change the model of a task, and keep it when its tools change", () => {
    show(withModels());
    edit();
    const options = all<HTMLOptionElement>('[data-field="model"] option');
    expect(options.map((each) => each.value)).toEqual(["big", "small"]);
    expect(options[1]?.text).toBe("small, cheaper, at api.example: $0.1 read, $0.4 written");
    choose("model", "small");
    tick(all<HTMLInputElement>('[data-field="tools"] input')[2] as HTMLInputElement);
    rest();
    expect(lastDraft("check").changes["audit-ui"]).toEqual({
      work: { kind: "agent", tools: ["files", "scan", "git"], model: "small" },
    });
    tick(all<HTMLInputElement>('[data-field="tools"] input')[2] as HTMLInputElement);
    expect(control("model").value).toBe("small");
    choose("model", "big");
    rest();
    expect(here.ui.choice.dirty.value).toBe(false);
  });

  it("give a model to a task that has none, where the plan asks models", () => {
    const picture = withModels();
    show({ ...picture, plan: pictureOf("awaiting_approval").plan });
    edit();
    expect(control("model").value).toBe("");
    choose("model", "small");
    rest();
    expect(lastDraft("check").changes["audit-ui"]?.work).toMatchObject({ model: "small" });
  });

  it("change the plan itself", () => {
    show();
    startEditing();
    type("budget", "");
    type("concurrency", "2");
    rest();
    expect(lastDraft("check").plan).toEqual({ budget: null, concurrency: 2 });
    expect(text()).toContain("Your edits of the plan itself are not saved.");
  });

  it("add a task and drop one, after asking", () => {
    show();
    startEditing();
    press("Add a task");
    expect(document.activeElement).toBe(control("name"));
    type("name", "read-docs");
    press("map-repo");
    press("Drop this task…");
    expect(text()).toContain(
      "audit-auth, audit-api, audit-schema, audit-ui and audit-modules need",
    );
    press("Drop it");
    rest();
    const draft = lastDraft("check");
    expect(draft.add.map((task) => task.name)).toEqual(["read-docs"]);
    expect(draft.drop).toEqual(["map-repo"]);
    press("Keep this task");
    rest();
    expect(lastDraft("check").drop).toEqual([]);
    press("read-docs");
    press("Remove this new task…");
    press("Remove it");
    expect(document.activeElement).toBe(button("Add a task"));
    expect(here.ui.choice.dirty.value).toBe(false);
  });

  it("are undone for one task or for all", () => {
    show();
    edit();
    type("goal", "Other");
    press("map-repo");
    type("goal", "Another");
    press("Undo my edits");
    expect(control("goal").value).toContain("Map modules");
    expect(text()).toContain("Your edits of 1 task are not saved.");
    press("Undo all edits");
    expect(here.ui.choice.dirty.value).toBe(false);
  });

  it("outlive the tab", () => {
    show();
    edit();
    type("goal", "Other");
    act(() => render(null, root));
    expect(vi.getTimerCount()).toBe(1); // the link's own
    draw();
    expect(control("goal").value).toBe("Other");
  });
});

const TYPO: Problem = {
  task: "audit-ui",
  field: "needs",
  text: "No task is called map-repoo. Did you mean map-repo?",
  instead: ["map-repo"],
};

describe("problems", () => {
  async function mistake(): Promise<void> {
    show();
    edit();
    type("needs", "map-repoo");
    rest();
    await answer("check", checked({ problems: [TYPO] }));
  }

  it("stand at the field and in the list", async () => {
    await mistake();
    const field = control("needs");
    expect(field.getAttribute("aria-invalid")).toBe("true");
    const described = (field.getAttribute("aria-describedby") ?? "").split(" ");
    const said = described.map((id) => document.getElementById(id)?.textContent).join(" ");
    expect(said).toContain("No task is called map-repoo.");
    expect(text()).toContain("1 problem to fix first");
    expect(text()).toContain("audit-ui, needs:");
  });

  it("lead to their field", async () => {
    await mistake();
    press("Close");
    press("audit-ui, needs:");
    expect(document.activeElement).toBe(control("needs"));
  });

  it("offer what would be right", async () => {
    await mistake();
    press(/Put in map-repo/);
    expect(control("needs").value).toBe("map-repo");
    expect(here.ui.choice.dirty.value).toBe(false);
    expect(document.activeElement).toBe(control("needs"));
  });

  it("of the plan open its section", async () => {
    show();
    startEditing();
    type("concurrency", "0");
    rest();
    const text = "At least 1 task must run at once.";
    await answer(
      "check",
      checked({ problems: [{ task: "", field: "concurrency", text, instead: 1 }] }),
    );
    press("The plan, at once:");
    expect(root.querySelector("details")?.open).toBe(true);
    expect(document.activeElement).toBe(control("concurrency"));
  });

  it("that no field has stand at the top of the contract", async () => {
    await mistake();
    const problem: Problem = {
      task: "audit-ui",
      field: "resources",
      text: "Task 'audit-ui' shares something twice. Name it once.",
      instead: ["gpu"],
    };
    type("attempts", "2");
    rest();
    await answer("check", checked({ problems: [problem] }));
    expect(root.querySelector(".plan-contract")?.textContent).toContain(
      "shares something twice",
    );
    press("audit-ui, resources:");
    expect(document.activeElement?.textContent).toContain("Contract of t8 audit-ui");
    press(/Put in gpu/);
    rest();
    expect(lastDraft("check").changes["audit-ui"]?.resources).toEqual(["gpu"]);
  });

  it("offer seconds as the minutes of their field", async () => {
    show();
    edit();
    type("timeout_s", "0");
    rest();
    const problem = { task: "audit-ui", field: "timeout_s", text: "Too short.", instead: 600 };
    await answer("check", checked({ problems: [problem] }));
    press(/Put in 10$/);
    expect(control("timeout_s").value).toBe("10");
  });

  it("of an older draft are not believed", async () => {
    show();
    edit();
    type("needs", "map-repoo");
    rest();
    const old = asks("check").at(-1) as Ask;
    type("needs", "map-repo, scan-secrets");
    rest();
    await answer("check", checked());
    await act(async () => {
      model.say({
        type: "answer",
        id: old.id,
        ok: true,
        value: checked({ problems: [TYPO] }),
      });
    });
    expect(text()).not.toContain("problem to fix");
  });

  it("survive tasks that wait for each other in a circle", async () => {
    show();
    edit("map-repo");
    type("needs", "write-report, map-repo, nowhere");
    expect(text()).toContain("Plan, from start to end");
  });

  it("name a check that could not be made", async () => {
    show();
    edit();
    type("goal", "Other");
    rest();
    await refuse("check", "No field is called 'goall'.", "Did you mean 'goal'?");
    expect(text()).toContain("The edits could not be checked");
    expect(text()).toContain("Did you mean 'goal'?");
  });
});

describe("saving", () => {
  it("sends the draft with the revision it was begun on", async () => {
    show();
    edit();
    type("goal", "Other");
    press("Save as revision 3");
    expect(asks("edit").at(-1)?.args).toEqual({
      draft: { changes: { "audit-ui": { goal: "Other" } }, drop: [], add: [], plan: {} },
      revision: 2,
    });
    await answer("edit", checked());
    expect(here.ui.choice.dirty.value).toBe(false);
    expect(here.ui.said.value).toBe("Saved as revision 3.");
  });

  it("goes on with the new task that was open", async () => {
    show();
    startEditing();
    press("Add a task");
    press("Save as revision 3");
    const task: TaskSpec = {
      name: "new-task",
      agent: "system-architect",
      goal: "\nimports: what an agent of this kind always does",
      work: { kind: "agent", tools: ["imports"] },
    };
    revision(3, (plan) => ({ ...plan, tasks: [...plan.tasks, task] }));
    expect(here.ui.choice.dirty.value).toBe(false);
    await answer("edit", checked());
    expect(document.activeElement?.textContent).toContain("Contract of t15 new-task");
  });

  it("loses nothing when it is refused", async () => {
    show();
    edit();
    type("goal", "Other");
    press("Save as revision 3");
    await refuse("edit", "Revision 3 is there already.", "Look at it first.");
    expect(text()).toContain("Revision 3 is there already. Look at it first.");
    expect(control("goal").value).toBe("Other");
  });

  it("is done when the revision itself comes before the answer", async () => {
    show();
    edit();
    type("goal", "Other");
    press("Save as revision 3");
    revision(3, (plan) => withTask(plan, "audit-ui", { goal: "Other" }));
    expect(text()).not.toContain("has come meanwhile");
    expect(here.ui.choice.dirty.value).toBe(false);
    await answer("edit", checked());
    expect(control("goal").value).toBe("Other");
  });

  it("keeps the draft when somebody else's revision comes", async () => {
    show();
    edit();
    type("goal", "Mine");
    revision(3, (plan) => withTask(plan, "map-repo", { goal: "Theirs" }));
    expect(text()).toContain("Revision 3 has come meanwhile.");
    expect(control("goal").value).toBe("Mine");
    press("Put my edits on revision 3");
    expect(text()).not.toContain("has come meanwhile");
    press("Save as revision 4");
    expect(asks("edit").at(-1)?.args.revision).toBe(3);
  });

  it("says which edits have no place in the new revision", () => {
    show();
    edit();
    type("goal", "Mine");
    revision(3, (plan) => ({
      ...plan,
      tasks: plan.tasks.filter((task) => task.name !== "audit-ui"),
    }));
    press("Put my edits on revision 3");
    expect(text()).toContain("Your edits of audit-ui have no place any more");
  });

  it("ends when the plan was decided meanwhile", () => {
    show();
    edit();
    type("goal", "Mine");
    act(() => {
      here.mission.facts.value = { ...here.mission.facts.value, state: "running" };
    });
    expect(text()).toContain("The plan was decided meanwhile, without your edits.");
    expect(all("[data-field]")).toHaveLength(0);
  });
});

describe("the difference", () => {
  it("is that of the kernel before there are edits, in words and strokes", () => {
    show();
    expect(text()).toContain("Changes to revision 1");
    act(() => {
      here.ui.choice.saved.value = 2;
    });
    expect(text()).toContain("Your changes to revision 1");
    expect(root.querySelector("del")?.textContent).toBe("the templates");
    expect(root.querySelector("ins")?.textContent).toBe(
      "all 31 templates: escaping, forms, labels",
    );
    expect(text()).toContain("The other 13 tasks are as before.");
  });

  it("is that of the draft while there are", async () => {
    show();
    edit();
    type("attempts", "2");
    rest();
    const kept: [string, string] = ["", ""];
    const about = (task: string, field: string) => ({ task, field, label: field, kept });
    const change = { ...about("audit-ui", "attempts"), old: "3", new: "2" };
    const notes = { ...about("", "notes"), old: "none", new: "It spends no money." };
    await answer(
      "check",
      checked({ difference: { ...NO_DIFFERENCE, changed: [change, notes], same: 13 } }),
    );
    expect(text()).toContain("Your changes to revision 2");
    expect(text()).not.toContain("notes");
    expect(root.querySelector("del")?.textContent).toBe("3");
  });
});

describe("ticks", () => {
  const box = (name: string): HTMLInputElement => {
    const found = root.querySelector<HTMLInputElement>(`[aria-label="Approve ${name}"]`);
    if (!found) throw new Error(`There is no tick for ${name}.`);
    return found;
  };

  it("are there while a part is chosen", () => {
    show();
    expect(all('[aria-label^="Approve"]')).toHaveLength(0);
    act(() => {
      here.ui.choice.picking.value = true;
    });
    expect(box("map-repo").checked).toBe(true);
    expect(text()).toContain("14 ticked for approval.");
  });

  it("fall away with what they need, and say so", () => {
    show();
    act(() => {
      here.ui.choice.picking.value = true;
    });
    tick(box("audit-modules"));
    expect(text()).toContain(
      "Without audit-modules, rank-findings and write-report fall away too: they need it.",
    );
    expect(text()).toContain("write-report was to be the result");
    expect(root.querySelector("tbody .plan-told")?.textContent).toContain("fall away too");
    tick(box("write-report"));
    expect(text()).toContain(
      "write-report needs audit-modules and rank-findings, so these are ticked too.",
    );
    expect(here.ui.choice.whole.value).toBe(true);
  });

  it("forget tasks that a new revision does not have", () => {
    show();
    act(() => {
      here.ui.choice.picking.value = true;
    });
    tick(box("write-report"));
    revision(3, (plan) => ({
      ...plan,
      tasks: plan.tasks.filter((task) => task.name !== "write-report"),
      result: "",
    }));
    expect(here.ui.choice.whole.value).toBe(true);
  });
});

describe("the plan of a fork", () => {
  it("says which tasks are done already", () => {
    const picture = pictureOf("awaiting_approval");
    const tasks = picture.tasks.map((task) => ({ ...task, state: "succeeded" as const }));
    show({ ...picture, tasks, mission: { ...picture.mission, forked_from: "m-3" } });
    expect(all("td.plan-state").length).toBeGreaterThan(0);
    expect(all("td.plan-state").every((each) => /succeeded/.test(each.textContent))).toBe(true);
  });
});

describe("a plan that was decided", () => {
  it("is a table to read, with states", () => {
    show(pictureOf("running"));
    expect(text()).not.toContain("Edit the plan");
    expect(text()).toContain("State");
    expect(text()).toContain("awaiting approval");
    press("audit-ui");
    expect(all("[data-field], input")).toHaveLength(0);
  });

  it("does not exist while it is being made", () => {
    show(pictureOf("planning"));
    expect(text()).toContain("There is no plan yet.");
  });
});

describe("an approval", () => {
  it("ends editing at once, whichever tells of it first", () => {
    for (const given of [
      () => {
        here.ui.choice.approved.value = "hash";
      },
      () => {
        here.mission.head.value = { ...here.mission.head.value, decision: null };
      },
    ]) {
      show();
      edit();
      expect(text()).toContain("Drop this task…");
      expect(text()).toContain("Add a task");
      act(given);
      expect(text()).not.toContain("Drop this task…");
      expect(text()).not.toContain("Add a task");
      expect(all("[data-field]")).toHaveLength(0);
      act(() => render(null, root));
      root.remove();
    }
    show();
  });

  it("of a part is told by its own steps", () => {
    show();
    expect(text()).toContain("If you approve");
    expect(text()).not.toContain("A new revision with only");
    act(() => {
      here.ui.choice.picking.value = true;
      setTicked(here.ui.choice, planNow(), "write-report", false);
    });
    expect(text()).toContain("A new revision with only the ticked tasks is made and approved.");
    expect(text()).toContain("It ends when these tasks are done.");
  });
});

describe("comments", () => {
  it("are sent by Enter", () => {
    show();
    press("audit-ui");
    const field = root.querySelector<HTMLInputElement>(".plan-contract .plan-comment input");
    const enter = () =>
      act(() => {
        field?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      });
    enter();
    expect(asks("comment")).toHaveLength(0);
    act(() => {
      if (field) field.value = "too dear";
      field?.dispatchEvent(new Event("input", { bubbles: true }));
    });
    enter();
    expect(asks("comment").at(-1)?.args).toEqual({ task: "audit-ui", text: "too dear" });
  });

  it("are sent and their field is empty again", async () => {
    show();
    press("audit-ui");
    const field = root.querySelector<HTMLInputElement>(".plan-contract .plan-comment input");
    act(() => {
      if (field) field.value = " too dear ";
      field?.dispatchEvent(new Event("input", { bubbles: true }));
    });
    act(() => all<HTMLButtonElement>(".plan-contract .plan-comment button")[0]?.click());
    expect(asks("comment").at(-1)?.args).toEqual({
      task: "audit-ui",
      text: " too dear ".trim(),
    });
  });
});

describe("large and hostile plans", () => {
  it("show 200 tasks at a time", () => {
    const picture = largePicture(500);
    show({ ...picture, mission: { ...picture.mission, state: "awaiting_approval" } });
    expect(all("tbody tr")).toHaveLength(200);
    press(/^Show 200 more/);
    expect(all("tbody tr")).toHaveLength(400);
  });

  it("show an open task that comes much later without all before it", () => {
    show(largePicture(2_000));
    act(() => {
      here.ui.task.value = "task-1800";
    });
    expect(text()).toContain("Contract of t1801");
    expect(text()).toContain("1,600 tasks in between");
    expect(all("tbody tr").length).toBeLessThan(210);
    press("Close");
    expect(document.activeElement?.textContent).toBe("task-1800");
  });

  it("find tasks by text, and show the open one always", () => {
    const picture = largePicture(300);
    show(picture);
    act(() => {
      here.ui.task.value = "task-250";
    });
    expect(text()).toContain("Contract of t251");
    const search = root.querySelector<HTMLInputElement>('input[type="search"]');
    act(() => {
      if (search) search.value = "task-19";
      search?.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(all("tbody tr:not(.plan-open)")).toHaveLength(12);
    expect(text()).toContain("12 of 300");
  });

  it("show what agents wrote as text", async () => {
    const picture = pictureOf("awaiting_approval");
    const evil = '<img src=x onerror="boom()">\u202e';
    const plan = withTask(picture.plan as PlanSpec, "audit-ui", {
      name: evil,
      goal: evil.repeat(3_000),
      agent: evil,
      needs: [evil],
      scope: [evil],
      check: evil,
    });
    show({ ...picture, plan });
    startEditing();
    press(/onerror/);
    expect(all("img, script")).toHaveLength(0);
    expect(text()).not.toContain("\u202e");
    expect(text()).toContain("\\u202e");
    const described = control("goal").getAttribute("aria-describedby")?.split(" ") ?? [];
    expect(described.map((id) => document.getElementById(id)?.textContent).join()).toContain(
      "There are marks in it that cannot be seen or that turn text round.",
    );
  });
});

it("keeps the lines of a goal in the table", () => {
  const picture = pictureOf("awaiting_approval");
  const [first, ...others] = picture.plan?.tasks ?? [];
  const goal = "Take stock of the tree.\nscan: Scan the tree: files and sizes.";
  picture.plan = { goal: "", tasks: [{ ...(first as TaskSpec), goal }, ...others] };
  show(picture);
  expect(root.querySelector(".plan-goal")?.textContent).toBe(goal);
});
