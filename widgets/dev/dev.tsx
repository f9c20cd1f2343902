/**
 * Any view in any state without Jupyter: dev.html?view=graph&state=running&theme=dark&size=2000.
 *
 * `view` is a component, `state` a mission's, `tab` one of the mission view's, `theme` light,
 * dark or contrast, `density` comfortable or compact, `size` the number of made-up tasks.
 */

import widget from "../src/index";
import type { FromKernel, MissionState } from "../src/protocol";
import { answerAsks } from "./answers";
import { FakeModel } from "./fake-model";
import { largePicture, pictureOf } from "./fixtures";
import { rowsOf } from "./fixtures-results";
import { reckoning } from "./reckoning";

const query = new URLSearchParams(location.search);
const asked = (name: string, otherwise: string): string => query.get(name) ?? otherwise;

document.documentElement.dataset.theme = asked("theme", "light");
const model = new FakeModel({
  component: asked("view", "mission"),
  tab: asked("tab", "graph"),
  density: asked("density", "comfortable"),
});
answerAsks(model, { state: asked("state", "running") as MissionState });
const { initialize, render } = widget();
initialize({ model });
render({ model, el: document.body.appendChild(document.createElement("main")) });
const size = Number(asked("size", "0"));
const mission = (): FromKernel =>
  size > 0
    ? largePicture(size)
    : pictureOf(asked("state", "running") as MissionState, Number(asked("events", "0")));
const list = (): FromKernel => {
  const rows = rowsOf(size || 6);
  return { type: "missions", n: 1, now: new Date().toISOString(), rows, total: rows.length };
};
const message = ["history", "hyper_board"].includes(model.get("component") as string)
  ? list()
  : mission();
// From here benchmarks count, as if it had just come over the line.
performance.mark("hypernb:arrived");
model.say(message);
Object.assign(globalThis, { model, largePicture, reckoning });

/** Labels of buttons to press one after the other: press=map-repo, or press=Open|Feed. */
for (const [turn, label] of asked("press", "").split("|").filter(Boolean).entries()) {
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
