/**
 * Any view in any state without Jupyter: dev.html?view=graph&state=running&theme=dark&size=2000.
 *
 * `view` is a component, `state` a mission's, `tab` one of the mission view's, `task` one that is
 * open, `theme` light, dark or contrast, `density` comfortable or compact, `size` the number of
 * made-up tasks, `text` hostile or large, `end` how the view came to an end: stale or closed. `showView(query)` takes the
 * view away and shows another, without loading the page anew.
 */

import widget from "../src/index";
import type { FromKernel, MissionState } from "../src/protocol";
import { answerAsks } from "./answers";
import { FakeModel } from "./fake-model";
import { largePicture, pictureOf } from "./fixtures";
import { rowsOf } from "./fixtures-results";
import { hostile } from "./hostile";
import { reckoning } from "./reckoning";

const PAINTED = "hypernb:graph-painted";
const WHY_CLOSED = "the mission was opened in another cell";

type Asked = (name: string, otherwise: string) => string;

let takeAway = (): void => {};

function showView(text: string): void {
  takeAway();
  const query = new URLSearchParams(text);
  const asked: Asked = (name, otherwise) => query.get(name) ?? otherwise;
  document.documentElement.dataset.theme = asked("theme", "light");
  const model = new FakeModel({
    component: asked("view", "mission"),
    tab: asked("tab", ""),
    density: asked("density", "comfortable"),
    task: asked("task", ""),
  });
  const silence = answerAsks(model, { state: asked("state", "running") as MissionState });
  const main = document.body.appendChild(document.createElement("main"));
  if (asked("text", "") === "large") main.style.setProperty("--jp-ui-font-size1", "26px");
  const { initialize, render } = widget();
  const forget = initialize({ model });
  const dispose = render({ model, el: main });
  // From here benchmarks count, as if it had just come over the line.
  const arrivedAt = performance.now();
  model.say(firstMessage(model, asked));
  measurePainted(arrivedAt);
  bringToAnEnd(model, asked("end", ""));
  takeAway = () => {
    dispose();
    forget();
    silence();
    main.remove();
    takeAway = () => {};
  };
  Object.assign(globalThis, { model });
}

/** Measure until the frame that is being made is on the screen: timers run after it. */
function measurePainted(start: number): void {
  requestAnimationFrame(() =>
    setTimeout(() => {
      performance.clearMeasures(PAINTED);
      performance.measure(PAINTED, { start, end: performance.now() });
    }),
  );
}

function firstMessage(model: FakeModel, asked: Asked): FromKernel {
  const size = Number(asked("size", "0"));
  if (["history", "hyper_board"].includes(model.get("component") as string)) {
    const rows = rowsOf(size || 6);
    return { type: "missions", n: 1, now: new Date().toISOString(), rows, total: rows.length };
  }
  if (size > 0) return largePicture(size);
  const state = asked("state", "running") as MissionState;
  const picture = pictureOf(state, Number(asked("events", "0")));
  return asked("text", "") === "hostile" ? hostile(picture) : picture;
}

function bringToAnEnd(model: FakeModel, end: string): void {
  if (end === "closed") model.say({ type: "closed", reason: WHY_CLOSED });
  if (end !== "stale") return;
  Object.assign(model, { comm_live: false });
  model.emit("comm_live_update");
}

/** Press buttons one after the other, by their labels: press=map-repo, or press=Open|Feed. */
function press(labels: string): void {
  for (const [turn, label] of labels.split("|").filter(Boolean).entries()) {
    setTimeout(
      () => {
        const buttons = [...document.querySelectorAll<HTMLElement>("button, input")];
        const wanted = (each: HTMLElement): boolean =>
          (each.ariaLabel ?? each.textContent ?? "").trim().startsWith(label);
        buttons.find(wanted)?.click();
      },
      100 * (turn + 1),
    );
  }
}

showView(location.search);
press(new URLSearchParams(location.search).get("press") ?? "");
Object.assign(globalThis, { largePicture, reckoning, showView, takeAway: () => takeAway() });
