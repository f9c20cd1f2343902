import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PanZoom } from "../src/graph/pan-zoom";

const ROOM = { width: 400, height: 200 };
const DRAWING = { width: 1_000, height: 400 };

let element: HTMLElement;
let zoom: PanZoom;
let end: AbortController;
let told: boolean[];

beforeEach(() => {
  element = document.createElement("div");
  end = new AbortController();
  told = [];
  zoom = new PanZoom(element, (byHand) => told.push(byHand), end.signal);
  zoom.limit({ room: ROOM, drawing: DRAWING, scales: [0.2, 3] });
  zoom.lookAt(1, { x: 500, y: 200 });
  told.length = 0;
});

afterEach(() => end.abort());

/** Events have no place of their own in a page that is not laid out. */
function at<Of extends Event>(event: Of, x: number, y: number): Of {
  Object.defineProperties(event, { offsetX: { value: x }, offsetY: { value: y } });
  return event;
}

function point(type: string, x: number, y: number, more: PointerEventInit = {}): void {
  const init = { pointerId: 1, button: 0, bubbles: true, ...more };
  element.dispatchEvent(at(new PointerEvent(`pointer${type}`, init), x, y));
}

function wheel(x: number, y: number, init: WheelEventInit): WheelEvent {
  const event = at(new WheelEvent("wheel", { cancelable: true, ...init }), x, y);
  // happy-dom's wheel knows no keys.
  const { ctrlKey = false, metaKey = false } = init;
  Object.defineProperties(event, { ctrlKey: { value: ctrlKey }, metaKey: { value: metaKey } });
  element.dispatchEvent(event);
  return event;
}

/** What of the drawing is below a point of the surface. */
function below(x: number, y: number): [number, number] {
  const { view } = zoom;
  return [Math.round((x - view.x) / view.k), Math.round((y - view.y) / view.k)];
}

describe("a wheel", () => {
  it("scrolls the notebook and not the drawing, if no key is held", () => {
    const before = zoom.view;
    expect(wheel(100, 50, { deltaY: 100 }).defaultPrevented).toBe(false);
    expect(zoom.view).toEqual(before);
    expect(told).toEqual([]);
  });

  it.each([{ ctrlKey: true }, { metaKey: true }])("zooms about the pointer with %o", (keys) => {
    const before = below(120, 60);
    const event = wheel(120, 60, { deltaY: -100, ...keys });
    expect(event.defaultPrevented).toBe(true);
    expect(zoom.view.k).toBeGreaterThan(1.1);
    expect(below(120, 60)).toEqual(before);
    expect(told).toEqual([true]);
  });

  it("goes no farther than the limits of scale", () => {
    for (let n = 0; n < 50; n += 1) wheel(100, 50, { deltaY: -300, ctrlKey: true });
    expect(zoom.view.k).toBe(3);
    for (let n = 0; n < 50; n += 1) wheel(100, 50, { deltaY: 300, ctrlKey: true });
    expect(zoom.view.k).toBe(0.2);
  });

  it("takes lines and pages for what they are in pixels", () => {
    wheel(100, 50, { deltaY: -3, deltaMode: 1, ctrlKey: true });
    const lines = zoom.view.k;
    zoom.lookAt(1, { x: 500, y: 200 });
    wheel(100, 50, { deltaY: -3, ctrlKey: true });
    expect(lines).toBeGreaterThan(zoom.view.k);
  });
});

describe("a pointer", () => {
  it("drags what is below it", () => {
    const before = below(200, 100);
    point("down", 200, 100);
    point("move", 150, 120);
    expect(below(150, 120)).toEqual(before);
    expect(zoom.isDragged).toBe(true);
    expect(told).toEqual([true]);
  });

  it("drags no more once it is let go, or the gesture was taken from it", () => {
    for (const end of ["up", "cancel"]) {
      point("down", 200, 100);
      point(end, 200, 100);
      const { view } = zoom;
      point("move", 100, 100);
      expect(zoom.view).toEqual(view);
    }
  });

  it("that only shakes is a click", () => {
    point("down", 200, 100);
    point("move", 201, 101);
    point("up", 201, 101);
    expect(zoom.isDragged).toBe(false);
  });

  it("drags with its first button only", () => {
    const { view } = zoom;
    point("down", 200, 100, { button: 2 });
    point("move", 100, 100);
    expect(zoom.view).toEqual(view);
  });

  it("drags nothing out of sight", () => {
    point("down", 200, 100);
    point("move", 9_000, 9_000);
    expect(zoom.view).toEqual({ k: 1, x: 0, y: 0 });
    point("move", -9_000, -9_000);
    expect(zoom.view).toEqual({ k: 1, x: 400 - 1_000, y: 200 - 400 });
  });

  it("leaves alone what has ended", () => {
    end.abort();
    const { view } = zoom;
    point("down", 200, 100);
    point("move", 100, 100);
    wheel(100, 50, { deltaY: 100, ctrlKey: true });
    expect(zoom.view).toEqual(view);
  });
});

describe("two fingers", () => {
  it("zoom by how far they part, and keep what is between them", () => {
    const before = below(200, 100);
    point("down", 180, 100, { pointerId: 1 });
    point("down", 220, 100, { pointerId: 2 });
    point("move", 160, 100, { pointerId: 1 });
    point("move", 240, 100, { pointerId: 2 });
    expect(zoom.view.k).toBeCloseTo(2);
    expect(below(200, 100)).toEqual(before);
    expect(zoom.isDragged).toBe(true);
  });

  it("move what they hold", () => {
    const before = below(200, 100);
    point("down", 180, 100, { pointerId: 1 });
    point("down", 220, 100, { pointerId: 2 });
    point("move", 150, 90, { pointerId: 1 });
    point("move", 190, 90, { pointerId: 2 });
    expect(zoom.view.k).toBeCloseTo(1);
    expect(below(170, 90)).toEqual(before);
  });

  it("that meet in one point do no harm", () => {
    point("down", 200, 100, { pointerId: 1 });
    point("down", 200, 100, { pointerId: 2 });
    point("move", 210, 100, { pointerId: 2 });
    expect(Object.values(zoom.view).every(Number.isFinite)).toBe(true);
    expect(zoom.view.k).toBe(1);
  });
});

describe("buttons and keys", () => {
  it("zoom about the middle", () => {
    zoom.scaleBy(1.4);
    expect(zoom.view.k).toBeCloseTo(1.4);
    expect(below(200, 100)).toEqual([500, 200]);
    expect(told).toEqual([false]);
  });

  it("move by pixels", () => {
    zoom.moveBy(-30, 10);
    expect(zoom.centre).toEqual({ x: 530, y: 190 });
  });

  it("tell nothing where nothing has changed", () => {
    zoom.lookAt(1, { x: 500, y: 200 });
    expect(told).toEqual([]);
  });
});

it("has a small drawing in the middle", () => {
  zoom.lookAt(0.25, { x: 0, y: 0 });
  expect(zoom.view).toEqual({ k: 0.25, x: 75, y: 50 });
});
