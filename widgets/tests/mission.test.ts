import { describe, expect, it } from "vitest";
import { pictureOf } from "../dev/fixtures";
import { Mission } from "../src/mission";
import type { TaskFacts } from "../src/protocol";
import { batchAfter } from "./batch";

const first = (mission: Mission): TaskFacts => mission.tasks[0] as TaskFacts;

describe("a batch", () => {
  it("changes what it names and nothing else", () => {
    const mission = new Mission(pictureOf("running"));
    const other = mission.tasks[1];
    const task = { ...first(mission), note: "half way" };
    expect(mission.apply(batchAfter(mission, { tasks: [task] }))).toBe(true);
    expect(first(mission).note).toBe("half way");
    expect(mission.tasks[1]).toBe(other);
    expect(mission.changed.peek()).toEqual([task.name]);
    expect(mission.totalEvents.peek()).toBe(80);
  });

  it("is refused if something before it is missing", () => {
    const mission = new Mission(pictureOf("running"));
    const seq = mission.seq.peek();
    const task = { ...first(mission), note: "too early" };
    const late = batchAfter(mission, { from_seq: seq + 3, seq: seq + 4, tasks: [task] });
    expect(mission.apply(late)).toBe(false);
    expect(mission.seq.peek()).toBe(seq);
    expect(first(mission).note).not.toBe("too early");
  });

  it("may come twice", () => {
    const mission = new Mission(pictureOf("running"));
    const event = {
      seq: mission.seq.peek() + 1,
      at: new Date().toISOString(),
      kind: "task.progressed",
      task: null,
      attempt: null,
      payload: {},
      told: ["Once."],
    };
    const batch = batchAfter(mission, { events: [event] });
    const before = mission.log.items.length;
    expect(mission.apply(batch)).toBe(true);
    expect(mission.apply(batch)).toBe(true);
    expect(mission.log.items.length).toBe(before + 1);
  });

  it("of older events than those that are known changes nothing", () => {
    const mission = new Mission(pictureOf("running"));
    const old = batchAfter(mission, {
      from_seq: 0,
      seq: 1,
      tasks: [{ ...first(mission), note: "old" }],
    });
    expect(mission.apply(old)).toBe(true);
    expect(first(mission).note).not.toBe("old");
  });

  it("with a new revision replaces the tasks", () => {
    const mission = new Mission(pictureOf("awaiting_approval"));
    const plan = mission.plan.peek();
    if (!plan) throw new Error("There is no plan.");
    const kept = plan.tasks.slice(0, 3);
    const tasks = mission.tasks.slice(0, 3).map((task) => ({ ...task, id: `new ${task.id}` }));
    mission.apply(batchAfter(mission, { plan: { ...plan, tasks: kept }, tasks }));
    expect(mission.tasks.map((task) => task.name)).toEqual(kept.map((task) => task.name));
    expect(mission.nameOf(tasks[0]?.id ?? "")).toBe(kept[0]?.name);
    expect(mission.spec("write-report")).toBeUndefined();
    expect(mission.task("write-report")).toBeUndefined();
  });

  it("with a revision whose tasks kept their rows drops those that are gone", () => {
    const mission = new Mission(pictureOf("awaiting_approval"));
    const plan = mission.plan.peek();
    if (!plan) throw new Error("There is no plan.");
    const tasks = mission.tasks.slice(0, 2);
    mission.apply(
      batchAfter(mission, { plan: { ...plan, tasks: plan.tasks.slice(0, 2) }, tasks }),
    );
    expect(mission.tasks.length).toBe(2);
  });
});

describe("a picture", () => {
  it("takes the place of all that was known", () => {
    const mission = new Mission(pictureOf("running"));
    mission.begin(pictureOf("planning"));
    expect(mission.tasks).toEqual([]);
    expect(mission.attempts).toEqual([]);
    expect(mission.plan.peek()).toBeNull();
  });
});
