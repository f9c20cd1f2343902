import { render } from "preact";
import { afterEach, describe, expect, it } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { KernelLink } from "../src/link";
import { ActionButton } from "../src/parts/action";
import type { Action } from "../src/protocol";
import { press, settle } from "./shown";

const PAUSE: Action = {
  verb: "pause",
  label: "Pause",
  args: { mission: 7 },
  twin: "%hyper pause m-7",
  kind: "plain",
};
const REJECT: Action = {
  ...PAUSE,
  verb: "reject",
  label: "Reject…",
  twin: "%hyper reject m-7",
  confirm: { question: "Nothing will run.", button: "Reject it", reason: "Why" },
};

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function shownAction(action: Action, more: { done?: (value: unknown) => void } = {}) {
  const model = new FakeModel({});
  const link = new KernelLink(model, () => undefined);
  const el = document.body.appendChild(document.createElement("div"));
  render(
    <ActionButton action={action} link={link} onDone={more.done ?? (() => undefined)} />,
    el,
  );
  ends.push(() => {
    render(null, el);
    el.remove();
    link.close();
  });
  const button = el.querySelector("button") as HTMLButtonElement;
  return { model, link, el, button };
}

/** Id of the last question. */
const idOf = (asked: FakeModel): string =>
  asked.sent.flatMap((each) => (each.type === "ask" ? [each.id] : [])).at(-1) ?? "";

describe("the twin of a button", () => {
  it("is shown on hover and on focus, and hidden by Escape", async () => {
    const { el, button } = shownAction(PAUSE);
    const twin = el.querySelector("[role=tooltip]") as HTMLElement;
    expect(button.getAttribute("aria-describedby")).toBe(twin.id);
    expect(twin.textContent).toBe("The same by %hyper pause m-7");
    expect(twin.classList.contains("vh")).toBe(true);
    button.dispatchEvent(new MouseEvent("mouseenter"));
    await settle();
    expect(twin.classList.contains("vh")).toBe(false);
    button.parentElement?.dispatchEvent(new MouseEvent("mouseleave"));
    await settle();
    expect(twin.classList.contains("vh")).toBe(true);
    button.focus();
    await settle();
    expect(twin.classList.contains("vh")).toBe(false);
    press(button, "Escape");
    await settle();
    expect(twin.classList.contains("vh")).toBe(true);
  });
});

describe("a button", () => {
  it("asks the kernel once, however often it is pressed meanwhile", async () => {
    const done: unknown[] = [];
    const { model, button } = shownAction(PAUSE, { done: (value) => done.push(value) });
    button.click();
    await settle();
    button.click();
    expect(model.sent).toEqual([
      { type: "ask", id: idOf(model), verb: "pause", args: { mission: 7 } },
    ]);
    expect(button.getAttribute("aria-busy")).toBe("true");
    model.say({ type: "answer", id: idOf(model), ok: true, value: { fine: true } });
    await settle();
    expect(done).toEqual([{ fine: true }]);
    expect(button.getAttribute("aria-busy")).toBeNull();
  });

  it("says beside itself why not, and what to do", async () => {
    const { model, el, button } = shownAction(PAUSE);
    button.click();
    const error = { code: "transition", message: "It has ended.", hint: "Look at the result." };
    model.say({ type: "answer", id: idOf(model), ok: false, error });
    await settle();
    const alert = el.querySelector("[role=alert]");
    expect(alert?.textContent).toBe("It has ended. Look at the result.");
  });

  it("says beside itself that it is still being tried", async () => {
    const { model, el, button } = shownAction(PAUSE);
    button.click();
    model.say({ type: "pending", id: "of-another-page", why: "Theirs." });
    await settle();
    expect(el.querySelector("[role=status]")).toBeNull();
    model.say({ type: "pending", id: idOf(model), why: "The store is busy." });
    await settle();
    expect(el.querySelector("[role=status]")?.textContent).toBe("The store is busy.");
    expect(button.getAttribute("aria-busy")).toBe("true");
    model.say({ type: "answer", id: idOf(model), ok: true });
    await settle();
    expect(el.querySelector("[role=status]")).toBeNull();
  });

  it("is off while the view is not live", async () => {
    const { model, button } = shownAction(PAUSE);
    Object.assign(model, { comm_live: false });
    model.emit("comm_live_update");
    await settle();
    expect(button.disabled).toBe(true);
  });
});

describe("a button that asks first", () => {
  const inside = (el: HTMLElement, label: string) =>
    [...el.querySelectorAll<HTMLButtonElement>(".confirm button")].find(
      (each) => each.textContent === label,
    );

  it("asks once more where the kernel wants that, and does it with what it was told", async () => {
    const { model, el, button } = shownAction(REJECT);
    button.click();
    await settle();
    inside(el, "Reject it")?.click();
    const step = {
      ...REJECT,
      args: { approve_host: true },
      confirm: { question: "Rows would leave for there:1.", button: "Let it ask there" },
    };
    model.say({ type: "answer", id: idOf(model), ok: true, value: { step } });
    await settle();
    expect(el.querySelector(".confirm")?.textContent).toContain(
      "Rows would leave for there:1.",
    );
    inside(el, "Let it ask there")?.click();
    expect(model.sent.at(-1)).toMatchObject({ verb: "reject", args: { approve_host: true } });
    model.say({ type: "answer", id: idOf(model), ok: true, value: {} });
    await settle();
    expect(el.querySelector(".confirm")).toBeNull();
  });

  it("does it only when that was confirmed, with the reason", async () => {
    const { model, el, button } = shownAction(REJECT);
    expect(button.getAttribute("aria-expanded")).toBe("false");
    button.click();
    await settle();
    expect(button.getAttribute("aria-expanded")).toBe("true");
    expect(model.sent).toEqual([]);
    const field = el.querySelector("input") as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    field.value = "Too dear";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    inside(el, "Reject it")?.click();
    expect(model.sent).toMatchObject([{ verb: "reject", args: { reason: "Too dear" } }]);
    model.say({ type: "answer", id: idOf(model), ok: true });
    await settle();
    expect(el.querySelector(".confirm")).toBeNull();
  });

  const TAKE: Action = {
    ...PAUSE,
    verb: "take_model",
    label: "Take another model…",
    confirm: {
      question: "It goes on.",
      button: "Take this model",
      reason: "Its name",
      choices: [
        ["small", "small, cheaper, at api.example: $0.1 read, $0.4 written"],
        ["local", "local at localhost:11434: cost not known"],
      ],
    },
  };
  const choose = async (el: HTMLElement, value: string) => {
    const list = el.querySelector("select") as HTMLSelectElement;
    list.value = value;
    list.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
  };

  it("offers what can be chosen, and does it with that", async () => {
    const { model, el, button } = shownAction(TAKE);
    button.click();
    await settle();
    const list = el.querySelector("select") as HTMLSelectElement;
    expect(document.activeElement).toBe(list);
    expect([...list.options].map(({ text }) => text)).toEqual([
      "small, cheaper, at api.example: $0.1 read, $0.4 written",
      "local at localhost:11434: cost not known",
      "another one, by its name",
    ]);
    expect(el.querySelector("input")).toBeNull();
    expect(list.value).toBe("small");
    await choose(el, "local");
    inside(el, "Take this model")?.click();
    expect(model.sent).toMatchObject([{ verb: "take_model", args: { reason: "local" } }]);
  });

  it("takes what is typed, where that is none of the choices", async () => {
    const { model, el, button } = shownAction(TAKE);
    button.click();
    await settle();
    await choose(el, "");
    const field = el.querySelector("input") as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    field.value = "small";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    expect(el.querySelector("input")).toBe(field);
    field.value = "smaller";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    inside(el, "Take this model")?.click();
    expect(model.sent).toMatchObject([{ args: { reason: "smaller" } }]);
  });

  it("takes Enter in the field for the answer", async () => {
    const { model, el, button } = shownAction(REJECT);
    button.click();
    await settle();
    const field = el.querySelector("input") as HTMLInputElement;
    field.value = "Too dear";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    press(field, "Enter");
    press(field, "Enter");
    expect(model.sent).toMatchObject([{ verb: "reject", args: { reason: "Too dear" } }]);
  });

  it("leaves everything as it is when that is wanted, and gives the focus back", async () => {
    const { model, el, button } = shownAction(REJECT);
    for (const leave of [
      () => inside(el, "Leave it as it is")?.click(),
      () => press(el.querySelector("input") as Element, "Escape"),
    ]) {
      button.click();
      await settle();
      leave();
      await settle();
      expect(el.querySelector(".confirm")).toBeNull();
      expect(document.activeElement).toBe(button);
    }
    expect(model.sent).toEqual([]);
  });
});

describe("where the twin stands", () => {
  const box = (left: number, top: number, width: number, height: number): DOMRect =>
    ({ left, top, right: left + width, bottom: top + height, width, height }) as DOMRect;

  it("is moved back into the view, and to where it covers no other control", async () => {
    const { el, button } = shownAction(PAUSE);
    el.className = "hypernb";
    const other = el.appendChild(document.createElement("button"));
    const twin = el.querySelector("[role=tooltip]") as HTMLElement;
    el.getBoundingClientRect = () => box(0, 0, 400, 300);
    button.getBoundingClientRect = () => box(300, 100, 80, 30);
    other.getBoundingClientRect = () => box(200, 130, 80, 30);
    twin.getBoundingClientRect = () => {
      const left = 300 + Number.parseFloat(twin.style.marginLeft || "0");
      return box(left, twin.style.top === "auto" ? 70 : 134, 200, 26);
    };
    button.focus();
    await settle();
    expect(twin.style.marginLeft).toBe("-108px");
    expect(twin.style.bottom).toBe("calc(100% + 4px)");
  });
});

it("takes a double click for one press, whatever button stands there by then", () => {
  const { model, button } = shownAction(PAUSE);
  button.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 2 }));
  expect(model.sent).toEqual([]);
  button.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
  expect(model.sent).toMatchObject([{ verb: "pause" }]);
});
