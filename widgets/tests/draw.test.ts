import { beforeAll, describe, expect, it, vi } from "vitest";
import { largePicture } from "../dev/fixtures";
import { arranged } from "../src/graph/arranged";
import { drawAll, drawSome, type Frame, levelAt } from "../src/graph/draw";
import { LOOKS } from "../src/graph/look";
import { type Palette, TOKENS } from "../src/graph/palette";
import { Scene } from "../src/graph/scene";
import type { PlanSpec, TaskState } from "../src/protocol";

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly fill: string;
  readonly stroke: string;
  readonly width: number;
  readonly dash: readonly number[];
}

/** A context that keeps what is asked of it, with the style at that time. */
function recorder(): { context: CanvasRenderingContext2D; calls: Call[] } {
  const calls: Call[] = [];
  const style = { fillStyle: "", strokeStyle: "", lineWidth: 1 };
  let dash: readonly number[] = [];
  const context = new Proxy(style, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name);
      return (...args: unknown[]) => {
        if (name === "setLineDash") dash = args[0] as number[];
        calls.push({
          name: String(name),
          args,
          fill: target.fillStyle,
          stroke: target.strokeStyle,
          width: target.lineWidth,
          dash,
        });
      };
    },
  });
  return { context: context as unknown as CanvasRenderingContext2D, calls };
}

const PALETTE = Object.fromEntries(TOKENS.map((token) => [token, token])) as Palette;
const PLAN: PlanSpec = {
  goal: "",
  tasks: [
    { name: "a", work: {} },
    { name: "b", needs: ["a"], work: {} },
    { name: "c", needs: ["b"], work: {} },
  ],
};

function frame(plan: PlanSpec, states: TaskState[], more: Partial<Frame> = {}): Frame {
  return {
    level: levelAt(more.k ?? 1),
    scene: new Scene(arranged(plan), {
      width: 150,
      height: 48,
      gapAlong: 30,
      gapAcross: 10,
      margin: 4,
      grain: 1,
      short: false,
      down: false,
    }),
    palette: PALETTE,
    fonts: { name: "12px mono", detail: "12px sans", big: "16px mono", em: 13 },
    states,
    nameOf: (task) => plan.tasks[task]?.name ?? "",
    detailOf: () => "detail",
    isCritical: () => false,
    marked: -1,
    x: 0,
    y: 0,
    k: 1,
    width: 800,
    height: 400,
    ratio: 1,
    ...more,
  };
}

beforeAll(() => {
  vi.stubGlobal("Path2D", class {});
});

describe("what is drawn of a graph", () => {
  it("depends on the scale", () => {
    expect([1, 0.5, 0.3, 0.05].map(levelAt)).toEqual(["full", "name", "shape", "dot"]);
  });

  it("is name and detail of each box at full size", () => {
    const { context, calls } = recorder();
    drawAll(context, frame(PLAN, ["succeeded", "running", "pending"]));
    const told = calls.filter((call) => call.name === "fillText").map((call) => call.args[0]);
    expect(told).toEqual(["a", "b", "c", "detail", "detail", "detail"]);
  });

  it("is the number where boxes are short", () => {
    const { context, calls } = recorder();
    const base = frame(PLAN, ["succeeded", "running", "pending"]);
    const measure = { ...base.scene.geometry.measure, short: true };
    drawAll(context, { ...base, scene: new Scene(arranged(PLAN), measure) });
    const told = calls.filter((call) => call.name === "fillText").map((call) => call.args[0]);
    expect(told).toEqual(["t1", "t2", "t3"]);
  });

  it("leaves out what is out of sight", () => {
    const { context, calls } = recorder();
    drawAll(context, frame(PLAN, ["succeeded", "running", "pending"], { x: -170 }));
    const told = calls.filter((call) => call.name === "fillText").map((call) => call.args[0]);
    expect(told).not.toContain("a");
  });

  it("tells edges that are handed on from those still waited for", () => {
    const { context, calls } = recorder();
    drawAll(context, frame(PLAN, ["succeeded", "running", "pending"]));
    const lines = calls.filter((call) => call.name === "stroke" && call.width === 1.25);
    expect(lines.map((call) => call.dash)).toEqual([[4, 3], []]);
  });

  it("draws the critical path thick, dashed where it is still to come", () => {
    const { context, calls } = recorder();
    const isCritical = (): boolean => true;
    drawAll(context, frame(PLAN, ["succeeded", "running", "pending"], { isCritical }));
    const lines = calls.filter((call) => call.name === "stroke" && call.width === 3);
    expect(lines.map((call) => call.dash)).toEqual([[9, 5], []]);
  });

  it("lets the edges of the marked task stand out", () => {
    const { context, calls } = recorder();
    drawAll(context, frame(PLAN, ["pending", "pending", "pending"], { marked: 0 }));
    const lines = calls.filter((call) => call.name === "stroke" && call.width === 1.5);
    expect(lines.map((call) => call.stroke)).toEqual(["ink"]);
  });
});

describe("what is drawn of a large graph", () => {
  const plan = largePicture(3_000).plan as PlanSpec;
  const states = plan.tasks.map((): TaskState => "succeeded");
  const far = frame(plan, states, { k: 0.02, width: 900, height: 600 });

  it("is one filled part per task", () => {
    const { context, calls } = recorder();
    drawAll(context, far);
    const dots = calls.filter((call) => call.name === "fillRect" && call.fill === "good");
    expect(dots).toHaveLength(3_000);
  });

  it("is only what has changed, and that without its rest", () => {
    const { context, calls } = recorder();
    drawSome(context, far, [5, 6]);
    const drawn = calls.filter((call) => call.name === "fillRect").map((call) => call.fill);
    expect(drawn).toEqual(["bg", "bg", "good", "good"]);
  });

  it("is cleared and drawn again box by box where shapes can be seen", () => {
    const { context, calls } = recorder();
    drawSome(context, { ...far, k: 0.3, level: "shape", width: 90_000, height: 60_000 }, [5]);
    expect(calls.filter((call) => call.name === "fillRect")).toHaveLength(1);
    expect(calls.filter((call) => call.name === "roundRect")).toHaveLength(1);
  });
});

describe("the looks of states", () => {
  it("differ by more than colour", () => {
    const seen = Object.values(LOOKS).map(({ shape }) => shape);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("are those of the visual language", () => {
    expect(LOOKS.pending.border).toBe("dashed");
    expect(LOOKS.verifying.border).toBe("double");
    expect(LOOKS.stalled).toMatchObject({ border: "dotted", fill: "attention-tint" });
    expect(LOOKS.failed.square).toBe(true);
  });
});
