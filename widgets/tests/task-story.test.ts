import { describe, expect, it } from "vitest";
import { NOW, pictureOf } from "../dev/fixtures";
import { Mission } from "../src/mission";
import { plain } from "../src/parts/phrase";
import type { MissionState, TaskFacts, TaskState } from "../src/protocol";
import { enumerated, storyOf } from "../src/task-story";
import { MISSION_WORDS, TASK_WORDS } from "../src/words";

const STATES = Object.keys(MISSION_WORDS) as MissionState[];

function told(mission: Mission, name: string, more: Partial<TaskFacts> = {}): string[] {
  const task = { ...(mission.task(name) as TaskFacts), ...more };
  const { now, waiting, next } = storyOf(mission, task, NOW);
  return [now, waiting, next].map(plain);
}

describe.each(STATES)("each task of a mission that is %s", (state) => {
  it("has three full sentences, whatever its own state", () => {
    const mission = new Mission(pictureOf(state));
    for (const { name } of mission.tasks)
      for (const own of Object.keys(TASK_WORDS) as TaskState[])
        for (const phrase of told(mission, name, { state: own }))
          expect(phrase).toMatch(/[^.]\.$/);
  });
});

describe("a task", () => {
  const mission = new Mission(pictureOf("running"));

  it("that is at work says for how long, and what happened last", () => {
    const [now, waiting] = told(mission, "audit-auth");
    expect(now).toMatch(/^The security-engineer is at work for 2 min 24 s\. Last: .*\.$/);
    expect(waiting).toBe("Nothing.");
  });

  it("that is at work promises no check, which nobody makes", () => {
    const named = mission.plan.value?.tasks.find((each) => each.name === "audit-auth");
    expect(named).toBeDefined();
    if (named) named.check = "every finding has a line";
    expect(told(mission, "audit-auth")[2]).not.toContain("check");
  });

  it("that is silent says since when", () => {
    expect(told(mission, "audit-ui")[0]).toBe("There is no sign of life for 1 min 40 s.");
  });

  it("that has ended says how, after how long, and why", () => {
    const failed = told(mission, "audit-auth", {
      state: "failed",
      worked_s: 61,
      error: "No such file",
    });
    expect(failed[0]).toBe("It has ended: failed, after 1 min 1 s of work. No such file.");
  });

  it("that has not started says what it waits for", () => {
    const [, waiting, next] = told(mission, "write-report");
    expect(waiting).toMatch(/^\S+.*\.$/);
    expect(next).toMatch(/^It starts by itself when .* succeeded\.$/);
  });
});

it("counts names that are too many", () => {
  expect(plain(enumerated(["a", "b"]))).toBe("a and b");
  expect(plain(enumerated(["a", "b", "c", "d", "e", "f"]))).toBe("a, b, c, d and 2 more");
  expect(enumerated([])).toEqual([]);
});
