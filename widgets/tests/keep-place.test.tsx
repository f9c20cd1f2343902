import { render } from "preact";
import { useRef } from "preact/hooks";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useKeptPlace } from "../src/keep-place";
import { afterFrame } from "./on-stage";

let resized: () => void = () => undefined;
let view: HTMLElement;
let top = 300;
let height = 500;

function Form() {
  const root = useRef<HTMLElement>(null);
  useKeptPlace(root);
  return (
    <section ref={root}>
      <input />
    </section>
  );
}

beforeEach(async () => {
  top = 300;
  height = 500;
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(settle: () => void) {
        resized = settle;
      }
      observe(): void {}
      disconnect(): void {
        resized = () => undefined;
      }
    },
  );
  view = document.body.appendChild(document.createElement("div"));
  view.className = "mission";
  Object.defineProperty(view, "offsetHeight", { get: () => height });
  render(<Form />, view);
  await afterFrame();
  const input = view.querySelector("input") as HTMLInputElement;
  input.getBoundingClientRect = () =>
    ({ top: top - document.documentElement.scrollTop }) as DOMRect;
  document.documentElement.scrollTop = 0;
  input.focus();
});
afterEach(() => {
  render(null, view);
  view.remove();
  vi.unstubAllGlobals();
});

it("keeps a field where it is when something above it grows", () => {
  top += 233;
  height += 233;
  resized();
  expect(document.documentElement.scrollTop).toBe(233);
});

it("makes up for the rest of what a browser has scrolled, told first", () => {
  top += 233;
  height += 233;
  document.documentElement.scrollTop = 120;
  document.dispatchEvent(new Event("scroll"));
  expect(document.documentElement.scrollTop).toBe(233);
  resized();
  expect(document.documentElement.scrollTop).toBe(233);
});

it("takes nothing back of what a person scrolls", () => {
  document.documentElement.scrollTop = 80;
  document.dispatchEvent(new Event("scroll"));
  resized();
  expect(document.documentElement.scrollTop).toBe(80);
});

it("ends with what it was for", async () => {
  render(null, view);
  await afterFrame();
  top += 233;
  height += 233;
  resized();
  document.dispatchEvent(new Event("scroll"));
  expect(document.documentElement.scrollTop).toBe(0);
});
