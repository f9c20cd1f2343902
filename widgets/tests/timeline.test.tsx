import { expect, test } from "vitest";
import { at, NOW, pictureOf } from "../dev/fixtures";
import type { AttemptFacts, Picture, TaskFacts } from "../src/protocol";
import { Timeline } from "../src/views/timeline";
import { endOf } from "../src/views/timeline-end";
import { groupsOf } from "../src/views/timeline-rows";
import { scaleOf, shareOf, ticksOf } from "../src/views/timeline-scale";
import { clock } from "../src/words";
import {
  afterFrame,
  drawn,
  HOSTILE,
  harmOf,
  LONG,
  leftBehind,
  onStage,
  type Stage,
  textOf,
} from "./on-stage";

let stage: Stage;

const rows = (): HTMLElement[] => [...stage.root.querySelectorAll<HTMLElement>("tbody tr")];
const row = (task: string, attempt = "1"): HTMLElement | undefined =>
  rows().find(
    (each) =>
      textOf(each.querySelector(".tl-task")) === task &&
      textOf(each.querySelector(".tl-attempt")) === attempt,
  );
const bar = (task: string, attempt = "1"): HTMLElement | null | undefined =>
  row(task, attempt)?.querySelector<HTMLElement>(".tl-bar");
const label = (task: string, attempt = "1"): string =>
  textOf(row(task, attempt)?.querySelector("em"));

function large(many: number): Picture {
  const picture = pictureOf();
  const task = picture.tasks[0] as TaskFacts;
  const tasks = Array.from({ length: many }, (_, n) => ({
    ...task,
    id: `T${n}`,
    name: `task-${n}`,
    agent: `agent-${n % 10}`,
  }));
  const attempts: AttemptFacts[] = tasks.map((each, n) => ({
    task_id: each.id,
    number: 1,
    state: "succeeded",
    started_at: at(n % 100),
    finished_at: at((n % 100) + 20),
    pid: 1,
    error: "",
  }));
  return { ...picture, plan: null, tasks, attempts };
}

test("attempts stand by agent, in plan order, each with its number", async () => {
  stage = await onStage(Timeline, pictureOf());
  const agents = [...stage.root.querySelectorAll("th[scope=rowgroup]")].map(textOf);
  expect(agents.slice(0, 3)).toEqual([
    "system-architect",
    "security-engineer",
    "devops-engineer",
  ]);
  expect(row("audit-schema", "1")).toBeDefined();
  expect(row("audit-schema", "2")).toBeDefined();
});

test("a bar shows its state in its kind and in words", async () => {
  stage = await onStage(Timeline, pictureOf());
  expect(bar("map-repo")?.className).toContain("k-succeeded");
  expect(label("map-repo")).toBe("48 s");
  expect(bar("audit-api")?.className).toContain("k-verifying");
  expect(bar("audit-schema", "1")?.className).toContain("k-failed");
  expect(label("audit-schema", "1")).toBe("failed after 1 min 12 s");
  expect(bar("audit-ui")?.className).toContain("k-stalled");
  expect(label("audit-ui")).toBe("stalled, silent for 1 min 40 s");
  expect(label("check-advisories")).toBe("awaiting approval, 1 min 41 s");
});

test("what is to come is expected after what it needs", async () => {
  stage = await onStage(Timeline, pictureOf());
  const bars = groupsOf(stage.mission, NOW).flatMap((group) => group.bars);
  const expected = bars.filter((each) => each.kind === "expected");
  expect(expected.map((each) => each.task)).toEqual([
    "prove-findings",
    "rank-findings",
    "write-report",
  ]);
  expect(expected[1]?.from).toBe(expected[0]?.to);
  expect(expected[2]?.from).toBe(expected[1]?.to);
});

test("a screen reader hears when, how long and why", async () => {
  stage = await onStage(Timeline, pictureOf());
  expect(textOf(row("map-repo")?.querySelector(".vh"))).toBe(
    `succeeded, 48 s, from ${clock(at(0))} to ${clock(at(48))}, on the critical path`,
  );
  expect(textOf(row("audit-schema")?.querySelector(".vh"))).toContain(
    ": 2 of 5 findings have no line number",
  );
});

test("the head says when it began and when it is expected to end", async () => {
  stage = await onStage(Timeline, pictureOf());
  const minute = (seconds: number): string => clock(at(seconds)).slice(0, 5);
  expect(textOf(stage.root.querySelector(".tl-head"))).toBe(
    `Started ${clock(at(0))}. Expected end between ${minute(372)} and ${minute(552)}, ` +
      `about ${minute(432)}, from 11 past missions.4 at work now, most at once 7.`,
  );
});

test("an end that nobody knows is not made up", () => {
  const head = { ...pictureOf().head, left: "", left_s: null, left_from: "" };
  expect(endOf(head, NOW)).toBe("Its end is not known.");
});

test("a mission that has ended shows the whole and no now", async () => {
  stage = await onStage(Timeline, pictureOf("succeeded"));
  expect(textOf(stage.root.querySelector(".tl-head"))).toContain("after 3 min 12 s.");
  expect(stage.root.querySelector(".tl-axis b")).toBeNull();
  expect(stage.root.querySelector(".k-expected.tl-critical[style]")).toBeNull();
});

test("before the start the axis begins at nought", async () => {
  stage = await onStage(Timeline, pictureOf("awaiting_approval"));
  expect(textOf(stage.root.querySelector(".tl-axis"))).toMatch(/^0 min1 min/);
  expect(textOf(stage.root.querySelector(".tl-head"))).toBe("Nothing has started yet.");
});

test("a mission without a plan says that there is nothing to show", async () => {
  stage = await onStage(Timeline, pictureOf("planning"));
  expect(textOf(stage.root)).toContain("Nothing has been tried yet");
});

test("the line of the present moves every five seconds", async () => {
  stage = await onStage(Timeline, pictureOf());
  const now = (): string =>
    stage.root.querySelector<HTMLElement>(".tl-live")?.style.getPropertyValue("--tl-now") ?? "";
  await afterFrame();
  const before = now();
  expect(Number(before)).toBeGreaterThan(0);
  stage.ui.now.value = NOW + 6_000;
  await drawn();
  await afterFrame();
  expect(Number(now())).toBeGreaterThan(Number(before));
});

test("no bar ends behind the line of the present, even where our clock is a little late", async () => {
  const picture = pictureOf();
  const [first, ...rest] = picture.attempts as [AttemptFacts, ...AttemptFacts[]];
  const late = { ...first, finished_at: new Date(NOW + 40_000).toISOString() };
  stage = await onStage(Timeline, { ...picture, attempts: [late, ...rest] });
  await afterFrame();
  const lane = stage.root.querySelector<HTMLElement>(".tl-live");
  const { style } = bar("map-repo") as HTMLElement;
  const end = Number.parseFloat(style.left) + Number.parseFloat(style.width);
  expect(end / 100).toBeCloseTo(Number(lane?.style.getPropertyValue("--tl-now")), 3);
});

test("more than 300 attempts are shown 200 at a time", async () => {
  stage = await onStage(Timeline, large(620));
  expect(rows()).toHaveLength(300);
  expect(textOf(stage.root.querySelector(".tl-more"))).toBe(
    "And 320 more attempts. Show 200 more",
  );
  stage.root.querySelector<HTMLElement>(".tl-more button")?.click();
  await drawn();
  expect(rows()).toHaveLength(500);
});

test("of ten thousand attempts each is looked at a few times, not once for each other", async () => {
  stage = await onStage(Timeline, large(10_000));
  const { attempts } = stage.mission;
  let looks = 0;
  for (const [place, attempt] of attempts.entries()) {
    const { started_at } = attempt;
    attempts[place] = Object.defineProperty({ ...attempt }, "started_at", {
      get() {
        looks += 1;
        return started_at;
      },
    });
  }
  const groups = groupsOf(stage.mission, NOW);
  expect(groups).toHaveLength(10);
  expect(looks).toBeGreaterThanOrEqual(10_000);
  expect(looks).toBeLessThan(500_000);
});

test("plans with a circle do not hang", async () => {
  const picture = pictureOf();
  const tasks = picture.plan?.tasks.map((task) => ({ ...task, needs: ["write-report"] })) ?? [];
  stage = await onStage(Timeline, {
    ...picture,
    plan: picture.plan && { ...picture.plan, tasks },
  });
  expect(row("map-repo")).toBeDefined();
});

test.each([
  [0.004, ["0 ms", "1 ms", "2 ms", "3 ms"]],
  [7, ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s"]],
  [420, ["0 min", "1 min", "2 min", "3 min", "4 min", "5 min", "6 min"]],
  [5 * 3600, ["0 h", "1 h", "2 h", "3 h", "4 h"]],
  [40 * 86_400, ["0 d", "7 d", "14 d", "21 d", "28 d", "35 d"]],
])("ticks of %d s are those that people use", (seconds, said) => {
  expect(ticksOf(scaleOf(seconds), null).map((tick) => tick.label)).toEqual(said);
});

test("no tick stands in the way of now", () => {
  const scale = scaleOf(480);
  const ticks = ticksOf(scale, 185);
  expect(ticks.map((tick) => tick.label)).not.toContain("3 min");
  expect(shareOf(scale, 10_000)).toBe(1);
});

test.each(HOSTILE)("hostile text is shown and does nothing (%#)", async (text) => {
  const picture = pictureOf();
  stage = await onStage(Timeline, {
    ...picture,
    tasks: picture.tasks.map((task) => ({
      ...task,
      name: `${task.name}${text}`,
      agent: text,
      error: text,
    })),
    attempts: picture.attempts.map((attempt) => ({ ...attempt, error: text })),
  });
  expect(harmOf(stage.root)).toEqual([]);
});

test("a hundred of them that come and go leave nothing behind", LONG, async () => {
  expect(await leftBehind(Timeline)).toEqual({ watched: 0, elsewhere: 0, timers: 0 });
});
