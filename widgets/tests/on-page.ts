/** A widget on a page whose kernel is played by a model, and hands and eyes for it. */
import { act } from "preact/test-utils";
import { FakeModel } from "../dev/fake-model";
import widget from "../src/index";
import type { FromKernel, ToKernel } from "../src/protocol";

type Ask = Extract<ToKernel, { type: "ask" }>;

export class OnPage {
  readonly model: FakeModel;
  readonly el: HTMLElement;
  private readonly ends: (() => void)[] = [];
  private readonly draw: ReturnType<typeof widget>["render"];
  private readonly others: HTMLElement[] = [];

  constructor(component: string, before: (model: FakeModel) => () => void = () => () => {}) {
    this.model = new FakeModel({ component });
    this.ends.push(before(this.model));
    const { initialize, render } = widget();
    this.draw = render;
    this.ends.push(initialize({ model: this.model }));
    this.el = document.body.appendChild(document.createElement("main"));
    act(() => {
      this.ends.push(render({ model: this.model, el: this.el }));
    });
  }

  /** Show the same widget once more on the page, as a second cell would. */
  another(): HTMLElement {
    const el = document.body.appendChild(document.createElement("main"));
    this.others.push(el);
    act(() => {
      this.ends.push(this.draw({ model: this.model, el }));
    });
    return el;
  }

  say(message: FromKernel): void {
    act(() => this.model.say(message));
  }

  /** What was asked, in order; of one verb if named. */
  asks(verb?: string): Ask[] {
    return this.model.sent.filter(
      (each): each is Ask => each.type === "ask" && (verb === undefined || each.verb === verb),
    );
  }

  /** Answer the latest question. */
  async answer(value: unknown): Promise<void> {
    this.model.say({ type: "answer", id: this.asks().at(-1)?.id ?? "", ok: true, value });
    await settled();
  }

  async refuse(message: string, hint = ""): Promise<void> {
    const id = this.asks().at(-1)?.id ?? "";
    this.model.say({ type: "answer", id, ok: false, error: { code: "no", message, hint } });
    await settled();
  }

  get text(): string {
    return textOf(this.el);
  }

  close(): void {
    act(() => {
      for (const end of this.ends.reverse()) end();
    });
    this.ends.length = 0;
    for (const el of [this.el, ...this.others]) el.remove();
  }
}

/** Let promises and effects that wait for them come to rest. */
export async function settled(): Promise<void> {
  await act(async () => {
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
  });
}

export function textOf(el: Element | null): string {
  return (el?.textContent ?? "").replace(/\s+/g, " ").trim();
}

/** The button whose name begins so. */
export function button(el: ParentNode, name: string): HTMLButtonElement {
  const found = [...el.querySelectorAll("button")].find((each) =>
    (each.getAttribute("aria-label") ?? textOf(each)).startsWith(name),
  );
  if (!found) throw new Error(`There is no button ${name}.`);
  return found;
}

export function press(el: ParentNode, name: string): void {
  act(() => button(el, name).click());
}

export function field<T extends HTMLElement>(el: ParentNode, selector: string): T {
  const found = el.querySelector<T>(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}
