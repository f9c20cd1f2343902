/** Several views of one list: what one opens, and what the others say about it. */
import { act } from "preact/test-utils";
import { afterEach, describe, expect, it } from "vitest";
import { pictureOf } from "../dev/fixtures";
import { rowOf } from "../dev/fixtures-results";
import type { Picture } from "../src/protocol";
import { button, OnPage, press, settled, textOf } from "./on-page";

let page: OnPage;

afterEach(() => page.close());

function open(): HTMLElement {
  page = new OnPage("hyper_board");
  const rows = [rowOf(6, "running"), rowOf(5, "running")];
  page.say({ type: "missions", n: 1, now: "2026-11-20T14:05:22Z", rows, total: 2 });
  return page.el;
}

function pictureFor(number: number): Picture {
  const picture = pictureOf("running");
  const mission = { ...picture.mission, id: `id-${number}`, short_id: `m-${number}` };
  return { ...picture, mission };
}

/** The kernel opens a mission for whoever asked last. */
async function opens(number: number): Promise<void> {
  page.say({ type: "opened", mission: `m-${number}`, why: "" });
  await page.answer({});
  page.say(pictureFor(number));
  await settled();
}

async function openHere(el: HTMLElement, number: number): Promise<void> {
  press(el, `Open m-${number}`);
  await opens(number);
}

describe("a mission that is open in a list", () => {
  it("is what everything in it is asked about", async () => {
    const el = open();
    await openHere(el, 6);
    press(el, "Pause");
    expect(page.asks("pause").at(-1)?.args).toMatchObject({ mission: "id-6" });
  });

  it("gives way to what another view opens, says so, and comes back", async () => {
    const first = open();
    const second = page.another();
    await openHere(first, 6);
    expect(textOf(first)).toContain("Back to the board");
    expect(first.querySelector(".mission")).not.toBeNull();
    expect(textOf(second)).toContain("Live missions");
    await openHere(second, 5);
    expect(second.querySelector(".mission")).not.toBeNull();
    expect(first.querySelector(".mission")).toBeNull();
    expect(textOf(first)).toContain("Another view of this list has opened m-5");
    press(first, "Show m-6 here");
    expect(page.asks("open").at(-1)?.args).toEqual({ mission: "m-6" });
    await opens(6);
    expect(first.querySelector(".mission")).not.toBeNull();
    expect(textOf(second)).toContain("Another view of this list has opened m-6");
  });

  it("stays open in one view when another goes back", async () => {
    const first = open();
    const second = page.another();
    await openHere(first, 6);
    await openHere(second, 6);
    press(first, "Back to the board");
    await settled();
    expect(page.asks("open").at(-1)?.args).toEqual({ mission: "m-6" });
    expect(second.querySelector(".mission")).not.toBeNull();
    press(second, "Back to the board");
    expect(page.asks("open").at(-1)?.args).toEqual({ mission: null });
  });

  it("that was closed on another page can be shown again", async () => {
    const el = open();
    await openHere(el, 6);
    page.say({ type: "opened", mission: null, why: "" });
    await settled();
    expect(textOf(el)).toContain("Another view of this list has closed m-6.");
    expect(button(el, "Show m-6 here").disabled).toBe(false);
  });

  it("that cannot be shown any more makes room for the list, which says why", async () => {
    const el = open();
    await openHere(el, 6);
    page.say({ type: "opened", mission: null, why: "Its plan is damaged." });
    await settled();
    expect(textOf(el)).toContain("Live missions");
    expect(textOf(el.querySelector("[role=alert]"))).toBe("Its plan is damaged.");
  });

  it("can be opened after the page was loaded anew while it was open", async () => {
    const el = open();
    page.say({ type: "opened", mission: "m-6", why: "" });
    page.say(pictureFor(6));
    await settled();
    expect(textOf(el)).toContain("Live missions");
    await openHere(el, 6);
    expect(el.querySelector(".mission")).not.toBeNull();
  });

  it("says while its store cannot be read that it is not current, and why", async () => {
    const el = open();
    act(() => page.say({ type: "beat", now: "2026-11-20T14:05:22Z", why: "It is gone." }));
    expect(textOf(el)).toContain("It is gone.");
    await openHere(el, 6);
    expect(textOf(el)).toContain("This view is not current: It is gone.");
    page.say({ type: "beat", now: "2026-11-20T14:05:27Z", why: "" });
    expect(textOf(el)).not.toContain("not current");
  });
});
