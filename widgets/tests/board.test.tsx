import { expect, test } from "vitest";
import { at, NOW, pictureOf } from "../dev/fixtures";
import type { Picture, TaskFacts } from "../src/protocol";
import { Board } from "../src/views/board";
import { Cards, gainOf } from "../src/views/board-cards";
import {
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

const cards = (): HTMLElement[] => [...stage.root.querySelectorAll<HTMLElement>(".bd-card")];
const card = (agent: string): HTMLElement | undefined =>
  cards().find((each) => textOf(each.querySelector("h4")) === agent);
const doing = (agent: string): string =>
  [...(card(agent)?.querySelectorAll(".bd-doing p") ?? [])].map(textOf).join(" ");
const fact = (agent: string, label: string): string =>
  textOf(
    [...(card(agent)?.querySelectorAll("dt") ?? [])].find((each) => textOf(each) === label)
      ?.nextElementSibling,
  );
const figures = (): string => textOf(stage.root.querySelector(".bd-figures"));

function withTasks(change: (task: TaskFacts) => Partial<TaskFacts>): Picture {
  const picture = pictureOf("running");
  return {
    ...picture,
    tasks: picture.tasks.map((task) => ({ ...task, ...change(task) })),
  };
}

test("a card for each agent stands in plan order", async () => {
  stage = await onStage(Board, pictureOf());
  expect(cards().map((each) => textOf(each.querySelector("h4")))).toEqual([
    "system-architect",
    "security-engineer",
    "devops-engineer",
    "qa-engineer",
    "backend-specialist",
    "database-architect",
    "frontend-specialist",
    "project-strategist",
  ]);
});

test("cards keep their place when states change", async () => {
  stage = await onStage(Board, pictureOf());
  const before = cards().map((each) => textOf(each.querySelector("h4")));
  const task = stage.mission.task("prove-findings") as TaskFacts;
  await stage.change({ tasks: [{ ...task, state: "awaiting_approval" }] });
  expect(cards().map((each) => textOf(each.querySelector("h4")))).toEqual(before);
  expect(textOf(card("qa-engineer"))).toContain("awaiting approval");
});

test("working, waiting and stalled agents say so in words and in kind", async () => {
  stage = await onStage(Board, pictureOf());
  expect(doing("system-architect")).toContain("audit-modules for 2 min 24 s");
  expect(textOf(card("devops-engineer"))).toContain("waiting for you, 1 min 41 s");
  expect(textOf(card("frontend-specialist"))).toContain("silent for 1 min 40 s");
  expect(card("frontend-specialist")?.className).toContain("k-stalled");
  expect(card("devops-engineer")?.className).toContain("k-awaiting");
});

test("the task that a person should see first is shown, the others are named", async () => {
  const busy = { state: "running" as const, agent: "qa-engineer", started_at: at(100) };
  stage = await onStage(
    Board,
    withTasks((task) => {
      if (task.name === "prove-findings") return { ...busy, state: "stalled" };
      return task.name === "baseline-tests" ? busy : {};
    }),
  );
  expect(doing("qa-engineer")).toContain("prove-findings silent for");
  expect(doing("qa-engineer")).toContain("also baseline-tests");
});

test("a task that waits for a resource shows the note that says which", async () => {
  stage = await onStage(
    Board,
    withTasks((task) =>
      task.name === "audit-auth" ? { state: "waiting", note: "waits for the GPU" } : {},
    ),
  );
  expect(doing("security-engineer")).toContain("audit-auth waits for the GPU");
});

test("an agent without a task tells what comes next and what that waits for", async () => {
  stage = await onStage(Board, pictureOf());
  expect(textOf(card("qa-engineer"))).toContain(
    "Next: prove-findings, when audit-auth, audit-api and 2 more are done",
  );
});

test("an agent that is done says so, and what failed", async () => {
  stage = await onStage(Board, pictureOf("failed"));
  expect(doing("frontend-specialist")).toContain("Nothing more to do. audit-ui failed.");
});

test("what is not known is a dash and not nought", async () => {
  stage = await onStage(Board, pictureOf());
  expect(fact("project-strategist", "Tokens")).toBe("–");
  expect(fact("project-strategist", "Cost")).toBe("–");
  expect(fact("project-strategist", "Process")).toBe("–");
  expect(fact("security-engineer", "Attempt")).toBe("1 of 3");
  expect(fact("security-engineer", "Heartbeat")).toBe("2 s ago");
});

test("an attempt without a heartbeat yet says so", async () => {
  stage = await onStage(
    Board,
    withTasks((task) => (task.name === "audit-auth" ? { heartbeat_at: null } : {})),
  );
  expect(fact("security-engineer", "Heartbeat")).toBe("none yet");
});

test("an empty agent is Python functions", async () => {
  const picture = pictureOf();
  const plan = picture.plan && {
    ...picture.plan,
    tasks: picture.plan.tasks.map((task) => ({ ...task, agent: "" })),
  };
  const tasks = picture.tasks.map((task) => ({ ...task, agent: "" }));
  stage = await onStage(Board, { ...picture, plan, tasks });
  expect(cards().map((each) => textOf(each.querySelector("h4")))).toEqual(["Python functions"]);
});

test("only the elapsed time counts seconds", async () => {
  stage = await onStage(Board, pictureOf());
  const before = textOf(card("system-architect"));
  stage.ui.now.value = NOW + 1_000;
  await drawn();
  expect(figures()).toContain("3 min 13 s");
  expect(textOf(card("system-architect"))).toBe(before);
  stage.ui.now.value = NOW + 6_000;
  await drawn();
  expect(textOf(card("system-architect"))).toContain("for 2 min 30 s");
});

test("the figures say how much was done at the same time", async () => {
  stage = await onStage(Board, pictureOf());
  expect(figures()).toContain("15 min 59 s");
  expect(figures()).toContain(
    "5.0 times as much work as one agent at a time could have done so far.",
  );
});

test.each([
  [0, 100, false, "Nothing has run so far."],
  [0, 100, true, "Nothing ran."],
  [100, 100, true, "No more work than one agent at a time could have done."],
  [250, 100, true, "2.5 times as much work as one agent at a time could have done."],
])("the gain of %d s of work in %d s is told plainly", (worked, elapsed, ended, said) => {
  expect(gainOf(worked, elapsed, ended)).toBe(said);
});

test("more than 24 agents are folded", async () => {
  const picture = pictureOf();
  const model = picture.tasks[0] as TaskFacts;
  const tasks = Array.from({ length: 31 }, (_, n) => ({
    ...model,
    id: `T${n}`,
    name: `task-${n}`,
    agent: `agent-${n}`,
  }));
  stage = await onStage(Board, { ...picture, plan: null, tasks });
  expect(cards()).toHaveLength(24);
  expect(textOf(stage.root.querySelector(".bd-more"))).toContain("And 7 more agents.");
  stage.root.querySelector<HTMLElement>(".bd-more button")?.click();
  await drawn();
  expect(cards()).toHaveLength(31);
  stage.root.querySelector<HTMLElement>(".bd-more button")?.click();
  await drawn();
  expect(cards()).toHaveLength(24);
});

test("a name of a task marks the task and its card", async () => {
  stage = await onStage(Board, pictureOf());
  card("system-architect")?.querySelector<HTMLElement>("button")?.click();
  await drawn();
  expect(stage.ui.task.value).toBe("audit-modules");
  expect(card("system-architect")?.getAttribute("aria-current")).toBe("true");
});

test("a card that tells the same as before stays the same object", async () => {
  stage = await onStage(Board, pictureOf());
  const made = new Cards();
  const before = made.of(stage.mission);
  const task = stage.mission.task("audit-auth") as TaskFacts;
  await stage.change({ tasks: [{ ...task, note: "9 of 14 files read" }] });
  const after = made.of(stage.mission);
  expect(after.filter((each, place) => each !== before[place])).toHaveLength(1);
});

test.each(HOSTILE)("hostile text is shown and does nothing (%#)", async (text) => {
  stage = await onStage(
    Board,
    withTasks((task) => ({ name: `${task.name}${text}`, note: text, agent: text })),
  );
  expect(harmOf(stage.root)).toEqual([]);
  expect(stage.root.textContent?.length).toBeLessThan(20_000);
});

test("a hundred of them that come and go leave nothing behind", LONG, async () => {
  expect(await leftBehind(Board)).toEqual({ watched: 0, elsewhere: 0, timers: 0 });
});
