import axe from "axe-core";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerAsks } from "../dev/answers";
import { comparedOf, rowOf, rowsOf } from "../dev/fixtures-results";
import type { MissionRow } from "../src/protocol";
import { button, field, OnPage, press, settled, textOf } from "./on-page";

let page: OnPage;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  page.close();
  vi.useRealTimers();
});

async function passed(ms: number): Promise<void> {
  // In steps: effects, which set timers of their own, run at the end of each.
  for (let step = 0; step < 4; step += 1) {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(ms / 4);
    });
  }
}

async function open(missions = 130): Promise<HTMLElement> {
  page = new OnPage("history", (model) => answerAsks(model, { missions }));
  await settled();
  return page.el;
}

async function bare(rows: MissionRow[]): Promise<HTMLElement> {
  page = new OnPage("history");
  await settled();
  await page.answer({ rows, total: rows.length });
  return page.el;
}

async function type(words: string): Promise<void> {
  const input = field<HTMLInputElement>(page.el, 'input[type="search"]');
  input.value = words;
  act(() => {
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await passed(1_000);
}

async function choose(selector: string, value: string): Promise<void> {
  const select = field<HTMLSelectElement>(page.el, selector);
  select.value = value;
  act(() => {
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await passed(1_000);
}

const tick = (ref: string): void => {
  act(() => field<HTMLInputElement>(page.el, `input[aria-label="Compare ${ref}"]`).click());
};

const refs = (): string[] =>
  [...page.el.querySelectorAll(".past tbody th > code")].map((each) => textOf(each));

describe("the history", () => {
  it("lists missions newest first, each state with its word", async () => {
    const el = await open();
    expect(page.asks("missions")[0]?.args).toEqual({
      text: "",
      states: [],
      limit: 50,
      offset: 0,
    });
    expect(refs().slice(0, 3)).toEqual(["m-130", "m-129", "m-128"]);
    expect(page.text).toContain("130 missions, newest first.");
    expect(textOf(el.querySelector(".past tbody tr"))).toContain("awaiting approval");
    expect(el.querySelector(".past tbody tr svg.r-attention")).not.toBeNull();
  });

  it("shows fifty more at a press, and says how many there are", async () => {
    await open();
    expect(page.text).toContain("50 of 130 are listed.");
    press(page.el, "Show 50 more");
    await passed(1_000);
    expect(refs()).toHaveLength(100);
    press(page.el, "Show 30 more");
    await passed(1_000);
    expect(refs()).toHaveLength(130);
    expect(page.text).not.toContain("are listed");
  });

  it("searches a moment after the last key", async () => {
    await open();
    for (const words of ["f", "fo", "forecasts"]) {
      const input = field<HTMLInputElement>(page.el, 'input[type="search"]');
      input.value = words;
      act(() => {
        input.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
    expect(page.asks("missions")).toHaveLength(1);
    await passed(1_000);
    expect(page.asks("missions").map(({ args }) => args.text)).toEqual(["", "forecasts"]);
    expect(page.text).toContain("22 missions are like that, newest first.");
  });

  it("says what to do when nothing is like that", async () => {
    await open();
    await type("quagga");
    expect(page.text).toContain("No mission is like that. Use fewer words, or another state.");
    expect(page.el.querySelector("table")).toBeNull();
  });

  it("filters by state", async () => {
    await open();
    await choose(".filters select", "failed");
    expect(page.asks("missions").at(-1)?.args.states).toEqual(["failed"]);
    await choose(".filters select", "live");
    expect(page.asks("missions").at(-1)?.args.states).toEqual([
      "planning",
      "awaiting_approval",
      "running",
      "paused",
    ]);
  });

  it("says how to begin where there is no mission", async () => {
    await open(0);
    expect(page.text).toContain("There is no mission yet.");
    expect(page.text).toContain("%%hyper");
  });

  it("asks anew when the kernel tells of changes, but not for each of them", async () => {
    await open(3);
    const rows = rowsOf(3);
    for (let n = 1; n <= 20; n += 1) {
      page.say({ type: "missions", n, now: "2026-11-20T14:02:10Z", rows, total: 3 });
      await passed(100);
    }
    expect(page.asks("missions")).toHaveLength(1);
    await passed(4_000);
    expect(page.asks("missions")).toHaveLength(2);
    await passed(20_000);
    expect(page.asks("missions")).toHaveLength(2);
  });

  it("shows why it cannot be asked", async () => {
    page = new OnPage("history");
    await settled();
    await page.refuse("The store is gone.", "Look for it.");
    expect(textOf(page.el.querySelector('[role="alert"]'))).toBe(
      "The store is gone. Look for it.",
    );
  });
});

describe("two missions", () => {
  it("are compared, the earlier one left", async () => {
    await open();
    tick("m-126");
    expect(page.text).toContain("m-126 is ticked. Tick another one to compare them.");
    tick("m-125");
    press(page.el, "Compare m-125 with m-126");
    await settled();
    expect(page.asks("compare")[0]?.args).toEqual({ a: "m-125", b: "m-126" });
    expect(document.activeElement?.textContent).toBe("m-125 and m-126");
    const text = page.text;
    expect(text).toContain("11 tasks the same in both");
    expect(text).toContain("Only in m-126: check-advisories.");
    expect(text).toContain("cap on time1 min3 min");
    expect(text).toContain("13 s less");
    expect(text).toContain("no such task");
    expect(text).toContain("3 in both");
    press(page.el, "Back to the list");
    await settled();
    expect(refs()[0]).toBe("m-130");
    expect(page.text).toContain("m-125 and m-126 are ticked.");
    await passed(100);
    expect(document.activeElement?.textContent).toBe("History");
  });

  it("are two: a third tick takes the place of the first", async () => {
    await open();
    for (const ref of ["m-126", "m-125", "m-124"]) tick(ref);
    expect(page.text).toContain("m-124 and m-125 are ticked.");
    tick("m-124");
    expect(page.text).toContain("m-125 is ticked.");
  });

  it("that are the same say so", async () => {
    const compared = comparedOf("m-1", "m-2");
    await bare(rowsOf(2));
    tick("m-1");
    tick("m-2");
    press(page.el, "Compare m-1 with m-2");
    await settled();
    await page.answer({
      ...compared,
      difference: { ...compared.difference, added: [], removed: [], changed: [] },
      findings: {
        only_a: { rows: [], total: 0 },
        only_b: { rows: [], total: 0 },
        both: 5,
      },
    });
    expect(page.text).toContain("The plans are the same.");
    expect(page.text).toContain("Only in m-1none");
  });
});

describe("a mission of the list", () => {
  it("is opened in its place, and one comes back", async () => {
    await open();
    press(page.el, "Open m-128");
    expect(page.text).toContain("Opening m-128.");
    await settled();
    expect(page.asks("open")[0]?.args).toEqual({ mission: "m-128" });
    expect(page.el.querySelector(".mission")).not.toBeNull();
    expect(document.activeElement).toBe(button(page.el, "Back to the list"));
    press(page.el, "Back to the list");
    await settled();
    expect(page.asks("open").at(-1)?.args).toEqual({ mission: null });
    expect(document.activeElement?.textContent).toBe("History");
    expect(refs()[0]).toBe("m-130");
  });

  it("that cannot be opened says why, in the list", async () => {
    await bare([rowOf(3, "succeeded")]);
    press(page.el, "Open m-3");
    await settled();
    await page.refuse("Mission m-3 was forgotten.");
    expect(page.text).toContain("Mission m-3 was forgotten.");
    expect(page.text).toContain("History");
  });

  it("is forked, and the fork can be opened", async () => {
    await open();
    press(page.el, "Fork");
    await settled();
    expect(page.asks("fork")[0]?.args).toEqual({ mission: "m-130" });
    expect(page.text).toContain("m-131 is a fork of m-130. Nothing of it runs yet.");
    press(page.el.querySelector(".answer") as Element, "Open m-131");
    await settled();
    expect(page.asks("open")[0]?.args).toEqual({ mission: "m-131" });
  });

  it("is written to a file, and the view says where", async () => {
    await open();
    press(page.el, "Export…");
    await choose(".confirm select", "notebook");
    press(page.el, "Write the file");
    await settled();
    expect(page.asks("export")[0]?.args).toEqual({ mission: "m-130", form: "notebook" });
    expect(page.text).toContain("Written to /home/ada/ledgerline/m-130.notebook");
    expect(page.el.querySelector(".confirm")).toBeNull();
  });

  it("that cannot be written says why", async () => {
    await bare([rowOf(3, "succeeded")]);
    press(page.el, "Export…");
    press(page.el, "Write the file");
    await settled();
    await page.refuse("'/srv/m-3.html' cannot be written: Read-only file system.");
    expect(textOf(page.el.querySelector(".refused"))).toContain("Read-only file system.");
    expect(page.el.querySelector(".confirm")).not.toBeNull();
  });
});

describe("the history's page", () => {
  it("has nothing that axe finds", async () => {
    const el = await open(20);
    vi.useRealTimers();
    const found = await axe.run(el, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });

  it("makes nothing of hostile text", async () => {
    const hostile = `<img src=x onerror="globalThis.pwned = 1"> \u001b[31m\u202e ${"W".repeat(
      100_000,
    )}`;
    const row = rowOf(3, "failed");
    const el = await bare([
      {
        ...row,
        told: [hostile, { code: hostile }, { strong: hostile }],
        found: [hostile, { code: hostile }],
        mission: {
          ...row.mission,
          goal: hostile,
          playbook: hostile,
          by: hostile,
          forked_from: hostile,
          forked_at: hostile,
          error: hostile,
        },
      },
    ]);
    expect(el.querySelector("img, script")).toBeNull();
    expect(el.textContent).toContain("<img src=x");
    for (const mark of ["\u001b", "\u202e"]) expect(el.textContent).not.toContain(mark);
    expect((el.textContent ?? "").length).toBeLessThan(20_000);
    expect("pwned" in globalThis).toBe(false);
  });

  it("leaves no listener and no timer behind", async () => {
    await open();
    await type("x");
    const { model } = page;
    page.close();
    expect(model.listening).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("counts no pause before a retry", async () => {
  const row = rowOf(3, "failed");
  const times = { started_at: "2026-11-16T09:00:00Z", finished_at: "2026-11-17T09:10:00Z" };
  const mission = { ...row.mission, ...times, rested_s: 24 * 3600 };
  const el = await bare([{ ...row, mission }]);
  expect(textOf(el.querySelector("td.num"))).toBe("10 min");
});

it("says how long a mission has taken so far", async () => {
  vi.setSystemTime("2026-11-16T09:12:30Z");
  const row = rowOf(3, "running");
  const times = { started_at: "2026-11-16T09:00:00Z", finished_at: null, rested_s: 60 };
  const el = await bare([{ ...row, mission: { ...row.mission, ...times } }]);
  expect(textOf(el.querySelector("td.num"))).toBe("11 min 30 s so far");
});

it("says of a row where words were found, and marks them", async () => {
  const found = ["Found in the name of ", { code: "lint" }, ": [", { strong: "mktemp" }, "]."];
  const el = await bare([{ ...rowOf(3, "failed"), found }, rowOf(2, "failed")]);
  const [first, second] = [...el.querySelectorAll("tbody tr")].map((row) => row.textContent);
  expect(first).toContain("Found in the name of lint: [mktemp].");
  expect([...el.querySelectorAll("mark")].map(textOf)).toEqual(["mktemp"]);
  expect(second).not.toContain("Found in");
});

it("asks again when the kernel is heard of again", async () => {
  page = new OnPage("history");
  await settled();
  await page.refuse("The kernel fell silent before it answered.");
  await passed(20_000);
  expect(page.asks("missions")).toHaveLength(1);
  page.say({ type: "beat", now: "2026-11-20T14:05:22Z" });
  await passed(1_000);
  expect(page.asks("missions")).toHaveLength(2);
});
