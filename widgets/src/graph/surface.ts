/** The canvas of a graph: its size, its scale and place, and when it is drawn. */
import type { TaskState } from "../protocol";
import type { Arranged } from "./arranged";
import {
  drawAll,
  drawSome,
  type Fonts,
  type Frame,
  isBoxesOnly,
  type Level,
  levelAt,
  seenIn,
} from "./draw";
import type { Measure } from "./geometry";
import { type Palette, readPalette, TOKENS, watchTheme } from "./palette";
import { PanZoom, type View } from "./pan-zoom";
import { meet, type Rect, Scene } from "./scene";

/** What the surface asks of its owner, and tells it. */
export interface Owner {
  stateOf(task: number): TaskState;
  nameOf(task: number): string;
  detailOf(task: number): string;
  isCritical(edge: number): boolean;
  /** The pointer came over a task, or left it (-1). */
  onHover(task: number): void;
  /** A task, or the ground beside all of them (-1), was pressed. */
  onPress(task: number): void;
  /** Something was drawn, perhaps elsewhere or in another size. */
  onView(): void;
}

export interface Elements {
  /** What the canvas fills; its font decides the size of everything. */
  readonly host: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** An element that is not shown, below which colours are read. */
  readonly probe: HTMLElement;
}

/** Names longer than this are cut in their box; the card and the table have all of them. */
export const NAME_AT_MOST = 28;

const NARROW_EM = 36;
const LOWEST_EM = 8;
const LOWEST_ZOOMED_EM = 26;
const TALLEST_EM = 40;
const TALLEST_DOWN_EM = 60;
const NARROWEST_GAP_EM = 1.6;
const CLOSEST = 3;
/** Where all of a graph would be too small to read, it begins at this scale instead. */
const READABLE = 0.85;
const FULL_AT_LEAST = 0.7;
/** Larger graphs begin with all of them in sight, however small. */
const READ_AT_MOST = 200;
const REACH_PX = 6;

export class Surface {
  scene: Scene;

  readonly #owner: Owner;
  readonly #elements: Elements;
  readonly #context: CanvasRenderingContext2D | null;
  readonly #end = new AbortController();
  readonly #observer: ResizeObserver;
  readonly #zoom: PanZoom;
  #arranged: Arranged;
  #states: TaskState[] = [];
  /** Whether a person has chosen place and scale; until then the graph fits itself in. */
  #chosen = false;
  #palette: Palette;
  #fonts: Fonts;
  #width = 0;
  #height = 0;
  #ratio = 1;
  #marked = -1;
  #isStale = true;
  #isThemeStale = false;
  readonly #stale = new Set<number>();
  #request = 0;

  constructor(elements: Elements, owner: Owner, arranged: Arranged) {
    this.#arranged = arranged;
    this.#elements = elements;
    this.#owner = owner;
    this.#context = elements.canvas.getContext?.("2d", { alpha: false }) ?? null;
    this.#palette = readPalette(elements.probe);
    // What is not in a page yet has no colours; a view may be put there when it is drawn.
    this.#isThemeStale = !elements.probe.isConnected;
    this.#fonts = fontsOf(elements.host);
    this.scene = this.#sceneOf(false);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(elements.host);
    this.#zoom = new PanZoom(
      elements.canvas,
      (byHand) => {
        this.#chosen ||= byHand;
        this.drawLater();
      },
      this.#end.signal,
    );
    this.#listen();
    const unwatch = watchTheme(() => {
      this.#isThemeStale = true;
      this.#request ||= requestAnimationFrame(this.#drawNow);
    });
    this.#end.signal.addEventListener("abort", unwatch, { once: true });
  }

  /** Show a plan. Place and scale stay, if a person has chosen them. */
  show(arranged: Arranged): void {
    this.#arranged = arranged;
    this.#states = arranged.names.map((_, task) => this.#owner.stateOf(task));
    this.#resize();
    this.#drawNow();
  }

  /** Draw some tasks anew, because their states have changed. */
  change(tasks: Iterable<number>): void {
    for (const task of tasks) {
      this.#states[task] = this.#owner.stateOf(task);
      this.#stale.add(task);
    }
    if (!isBoxesOnly(this.level)) {
      // Edges and what children say change with it: all is drawn, if any of it can be seen.
      for (const task of this.#stale) this.#isStale ||= this.#isSeen(task);
      if (!this.#isStale) this.#stale.clear();
    }
    if (this.#stale.size > 0) this.#request ||= requestAnimationFrame(this.#drawNow);
  }

  /** Draw everything anew with the next frame. */
  drawLater = (): void => {
    this.#isStale = true;
    this.#request ||= requestAnimationFrame(this.#drawNow);
  };

  /** Draw the times in the boxes anew, where they are drawn at all. */
  drawTimes(): void {
    if (this.level === "full") this.drawLater();
  }

  /** Let the edges of a task stand out; -1 for none. */
  mark(task: number): void {
    if (task === this.#marked) return;
    this.#marked = task;
    this.drawLater();
  }

  /** Bring all of the graph into sight. */
  fit(): void {
    this.#chosen = false;
    const { geometry } = this.scene;
    this.#look(this.#fitting(), { ...geometry, x: 0, y: 0 });
  }

  scaleBy(factor: number): void {
    this.#chosen = true;
    this.#zoom.scaleBy(factor);
  }

  /** Move as little as needed to have a task in sight. */
  reveal(task: number): void {
    const box = this.boxOf(task);
    if (box === null) return;
    const margin = this.#fonts.em;
    const shift = (at: number, length: number, room: number): number =>
      at < margin ? margin - at : Math.min(0, room - margin - at - length);
    const dx = shift(box.x, box.width, this.#width);
    const dy = shift(box.y, box.height, this.#height);
    if (dx === 0 && dy === 0) return;
    this.#chosen = true;
    this.#zoom.moveBy(dx, dy);
  }

  /** Where a task's box is on the surface; null if there is none. */
  boxOf(task: number): Rect | null {
    if (task < 0 || task >= this.scene.size) return null;
    const { x, y, k } = this.#view;
    const box = this.scene.box(task);
    return {
      x: box.x * k + x,
      y: box.y * k + y,
      width: box.width * k,
      height: box.height * k,
    };
  }

  /** All boxes that are in sight, on the surface; none where they are too small to be read. */
  boxes(): Rect[] {
    const boxes: Rect[] = [];
    if (isBoxesOnly(this.level)) return boxes;
    this.scene.eachIn(seenIn({ ...this.size, ...this.#view }), (task) => {
      const box = this.boxOf(task);
      if (box) boxes.push(box);
    });
    return boxes;
  }

  get size(): { width: number; height: number } {
    return { width: this.#width, height: this.#height };
  }

  /** Whether layers run from top to bottom. */
  get isDown(): boolean {
    return this.scene.geometry.measure.down;
  }

  /** How much of each box can be made out. */
  get level(): Level {
    return levelAt(this.#view.k);
  }

  /** Whether a part of the graph is out of sight. */
  get isCut(): boolean {
    if (this.#width === 0) return false;
    const { geometry } = this.scene;
    const { x, y, k } = this.#view;
    return (
      x < -1 ||
      y < -1 ||
      x + geometry.width * k > this.#width + 1 ||
      y + geometry.height * k > this.#height + 1
    );
  }

  dispose(): void {
    this.#end.abort();
    this.#observer.disconnect();
    if (this.#request !== 0) cancelAnimationFrame(this.#request);
  }

  // -- size

  readonly #resize = (): void => {
    const { host } = this.#elements;
    const width = host.clientWidth;
    const fonts = fontsOf(host);
    const isOther = fonts.em !== this.#fonts.em || this.scene.arranged !== this.#arranged;
    if (width === 0 || (width === this.#width && !isOther)) return;
    this.#fonts = fonts;
    const down = width < NARROW_EM * fonts.em;
    if (this.isDown !== down || isOther) this.scene = this.#sceneOf(down);
    const { centre } = this.#zoom;
    this.#width = width;
    this.#setHeight();
    this.#limit();
    if (this.#chosen) this.#zoom.lookAt(this.#view.k, centre);
    else this.#begin();
    this.drawLater();
  };

  /** Where names do not fit side by side in a narrow place, boxes have numbers instead. */
  #sceneOf(down: boolean): Scene {
    const arranged = this.#arranged;
    const measure = this.#measure(down);
    const room = this.#elements.host.clientWidth / READABLE;
    const breadth = arranged.layout.breadth * (measure.width + measure.gapAcross);
    const isTight = down && breadth > room && arranged.names.length <= READ_AT_MOST;
    return new Scene(arranged, isTight ? this.#short(measure) : measure);
  }

  #short(measure: Measure): Measure {
    const digits = String(this.#arranged.names.length).length;
    return {
      ...measure,
      width: this.#px(2.5, digits + 1),
      height: this.#px(2.3),
      gapAcross: this.#px(0.4),
      short: true,
    };
  }

  #measure(down: boolean): Measure {
    let longest = 0;
    for (const name of this.#arranged.names)
      longest = Math.max(longest, widthOf(name, NAME_AT_MOST + 1));
    const width = Math.max(this.#px(2.6, longest), this.#px(11.2));
    return {
      width,
      height: this.#px(3.7),
      gapAlong: down ? this.#px(2.6) : Math.round(this.#gapBeside(width)),
      gapAcross: this.#px(0.77),
      margin: this.#px(0.31),
      grain: 1,
      short: false,
      down,
    };
  }

  /** A length in whole pixels: so many ems, and so many letters of a name. */
  #px(ems: number, letters = 0): number {
    return Math.round(ems * this.#fonts.em + letters * this.#nameWidth());
  }

  /** The gap between layers from left to right; narrower, where all then fits without scaling. */
  #gapBeside(width: number): number {
    const { em } = this.#fonts;
    const { layers, breadth } = this.#arranged.layout;
    // Edges of wide layers need room to turn; those of small plans do not.
    const gap = Math.min(2.4 + Math.max(0, breadth - 8) * 0.12, 7) * em;
    const room = this.#elements.host.clientWidth - 0.7 * em - layers * width;
    const fits = Math.floor(room / Math.max(layers - 1, 1));
    return fits >= NARROWEST_GAP_EM * em ? Math.min(gap, fits) : gap;
  }

  #nameWidth(): number {
    if (this.#context === null) return 0.6 * this.#fonts.em;
    this.#context.font = this.#fonts.name;
    return this.#context.measureText("0").width;
  }

  #setHeight(): void {
    const { scene } = this;
    const fonts = this.#fonts;
    const tallest = (this.isDown ? TALLEST_DOWN_EM : TALLEST_EM) * fonts.em;
    const scale = this.#beginning(tallest);
    const wanted = scene.geometry.height * scale;
    // What has to be zoomed needs room for it.
    const lowest = (scale < FULL_AT_LEAST ? LOWEST_ZOOMED_EM : LOWEST_EM) * fonts.em;
    this.#height = Math.round(Math.min(Math.max(wanted, lowest), tallest));
    this.#ratio = globalThis.devicePixelRatio || 1;
    const { canvas } = this.#elements;
    canvas.style.height = `${this.#height}px`;
    canvas.width = Math.round(this.#width * this.#ratio);
    canvas.height = Math.round(this.#height * this.#ratio);
  }

  /** The scale at which all is in sight, at most the natural one. */
  #fitting(height = this.#height): number {
    const { geometry } = this.scene;
    return Math.min(1, this.#width / geometry.width, height / geometry.height);
  }

  #beginning(height = this.#height): number {
    const all = this.#fitting(height);
    const isReadable = all >= FULL_AT_LEAST || this.scene.size > READ_AT_MOST;
    return isReadable ? all : READABLE;
  }

  /** Begin with all in sight, or where that is too small to read, with what is at work. */
  #begin(): void {
    const { geometry } = this.scene;
    const k = this.#beginning();
    if (k === this.#fitting()) {
      this.#look(k, { ...geometry, x: 0, y: 0 });
      return;
    }
    const active = this.#states.indexOf("running");
    this.#look(
      k,
      this.scene.box(active < 0 ? Math.max(this.#arranged.ways.first(), 0) : active),
    );
  }

  // -- place and scale

  #listen(): void {
    const { canvas } = this.#elements;
    const { signal } = this.#end;
    canvas.addEventListener(
      "pointermove",
      (event) => {
        if (event.buttons !== 0) return;
        const task = this.#taskUnder(event);
        canvas.classList.toggle("gr-over", task >= 0);
        this.#owner.onHover(task);
      },
      { signal },
    );
    canvas.addEventListener("pointerleave", () => this.#owner.onHover(-1), { signal });
    canvas.addEventListener(
      "click",
      (event) => {
        if (!this.#zoom.isDragged) this.#owner.onPress(this.#taskUnder(event));
      },
      { signal },
    );
  }

  #taskUnder(event: MouseEvent): number {
    const { x, y, k } = this.#view;
    const left = (event.offsetX - x) / k;
    const top = (event.offsetY - y) / k;
    const reach = isBoxesOnly(levelAt(k)) ? REACH_PX / k : 0;
    return this.scene.taskAt(left, top, reach);
  }

  /** Keep scale and place where something of the graph is in sight. */
  #limit(): void {
    this.#zoom.limit({
      room: this.size,
      drawing: this.scene.geometry,
      scales: [Math.min(this.#fitting(), READABLE) / 2, CLOSEST],
    });
  }

  get #view(): View {
    return this.#zoom.view;
  }

  /** Show a part of the drawing in the middle. */
  #look(k: number, { x, y, width, height }: Rect): void {
    this.#zoom.lookAt(k, { x: x + width / 2, y: y + height / 2 });
  }

  // -- drawing

  /** Whether a task, or an edge that leaves it, may be in sight. */
  #isSeen(task: number): boolean {
    const { scene } = this;
    const boxes = [task, ...scene.arranged.ways.childrenOf(task)].map((one) => scene.box(one));
    const x = Math.min(...boxes.map((box) => box.x));
    const y = Math.min(...boxes.map((box) => box.y));
    const width = Math.max(...boxes.map((box) => box.x + box.width)) - x;
    const height = Math.max(...boxes.map((box) => box.y + box.height)) - y;
    return meet({ x, y, width, height }, seenIn({ ...this.size, ...this.#view }));
  }

  /** Read the colours again; a theme changes far less often than what may change it. */
  #freshenPalette(): void {
    this.#isThemeStale = false;
    const palette = readPalette(this.#elements.probe);
    if (TOKENS.every((token) => palette[token] === this.#palette[token])) return;
    this.#palette = palette;
    this.#isStale = true;
  }

  readonly #drawNow = (): void => {
    if (this.#request !== 0) cancelAnimationFrame(this.#request);
    this.#request = 0;
    const context = this.#context;
    if (this.#width === 0) return;
    if (this.#isThemeStale) this.#freshenPalette();
    if (!this.#isStale && this.#stale.size === 0) return;
    if (context !== null) {
      const frame = this.#frame();
      if (this.#isStale) drawAll(context, frame);
      else drawSome(context, frame, this.#stale);
    }
    const moved = this.#isStale;
    this.#isStale = false;
    this.#stale.clear();
    if (moved) this.#owner.onView();
  };

  #frame(): Frame {
    const { nameOf, detailOf, isCritical } = this.#owner;
    return {
      ...this.size,
      ...this.#view,
      level: this.level,
      scene: this.scene,
      palette: this.#palette,
      fonts: this.#fonts,
      states: this.#states,
      marked: this.#marked,
      ratio: this.#ratio,
      nameOf,
      detailOf,
      isCritical,
    };
  }
}

function fontsOf(host: HTMLElement): Fonts {
  const style = getComputedStyle(host);
  const em = Number.parseFloat(style.fontSize) || 13;
  const sans = style.fontFamily || "sans-serif";
  const mono = style.getPropertyValue("--mono").trim() || "monospace";
  const small = Math.round(em * 0.923 * 10) / 10;
  return {
    em,
    name: `600 ${small}px ${mono}`,
    big: `600 ${Math.round(em * 1.25 * 10) / 10}px ${mono}`,
    detail: `400 ${small}px ${sans}`,
  };
}

/** How many places the beginning of a name takes in a font of fixed width. */
function widthOf(name: string, most: number): number {
  const length = Math.min(name.length, most);
  let wide = 0;
  for (let at = 0; at < length; at += 1) if (name.charCodeAt(at) > 0x10ff) wide += 1;
  return length + wide;
}
