/** A part of a mission's view by itself, with all that it needs around it. */
import { signal } from "@preact/signals";
import { type ComponentType, render } from "preact";
import { afterEach, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { NOW, pictureOf } from "../dev/fixtures";
import { HereContext } from "../src/here";
import { KernelLink } from "../src/link";
import { Mission } from "../src/mission";
import type { Answer, Batch, Picture, ToKernel } from "../src/protocol";
import { newUi, type Ui } from "../src/ui";
import { batchAfter } from "./batch";

export interface Stage {
  readonly root: HTMLElement;
  readonly mission: Mission;
  readonly model: FakeModel;
  readonly ui: Ui;
  /** Something has changed in the mission. */
  change(more: Partial<Batch>): Promise<void>;
  /** What was asked of the kernel. */
  asked(): Extract<ToKernel, { type: "ask" }>[];
  /** Answer the last question. */
  answer(answer: Omit<Answer, "type" | "id">): Promise<void>;
  /** Whether anything is still drawn anew as time passes. */
  isWatched(): boolean;
  /** Show another part in the same view, or none. */
  show(Part: ComponentType | null): Promise<void>;
  end(): void;
}

/** Enough for a test that draws thousands of rows. */
export const LONG = { timeout: 60_000 };

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Let everything be drawn that was changed. */
export async function drawn(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

/** Let effects begin and end: they do so after a frame, those of parts that are gone too. */
export async function afterFrame(): Promise<void> {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(() => setTimeout(done))));
}

export async function onStage(Part: ComponentType, picture: Picture): Promise<Stage> {
  const model = new FakeModel({});
  const link = new KernelLink(model, () => {});
  const mission = new Mission(picture);
  let watched = false;
  const now = signal(NOW, {
    watched() {
      watched = true;
    },
    unwatched() {
      watched = false;
    },
  });
  const ui: Ui = { ...newUi("feed", "comfortable"), now };
  const root = document.createElement("div");
  document.body.append(root);
  const show = async (Shown: ComponentType | null): Promise<void> => {
    render(
      <HereContext.Provider value={{ mission, link, ui }}>
        {Shown && <Shown />}
      </HereContext.Provider>,
      root,
    );
    await drawn();
  };
  await show(Part);
  const end = (): void => {
    render(null, root);
    root.remove();
    link.close();
  };
  ends.push(end);
  return {
    root,
    mission,
    model,
    ui,
    show,
    async change(more) {
      const last = more.events?.at(-1)?.seq ?? mission.seq.peek();
      const now = new Date(NOW).toISOString();
      mission.apply(batchAfter(mission, { seq: last, now, total_events: last, ...more }));
      await drawn();
    },
    asked: () => model.sent.filter((message) => message.type === "ask"),
    async answer(answer) {
      const asked = model.sent.filter((message) => message.type === "ask");
      model.say({ type: "answer", id: asked.at(-1)?.id ?? "", ...answer });
      await drawn();
    },
    isWatched: () => watched,
    end,
  };
}

/** All text of an element, spaces made one. */
export function textOf(element: Element | null | undefined): string {
  return (element?.textContent ?? "").replace(/\s+/g, " ").trim();
}

/** Strings as agents could make them, for every field that shows text. */
export const HOSTILE = [
  "<script>globalThis.harmed = 1</script>",
  "<img src=x onerror='globalThis.harmed = 1'>",
  "javascript:globalThis.harmed=1",
  "\u001b[31mred\u001b[0m",
  "\u202egnp.exe",
  "zero\u200bwidth",
  "w".repeat(100_000),
];

/** What hostile strings have made of an element: markup, or signs that hide and turn text. */
export function harmOf(element: Element): string[] {
  const made = [...element.querySelectorAll("script, img, a")].map((each) => each.tagName);
  const signs = ["\u202e", "\u200b", "\u001b"].filter((sign) =>
    element.textContent?.includes(sign),
  );
  return [...made, ...signs.map((sign) => sign.charCodeAt(0).toString(16))];
}

/** Show a part a hundred times and end it; returns what it began and did not end. */
export async function leftBehind(Part: ComponentType): Promise<Record<string, number>> {
  const added = vi.spyOn(EventTarget.prototype, "addEventListener");
  const timers = vi.spyOn(globalThis, "setInterval");
  const cleared = vi.spyOn(globalThis, "clearInterval");
  let watched = 0;
  for (let n = 0; n < 100; n += 1) {
    const stage = await onStage(Part, pictureOf());
    if (n % 10 === 0) await afterFrame();
    stage.end();
    watched += Number(stage.isWatched()) + stage.model.listening;
  }
  await afterFrame();
  // Those of elements go with the elements; no others may be added at all.
  const elsewhere = added.mock.contexts.filter((each) => !(each instanceof Element)).length;
  const left = timers.mock.calls.length - cleared.mock.calls.length;
  vi.restoreAllMocks();
  return { watched, elsewhere, timers: left };
}
