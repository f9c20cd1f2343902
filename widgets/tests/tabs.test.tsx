import { signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, describe, expect, it } from "vitest";
import { Tabs } from "../src/parts/tabs";
import { press, settle } from "./shown";

type Name = "one" | "two" | "three";
const ITEMS = (["one", "two", "three"] as const).map((name) => ({
  name,
  label: name,
  part: () => <p>{`Part ${name}`}</p>,
}));

let el: HTMLElement;
afterEach(() => {
  render(null, el);
  el.remove();
});

function shownTabs() {
  const chosen = signal<Name>("one");
  const All = () => (
    <Tabs
      label="Details"
      items={ITEMS}
      chosen={chosen.value}
      choose={(name) => {
        chosen.value = name;
      }}
    />
  );
  el = document.body.appendChild(document.createElement("div"));
  render(<All />, el);
  const tabs = (): HTMLElement[] => [...el.querySelectorAll<HTMLElement>("[role=tab]")];
  const panel = (): HTMLElement => el.querySelector("[role=tabpanel]") as HTMLElement;
  return { chosen, tabs, panel };
}

describe("tabs", () => {
  it("are chosen by arrow keys, round and round, and by Home and End", async () => {
    const { chosen, tabs } = shownTabs();
    const walk: [string, Name][] = [
      ["ArrowRight", "two"],
      ["ArrowRight", "three"],
      ["ArrowRight", "one"],
      ["ArrowLeft", "three"],
      ["Home", "one"],
      ["End", "three"],
    ];
    tabs()[0]?.focus();
    for (const [key, name] of walk) {
      press(document.activeElement as Element, key);
      await settle();
      expect(chosen.value).toBe(name);
      expect(document.activeElement?.textContent).toBe(name);
    }
  });

  it("have one stop for the Tab key, and name their panel", async () => {
    const { chosen, tabs, panel } = shownTabs();
    chosen.value = "two";
    await settle();
    expect(tabs().map((tab) => tab.tabIndex)).toEqual([-1, 0, -1]);
    expect(tabs().map((tab) => tab.getAttribute("aria-selected"))).toEqual([
      "false",
      "true",
      "false",
    ]);
    expect(tabs()[1]?.getAttribute("aria-controls")).toBe(panel().id);
    expect(panel().getAttribute("aria-labelledby")).toBe(tabs()[1]?.id);
    expect(panel().textContent).toBe("Part two");
  });
});
