/** The place and scale of a drawing, and the gestures that change them. */

/** Where the drawing's origin is on the surface, and how many pixels one of its units takes. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

/** What a view keeps to. */
export interface Limits {
  /** The size of the surface. */
  readonly room: Size;
  /** The size of the drawing, in its own units. */
  readonly drawing: Size;
  /** The smallest and the largest scale. */
  readonly scales: readonly [smallest: number, largest: number];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const NONE: Size = { width: 0, height: 0 };
const PINCH_BELOW = 40;
/** A hand that clicks shakes by so much; what moves farther is a drag. */
const STILL_PX = 3;

export class PanZoom {
  view: View = { x: 0, y: 0, k: 1 };

  readonly #element: HTMLElement;
  readonly #onChange: (byHand: boolean) => void;
  readonly #pointers = new Map<number, Point>();
  #limits: Limits = { room: NONE, drawing: NONE, scales: [1, 1] };
  #moved = 0;

  /** `onChange` is told of each other view, and whether a person's hand has made it. */
  constructor(element: HTMLElement, onChange: (byHand: boolean) => void, signal: AbortSignal) {
    this.#element = element;
    this.#onChange = onChange;
    element.addEventListener("wheel", this.#onWheel, { signal, passive: false });
    element.addEventListener("pointerdown", this.#onDown, { signal });
    element.addEventListener("pointermove", this.#onMove, { signal });
    for (const end of ["pointerup", "pointercancel"] as const)
      element.addEventListener(end, this.#onUp, { signal });
  }

  /** Whether the pointer that is or was down last has moved what is seen. */
  get isDragged(): boolean {
    return this.#moved > STILL_PX;
  }

  limit(limits: Limits): void {
    this.#limits = limits;
  }

  /** Show a point of the drawing in the middle, at a scale. */
  lookAt(k: number, { x, y }: Point): void {
    const { width, height } = this.#limits.room;
    this.#put({ k, x: width / 2 - x * k, y: height / 2 - y * k }, false);
  }

  /** The point of the drawing that is in the middle. */
  get centre(): Point {
    const { x, y, k } = this.view;
    const { width, height } = this.#limits.room;
    return { x: (width / 2 - x) / k, y: (height / 2 - y) / k };
  }

  /** Move what is seen by pixels. */
  moveBy(dx: number, dy: number): void {
    const { x, y, k } = this.view;
    this.#put({ k, x: x + dx, y: y + dy }, false);
  }

  /** Make the drawing larger or smaller about its middle. */
  scaleBy(factor: number): void {
    const { width, height } = this.#limits.room;
    const middle = { x: width / 2, y: height / 2 };
    this.#follow(middle, middle, factor, false);
  }

  /** Bring what was at one point of the surface to another, scaled by a factor. */
  #follow(from: Point, to: Point, factor: number, byHand: boolean): void {
    const { x, y, k } = this.view;
    const [smallest, largest] = this.#limits.scales;
    const scale = Math.min(Math.max(k * factor, smallest), largest);
    this.#put(
      {
        k: scale,
        x: to.x - ((from.x - x) / k) * scale,
        y: to.y - ((from.y - y) / k) * scale,
      },
      byHand,
    );
  }

  #put({ x, y, k }: View, byHand: boolean): void {
    const before = this.view;
    const { room, drawing } = this.#limits;
    this.view = {
      k,
      x: kept(x, room.width, drawing.width * k),
      y: kept(y, room.height, drawing.height * k),
    };
    const isSame = before.k === k && before.x === this.view.x && before.y === this.view.y;
    if (!isSame) this.#onChange(byHand);
  }

  /** A plain wheel scrolls the notebook. A pinch on a pad arrives as a wheel with ctrl. */
  readonly #onWheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const at = pointOf(event);
    this.#follow(at, at, 2 ** -stepOf(event), true);
  };

  readonly #onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    if (this.#pointers.size === 0) this.#moved = 0;
    this.#pointers.set(event.pointerId, pointOf(event));
    // A drag goes on outside of the surface, and ends wherever the button is let go.
    this.#element.setPointerCapture?.(event.pointerId);
  };

  readonly #onMove = (event: PointerEvent): void => {
    const pointers = this.#pointers;
    const last = pointers.get(event.pointerId);
    if (last === undefined) return;
    const point = pointOf(event);
    this.#moved += Math.hypot(point.x - last.x, point.y - last.y);
    const before = graspOf(pointers);
    pointers.set(event.pointerId, point);
    const after = graspOf(pointers);
    const factor = before.span > 0 && after.span > 0 ? after.span / before.span : 1;
    this.#follow(before.middle, after.middle, factor, true);
  };

  readonly #onUp = (event: PointerEvent): void => {
    this.#pointers.delete(event.pointerId);
  };
}

/** One place of a drawing: in the middle if there is room for all of it, or else no gap. */
function kept(at: number, room: number, length: number): number {
  const spare = room - length;
  return spare > 0 ? spare / 2 : Math.min(Math.max(at, spare), 0);
}

function pointOf({ offsetX, offsetY }: MouseEvent): Point {
  return { x: offsetX, y: offsetY };
}

/** What fingers hold: the point between them, and how far they are from it. */
function graspOf(pointers: ReadonlyMap<number, Point>): { middle: Point; span: number } {
  const points = [...pointers.values()];
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const middle = { x: mean(({ x }) => x), y: mean(({ y }) => y) };
  return { middle, span: mean(({ x, y }) => Math.hypot(x - middle.x, y - middle.y)) };
}

/** A pinch comes as many small steps, a notch of a wheel as one large. */
function stepOf({ deltaY, deltaMode }: WheelEvent): number {
  const unit = deltaMode === 1 ? 0.05 : deltaMode === 2 ? 1 : 0.002;
  return deltaY * unit * (Math.abs(deltaY) < PINCH_BELOW ? 8 : 1.5);
}
