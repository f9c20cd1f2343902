import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { largePicture, NOW, pictureOf } from "../dev/fixtures";
import { arranged } from "../src/graph/arranged";
import { cardPlace } from "../src/graph/card-place";
import { pathOf, placed } from "../src/graph/geometry";
import { brief, detailOf, workedOf } from "../src/graph/look";
import { Scene } from "../src/graph/scene";
import { SmallGraph } from "../src/graph/small-graph";
import { type Here, HereContext } from "../src/here";
import { KernelLink } from "../src/link";
import { Mission } from "../src/mission";
import type { Picture, PlanSpec, TaskFacts } from "../src/protocol";
import { newUi } from "../src/ui";
import { Graph } from "../src/views/graph";
import { batchAfter } from "./batch";

interface Shown {
  readonly root: HTMLElement;
  readonly here: Here;
  readonly model: FakeModel;
  end(): void;
}

const open = new Set<Shown>();

function show(picture: Picture = pictureOf("running")): Shown {
  const model = new FakeModel({});
  const link = new KernelLink(model, () => {});
  const ui = newUi("graph", "comfortable");
  ui.now.value = NOW;
  const here: Here = { mission: new Mission(picture), link, ui };
  const root = document.createElement("div");
  root.className = "hypernb";
  document.body.append(root);
  act(() => {
    render(
      <HereContext.Provider value={here}>
        <Graph />
      </HereContext.Provider>,
      root,
    );
  });
  const shown: Shown = {
    root,
    here,
    model,
    end() {
      act(() => render(null, root));
      root.remove();
      link.close();
      open.delete(shown);
    },
  };
  open.add(shown);
  return shown;
}

function box(root: HTMLElement): HTMLElement {
  return root.querySelector<HTMLElement>(".gr-box") as HTMLElement;
}

function press(root: HTMLElement, ...keys: string[]): void {
  for (const key of keys) {
    act(() => {
      box(root).dispatchEvent(
        new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
      );
    });
  }
}

/** Go by keys to a task, layer after layer. */
function mark(root: HTMLElement, name: string): void {
  const way = [...Array(10).fill("ArrowDown"), ...Array(10).fill("ArrowUp"), "ArrowRight"];
  for (const key of ["Home", ...way, ...way, ...way, "End"]) {
    press(root, key);
    if (text(root.querySelector(".gr-card .gr-name")) === name) return;
  }
  throw new Error(`No key leads to ${name}.`);
}

function change(here: Here, name: string, changes: Partial<TaskFacts>): void {
  const task = { ...(here.mission.task(name) as TaskFacts), ...changes };
  act(() => {
    here.mission.apply(batchAfter(here.mission, { tasks: [task] }));
  });
}

beforeEach(() => {
  // happy-dom lays nothing out; the surface needs a width to stand in.
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(868);
});

afterEach(() => {
  for (const one of [...open]) one.end();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const text = (element: Element | null | undefined): string =>
  (element?.textContent ?? "").replace(/\s+/g, " ").trim();

describe("the table beside the graph", () => {
  it("has a row for each task, with state in words", () => {
    const { root } = show();
    const rows = [...root.querySelectorAll(".gr-table tbody tr")];
    expect(rows).toHaveLength(14);
    expect(text(rows[6])).toBe(
      "t7 audit-schema running, attempt 2 of 3database-architect2 min 18 s$0.022",
    );
    expect(text(rows[4]).endsWith("yes")).toBe(true);
  });

  it("has heads with a scope and a caption", () => {
    const { root } = show();
    const heads = [...root.querySelectorAll(".gr-table thead th")];
    expect(heads.map((head) => head.getAttribute("scope"))).toEqual(Array(6).fill("col"));
    expect(text(root.querySelector("caption"))).toBe("The same 14 tasks as a table");
  });

  it("marks the task that is open", () => {
    const { root, here } = show();
    act(() => {
      here.ui.task.value = "audit-ui";
    });
    expect(text(root.querySelector('[aria-current="true"] .name'))).toBe("audit-ui");
  });

  it("follows a change of state", () => {
    vi.useFakeTimers();
    const { root, here } = show();
    change(here, "audit-auth", { state: "failed" });
    act(() => {
      vi.advanceTimersByTime(1_000);
    });
    expect(text(root.querySelectorAll(".gr-table tbody tr")[4])).toContain("failed");
  });

  it("has only some rows of a large plan in the page, and says which", () => {
    const { root } = show(largePicture(2_000));
    const rows = [...root.querySelectorAll(".gr-table tbody tr:not(.gr-space)")];
    expect(rows.length).toBeLessThan(100);
    expect(root.querySelector("table")?.getAttribute("aria-rowcount")).toBe("2001");
    expect(rows[0]?.getAttribute("aria-rowindex")).toBe("2");
  });

  it("brings other rows while it is scrolled", () => {
    const { root } = show(largePicture(2_000));
    const table = root.querySelector<HTMLElement>(".gr-table") as HTMLElement;
    table.scrollTop = 34 * 1_000;
    act(() => {
      table.dispatchEvent(new Event("scroll"));
    });
    const first = root.querySelector(".gr-table tbody tr:not(.gr-space)");
    expect(Number(first?.getAttribute("aria-rowindex"))).toBeGreaterThan(900);
  });
});

describe("the sentences around the graph", () => {
  it("names the critical path and the time left", () => {
    const { root } = show();
    expect(text(root.querySelector(".gr-bar p"))).toBe(
      "Critical path: map-repo, audit-auth, prove-findings, rank-findings, write-report. About 4 min left (3 to 6).",
    );
    expect(text(root.querySelectorAll(".gr-bar p b")[1])).toBe("audit-auth");
  });

  it("says that there is no graph without a plan", () => {
    const { root } = show(pictureOf("planning"));
    expect(text(root)).toBe("There is no plan yet, so there is no graph.");
  });

  it("says of an ended mission that nothing more is handed on", () => {
    expect(text(show(pictureOf("failed")).root.querySelector(".gr-legend"))).toContain(
      "not handed on",
    );
  });
});

describe("the keys of the graph", () => {
  it("mark what is at work first, then follow the edges", () => {
    const { root, here } = show();
    press(root, "ArrowRight");
    expect(text(root.querySelector('[role="status"]'))).toMatch(/^audit-auth: running 2:24\./);
    press(root, "ArrowLeft");
    expect(text(root.querySelector('[role="status"]'))).toMatch(/^(map-repo|scan-secrets): /);
    press(root, "Enter");
    expect(["map-repo", "scan-secrets"]).toContain(here.ui.task.value);
  });

  it("lead from end to end", () => {
    const { root } = show();
    press(root, "End");
    expect(text(root.querySelector('[role="status"]'))).toMatch(
      /^write-report: pending, needs 1\. Needs rank-findings\. Leads to nothing\.$/,
    );
  });

  it("are left to the notebook where they mean nothing", () => {
    const { root } = show();
    const event = new KeyboardEvent("keydown", { key: "x", bubbles: true, cancelable: true });
    box(root).dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });
});

describe("the card of a task", () => {
  it("tells what it does, waits for and leads to", () => {
    const { root } = show();
    mark(root, "audit-ui");
    expect(text(root.querySelector(".gr-card"))).toBe(
      "t8 audit-ui stalledNowThere is no sign of life for 1 min 40 s." +
        "Waiting forA sign of life. You need not act.Nextaudit-ui is stalled, silent for " +
        "1 min 40 s. Attempt 2 of 3 starts by itself at 14:05:42." +
        "Agentfrontend-specialist, process 48207Retry nowThe same by %hyper retry m-7 audit-uiOpen task",
    );
  });

  it("goes by Escape, wherever the focus is, and comes back with another task", () => {
    const { root } = show();
    press(root, "ArrowRight");
    expect(root.querySelector(".gr-card")).not.toBeNull();
    act(() => {
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    });
    expect(root.querySelector(".gr-card")).toBeNull();
    press(root, "ArrowRight");
    expect(root.querySelector(".gr-card")).not.toBeNull();
  });

  it("does not come for a task that is open, nor when that is closed", () => {
    const { root, here } = show();
    const open = (name: string | null): void => {
      act(() => {
        here.ui.task.value = name;
      });
    };
    open("audit-ui");
    expect(root.querySelector(".gr-ring")).not.toBeNull();
    expect(root.querySelector(".gr-card")).toBeNull();
    open(null);
    expect(root.querySelector(".gr-card")).toBeNull();
    mark(root, "write-report");
    open("write-report");
    expect(root.querySelector(".gr-card")).toBeNull();
  });

  it("opens the task", () => {
    const { root, here } = show();
    press(root, "End");
    const button = [...root.querySelectorAll<HTMLButtonElement>(".gr-card button")].at(-1);
    act(() => button?.click());
    expect(here.ui.task.value).toBe("write-report");
  });

  it("asks the kernel by the actions of the task", () => {
    const { root, model } = show();
    mark(root, "audit-ui");
    act(() => root.querySelector<HTMLButtonElement>(".gr-card .btn")?.click());
    expect(model.sent.at(-1)).toMatchObject({ type: "ask", verb: "retry" });
  });

  it("shows hostile names as they are", () => {
    const picture = pictureOf("running");
    const hostile = "<img src=x onerror=alert(1)>\u202e".padEnd(200, "w");
    const task = picture.tasks[0] as TaskFacts;
    const plan = picture.plan as PlanSpec;
    picture.tasks[0] = { ...task, name: hostile };
    picture.plan = { ...plan, tasks: [{ ...plan.tasks[0], name: hostile } as never] };
    picture.tasks.length = 1;
    const { root } = show(picture);
    act(() => {
      const key = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
      root.querySelector(".gr-box")?.dispatchEvent(key);
    });
    expect(root.querySelector("img")).toBeNull();
    expect(text(root.querySelector(".gr-card"))).toContain(
      "<img src=x onerror=alert(1)>\\u202e",
    );
  });
});

describe("the graph and a new revision", () => {
  it("keeps its place while states change", () => {
    const { root, here } = show();
    press(root, "End");
    const place = root.querySelector<HTMLElement>(".gr-ring")?.style.transform;
    change(here, "write-report", { state: "running" });
    expect(root.querySelector<HTMLElement>(".gr-ring")?.style.transform).toBe(place);
  });

  it("keeps the marked task when the plan changes", () => {
    const { root, here } = show();
    press(root, "End");
    const plan = here.mission.plan.peek() as PlanSpec;
    act(() => {
      here.mission.plan.value = {
        ...plan,
        tasks: [{ name: "first", work: { kind: "agent" } }, ...plan.tasks],
      };
    });
    expect(text(root.querySelector(".gr-card .gr-name"))).toBe("write-report");
  });
});

describe("a graph that is taken away", () => {
  it("leaves no listener, observer or timer behind", () => {
    vi.useFakeTimers();
    const counts = { observers: 0, listeners: 0 };
    const observed = (name: "ResizeObserver" | "MutationObserver"): void => {
      const { prototype } = globalThis[name];
      const { observe, disconnect } = prototype;
      const seen = new WeakSet<object>();
      vi.spyOn(prototype, "observe").mockImplementation(function (
        this: object,
        ...args: unknown[]
      ) {
        if (!seen.has(this)) counts.observers += 1;
        seen.add(this);
        return Reflect.apply(observe, this, args);
      });
      vi.spyOn(prototype, "disconnect").mockImplementation(function (this: object) {
        if (seen.delete(this)) counts.observers -= 1;
        return Reflect.apply(disconnect, this, []);
      });
    };
    observed("ResizeObserver");
    observed("MutationObserver");
    const { addEventListener, removeEventListener } = document;
    vi.spyOn(document, "addEventListener").mockImplementation((...args) => {
      counts.listeners += 1;
      Reflect.apply(addEventListener, document, args);
    });
    vi.spyOn(document, "removeEventListener").mockImplementation((...args) => {
      counts.listeners -= 1;
      Reflect.apply(removeEventListener, document, args);
    });
    for (let time = 0; time < 30; time += 1) {
      const shown = show();
      press(shown.root, "End");
      change(shown.here, "audit-auth", { state: "failed" });
      expect(counts.observers).toBeGreaterThan(0);
      shown.end();
    }
    expect(counts).toEqual({ observers: 0, listeners: 0 });
    expect(vi.getTimerCount()).toBe(0);
  }, 20_000);
});

describe("ways along the edges", () => {
  const { ways, numbers } = arranged(pictureOf("running").plan as PlanSpec);
  const number = (name: string): number => numbers.get(name) ?? -1;

  it("lead to a task that needs it, and back to one that it needs", () => {
    expect(ways.step(number("prove-findings"), "on")).toBe(number("rank-findings"));
    expect(ways.step(number("audit-ci"), "back")).toBe(number("inventory-deps"));
  });

  it("end at the ends", () => {
    expect(ways.step(number("write-report"), "on")).toBe(number("write-report"));
    expect(ways.step(ways.first(), "back")).toBe(ways.first());
  });

  it("lead through every task of a layer", () => {
    const layer = ways.inLayer(1);
    const met = [layer[0] ?? -1];
    for (let step = 1; step < layer.length; step += 1)
      met.push(ways.step(met.at(-1) ?? -1, "after"));
    expect(met).toEqual(layer);
  });
});

describe("the scene", () => {
  const measure = {
    width: 150,
    height: 48,
    gapAlong: 30,
    gapAcross: 10,
    margin: 4,
    grain: 1,
    short: false,
  };
  const plan = largePicture(400).plan as PlanSpec;

  it.each([true, false])("finds what lies in a part of it (down: %s)", (down) => {
    const scene = new Scene(arranged(plan), { ...measure, down });
    const area = { x: 500, y: 300, width: 700, height: 500 };
    const found: number[] = [];
    scene.eachIn(area, (task) => found.push(task));
    const all = plan.tasks
      .map((_, task) => task)
      .filter((task) => {
        const own = scene.box(task);
        return (
          own.x <= area.x + area.width &&
          own.x + own.width >= area.x &&
          own.y <= area.y + area.height &&
          own.y + own.height >= area.y
        );
      });
    expect(found.sort((a, b) => a - b)).toEqual(all);
  });

  it("finds each task at the middle of its box", () => {
    const scene = new Scene(arranged(plan), { ...measure, down: false });
    for (let task = 0; task < scene.size; task += 7) {
      const own = scene.box(task);
      expect(scene.taskAt(own.x + own.width / 2, own.y + own.height / 2)).toBe(task);
    }
  });

  it("draws an edge from box to box", () => {
    const geometry = placed(
      arranged({
        goal: "",
        tasks: [
          { name: "a", work: {} },
          { name: "b", needs: ["a"], work: {} },
        ],
      }).layout,
      { ...measure, down: false },
    );
    expect(pathOf(geometry, 0)).toBe("M154 28L184 28");
  });
});

describe("the place of a card", () => {
  const room = { width: 800, height: 400 };
  const card = { width: 300, height: 160 };

  it("touches its box where the pointer has to reach it", () => {
    const own = { x: 100, y: 100, width: 150, height: 48 };
    expect(cardPlace(own, card, room, [], true)).toEqual({ left: 256, top: 44 });
  });

  it("stands in a free corner where it need not be reached", () => {
    const own = { x: 300, y: 180, width: 150, height: 48 };
    const others = [
      { x: 0, y: 0, width: 800, height: 170 },
      { x: 0, y: 240, width: 400, height: 160 },
      { x: 460, y: 180, width: 300, height: 48 },
    ];
    expect(cardPlace(own, card, room, others, false)).toEqual({ left: 496, top: 236 });
  });

  it("finds a free place that is no corner, and stands below the drawing if there is none", () => {
    const own = { x: 0, y: 0, width: 150, height: 40 };
    const edges = [
      { x: 0, y: 0, width: 800, height: 100 },
      { x: 0, y: 300, width: 800, height: 100 },
      { x: 0, y: 100, width: 150, height: 200 },
      { x: 650, y: 100, width: 150, height: 200 },
    ];
    const at = cardPlace(own, card, room, edges, false);
    expect(at?.left).toBeGreaterThanOrEqual(150);
    expect(at?.top).toBeGreaterThanOrEqual(100);
    const middle = { x: 300, y: 180, width: 200, height: 48 };
    expect(cardPlace(own, card, room, [...edges, middle], false)).toBeNull();
  });

  it("stays within the room", () => {
    const own = { x: 700, y: 380, width: 150, height: 48 };
    const { left, top } = cardPlace(own, card, room, [], true) ?? { left: 0, top: 0 };
    expect(left + card.width).toBeLessThanOrEqual(room.width);
    expect(top + card.height).toBeLessThanOrEqual(room.height);
  });
});

describe("words in boxes and cards", () => {
  const task = pictureOf("running").tasks[4] as TaskFacts;

  it.each([
    [0, "0:00"],
    [144, "2:24"],
    [3_725, "1:02:05"],
  ])("say %i seconds as %s", (seconds, said) => {
    expect(brief(seconds)).toBe(said);
  });

  it("say the state with its time, its attempt or what it needs", () => {
    expect(detailOf(task, 0, 3, NOW)).toBe("running 2:24");
    expect(detailOf({ ...task, attempt: 2 }, 0, 3, NOW)).toBe("running (2 of 3)");
    expect(detailOf({ ...task, state: "pending" }, 4, 3, NOW)).toBe("pending, needs 4");
    expect(detailOf({ ...task, state: "awaiting_approval" }, 0, 3, NOW)).toBe(
      "awaiting approval",
    );
  });

  it("count whole seconds in box and table, and are exact once it is over", () => {
    const picture = pictureOf("running");
    const [over, ...rest] = picture.tasks as [TaskFacts, ...TaskFacts[]];
    const tasks = [{ ...over, worked_s: 4.6 }, ...rest];
    const { root, here } = show({ ...picture, tasks });
    act(() => {
      here.ui.now.value = NOW + 9_700;
    });
    const cell = (at: number): string =>
      text(root.querySelectorAll(".gr-table tbody tr")[at]?.querySelector("td.num"));
    expect(cell(0)).toBe("4.6 s");
    expect(cell(4)).toBe("2 min 33 s");
    expect(detailOf(task, 0, 3, NOW + 9_700)).toBe("running 2:33");
  });

  it("add what the attempt under way has worked", () => {
    expect(workedOf({ ...task, worked_s: 10 }, NOW)).toBe(154);
    expect(workedOf({ ...task, worked_s: 10, state: "pending" }, NOW)).toBe(10);
  });
});

describe("the small graph", () => {
  function small(plan: PlanSpec, onOpen: (name: string) => void = () => {}): HTMLElement {
    const root = document.createElement("div");
    act(() => {
      render(
        <SmallGraph
          plan={plan}
          critical={["map-repo", "audit-auth"]}
          says="It is the longest way by number of tasks; there are no estimates."
          marked="audit-ui"
          onOpen={onOpen}
        />,
        root,
      );
    });
    return root;
  }
  const plan = pictureOf("running").plan as PlanSpec;

  it("has a button for each task and opens it", () => {
    const opened = vi.fn();
    const buttons = [...small(plan, opened).querySelectorAll("button")];
    expect(buttons.map(text)).toEqual(plan.tasks.map((_, at) => `t${at + 1}`));
    buttons[2]?.click();
    expect(opened).toHaveBeenCalledWith("inventory-deps");
  });

  it("has one stop for the Tab key: the marked task", () => {
    const stops = [...small(plan).querySelectorAll<HTMLElement>('button[tabindex="0"]')];
    expect(stops.map((stop) => stop.getAttribute("aria-label"))).toEqual(["t8, audit-ui"]);
  });

  it("moves along its edges by arrow keys", () => {
    const root = small(plan);
    document.body.append(root);
    const start = root.querySelector<HTMLElement>('[data-number="12"]');
    start?.focus();
    act(() => {
      start?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    });
    expect(text(document.activeElement)).toBe("t14");
    root.remove();
  });

  it("draws the critical path thick", () => {
    expect(small(plan).querySelectorAll(".sg-crit")).toHaveLength(1);
  });

  it("tells a large plan in a sentence", () => {
    expect(text(small(largePicture(400).plan as PlanSpec))).toMatch(
      /^400 tasks in 40 waves, too many to draw small\. 10 tasks start at once;/,
    );
  });
});
