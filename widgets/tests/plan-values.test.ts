import { describe, expect, it } from "vitest";
import type { PlanSpec } from "../src/protocol";
import { NO_EDITS, rebased } from "../src/views/plan-draft";
import { read, readList, textOf } from "../src/views/plan-values";

describe("lengths of time", () => {
  it.each([
    ["3", 180],
    ["0.5", 30],
    ["1,5", 90],
    ["2.", 120],
    ["1:30", 90],
    ["1:", 60],
    ["1 min 30 s", 90],
    ["90 s", 90],
    ["2 h", 7200],
    ["1.1", 66],
  ])("%s are %d seconds", (text, seconds) => {
    expect(read("minutes", text)).toBe(seconds);
  });

  it.each(["", "soon", "-3", "1:75", "1e3", "NaN"])("%j is none", (text) => {
    expect(read("minutes", text)).toBe(text);
  });

  it.each([180, 100, 66, 0.25, 36_000, 1.5])("%d seconds come back as they were", (seconds) => {
    expect(read("minutes", textOf("minutes", seconds))).toBe(seconds);
  });
});

describe("numbers", () => {
  it("are dollars, with or without the sign", () => {
    expect(read("dollars", "$0.04")).toBe(0.04);
    expect(read("dollars", ".5")).toBe(0.5);
    expect(read("dollars", "4 cents")).toBe("4 cents");
  });

  it("are whole", () => {
    expect(read("whole", "3")).toBe(3);
    expect(read("whole", "3.5")).toBe("3.5");
  });
});

describe("lists", () => {
  it("have each name once, and names may have commas", () => {
    expect(readList(" a, b,, a,read, then map,", new Set(["read, then map"]))).toEqual([
      "a",
      "b",
      "read, then map",
    ]);
  });
});

describe("drafts", () => {
  const plan: PlanSpec = {
    goal: "g",
    tasks: [{ name: "a", attempts: 2, work: { kind: "agent", tools: ["files"] } }],
  };

  it("lose what another revision has or cannot have", () => {
    const draft = {
      ...NO_EDITS,
      changes: { a: { attempts: 2, goal: "x" }, gone: { goal: "y" } },
      drop: ["gone", "a"],
    };
    expect(rebased(draft, plan)).toEqual({
      draft: { ...NO_EDITS, changes: { a: { goal: "x" } }, drop: ["a"] },
      gone: ["gone"],
    });
  });
});
