/** Puts a view on the page as anywidget does, and takes it away. */
import { FakeModel } from "../dev/fake-model";
import { pictureOf } from "../dev/fixtures";
import widget from "../src/index";
import type { Picture } from "../src/protocol";

export interface OnPage {
  model: FakeModel;
  el: HTMLElement;
  /** The button with this name; an error if there is none. */
  button: (name: string) => HTMLButtonElement;
  text: () => string;
  /** Let what was said be drawn. */
  drawn: () => Promise<void>;
  end: () => void;
}

export function showView(
  picture: Picture | null = pictureOf("running"),
  values: Record<string, unknown> = {},
): OnPage {
  const model = new FakeModel({
    component: "mission",
    tab: "graph",
    density: "comfortable",
    task: "",
    ...values,
  });
  const { initialize, render } = widget();
  const close = initialize({ model });
  const el = document.body.appendChild(document.createElement("div"));
  if (picture) model.say(picture);
  const dispose = render({ model, el });
  return {
    model,
    el,
    button: (name) => {
      const found = [...el.querySelectorAll("button")].find(
        (each) => each.textContent?.trim() === name,
      );
      if (!found) throw new Error(`There is no button ${name}.`);
      return found;
    },
    text: () => (el.textContent ?? "").replace(/\s+/g, " "),
    drawn: settle,
    end: () => {
      dispose();
      close();
      el.remove();
    },
  };
}

/** Effects of Preact run after a frame, or a little later in its absence. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    await new Promise((done) => requestAnimationFrame(done));
    await new Promise((done) => setTimeout(done, 20));
  }
}

export function press(element: Element, key: string): void {
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}
