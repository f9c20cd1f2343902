/** Draws a graph on a canvas: as much of each box as can be made out at the scale. */
import { putTo } from "../lists";
import { SHAPES } from "../parts/icon";
import type { TaskState } from "../protocol";
import { trace } from "./geometry";
import { LOOKS, type Look } from "./look";
import type { Palette } from "./palette";
import { meet, type Rect, type Scene } from "./scene";

/** From all of a box down to its colour; see `levelAt`. */
export type Level = "full" | "name" | "shape" | "dot";

export interface Fonts {
  readonly name: string;
  readonly detail: string;
  readonly big: string;
  /** Size of the text around the graph, in pixels. */
  readonly em: number;
}

/** What is drawn, and how it is seen. */
export interface Frame extends Place {
  readonly level: Level;
  readonly scene: Scene;
  readonly palette: Palette;
  readonly fonts: Fonts;
  readonly states: readonly TaskState[];
  readonly nameOf: (task: number) => string;
  readonly detailOf: (task: number) => string;
  /** By edge. */
  readonly isCritical: (edge: number) => boolean;
  /** The task whose edges stand out; -1 if there is none. */
  readonly marked: number;
  readonly ratio: number;
}

/** Place and scale of the graph and the size of the surface, in CSS pixels. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly k: number;
  readonly width: number;
  readonly height: number;
}

/** Below these scales, there is no second line, no name, no border. */
const FULL = 0.7;
const NAME = 0.42;
const SHAPE = 0.2;
/** Gaps between layers narrower than this would show edges as a mere grey. */
const EDGE_GAP_PX = 4;

export function levelAt(k: number): Level {
  if (k >= FULL) return "full";
  if (k >= NAME) return "name";
  return k >= SHAPE ? "shape" : "dot";
}

/** Whether a change of state changes nothing but boxes, so that they alone are drawn again. */
export function isBoxesOnly(level: Level): boolean {
  return level === "shape" || level === "dot";
}

/** Draw all that can be seen. */
export function drawAll(context: CanvasRenderingContext2D, frame: Frame): void {
  const { scene, palette, ratio, width, height } = frame;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = palette.bg;
  context.fillRect(0, 0, width, height);
  const seen = seenIn(frame);
  drawEdges(context, frame, seen);
  const tasks: number[] = [];
  scene.eachIn(seen, (task) => tasks.push(task));
  drawBoxes(context, frame, tasks);
}

/** Draw the boxes of some tasks over what is there. */
export function drawSome(
  context: CanvasRenderingContext2D,
  frame: Frame,
  tasks: Iterable<number>,
): void {
  const seen = seenIn(frame);
  const { scene } = frame;
  const shown = [...tasks].filter((task) => meet(scene.box(task), seen));
  if (frame.level === "dot") drawDots(context, frame, shown, true);
  else {
    erase(context, frame, shown);
    drawBoxes(context, frame, shown);
  }
}

/** Clear the boxes and a pixel around them, where smoothed borders reach. */
function erase(
  context: CanvasRenderingContext2D,
  frame: Frame,
  tasks: readonly number[],
): void {
  enter(context, frame);
  const rim = 1 / (frame.k * frame.ratio);
  context.fillStyle = frame.palette.bg;
  for (const task of tasks) {
    const { x, y, width, height } = frame.scene.box(task);
    context.fillRect(x - rim, y - rim, width + 2 * rim, height + 2 * rim);
  }
}

/** The part of the graph that can be seen, in its own lengths. */
export function seenIn({ x, y, k, width, height }: Place): Rect {
  return { x: -x / k, y: -y / k, width: width / k, height: height / k };
}

function enter(context: CanvasRenderingContext2D, { ratio, x, y, k }: Frame): void {
  // Whole device pixels, so that thin borders stay sharp.
  context.setTransform(
    ratio * k,
    0,
    0,
    ratio * k,
    Math.round(x * ratio),
    Math.round(y * ratio),
  );
}

// -- edges

interface Stroke {
  readonly edges: number[];
  readonly colour: string;
  readonly width: number;
  readonly dash: readonly number[];
}

function drawEdges(context: CanvasRenderingContext2D, frame: Frame, seen: Rect): void {
  const { scene, k, level } = frame;
  if (scene.geometry.measure.gapAlong * k < EDGE_GAP_PX) return;
  enter(context, frame);
  const straight = level === "dot";
  for (const stroke of strokesOf(frame, seen)) {
    if (stroke.edges.length === 0) continue;
    context.beginPath();
    for (const edge of stroke.edges) trace(context, scene.geometry, edge, straight);
    context.strokeStyle = stroke.colour;
    context.lineWidth = stroke.width / Math.min(k, 1);
    context.setLineDash(stroke.dash.map((length) => length / Math.min(k, 1)));
    context.stroke();
  }
  context.setLineDash([]);
}

/** The edges that can be seen, in the order in which they are drawn. */
function strokesOf(frame: Frame, seen: Rect): Stroke[] {
  const { palette, scene, states, marked, level } = frame;
  const far = isBoxesOnly(level);
  const grey = level === "dot" ? palette.line : palette.edge;
  const kinds: readonly (readonly [colour: string, width: number, dash: number[]])[] = [
    [grey, 1.25, [4, 3]],
    [palette.ink, 1.5, [4, 3]],
    [palette.ink, far ? 2 : 3, [9, 5]],
  ];
  // Of each kind first those that are still waited for.
  const strokes = kinds.flatMap(([colour, width, dash]): Stroke[] => [
    { edges: [], colour, width, dash: far ? [] : dash },
    { edges: [], colour, width, dash: [] },
  ]);
  const { edges } = scene.arranged.layout;
  edges.from.forEach((from, edge) => {
    if (!scene.isEdgeIn(edge, seen)) return;
    const isOwn = from === marked || edges.to[edge] === marked;
    const kind = frame.isCritical(edge) ? 2 : Number(isOwn);
    strokes[2 * kind + Number(states[from] === "succeeded")]?.edges.push(edge);
  });
  return strokes;
}

// -- boxes

function drawBoxes(
  context: CanvasRenderingContext2D,
  frame: Frame,
  tasks: readonly number[],
): void {
  const { level } = frame;
  if (level === "dot") {
    drawDots(context, frame, tasks, false);
    return;
  }
  enter(context, frame);
  for (const task of tasks) drawBox(context, frame, task);
  for (const task of tasks) drawShape(context, frame, task, level);
  if (level !== "shape") drawNames(context, frame, tasks, level);
}

/** Boxes without borders, filled in part; on whole device pixels, so that drawing over leaves no rim. */
function drawDots(
  context: CanvasRenderingContext2D,
  frame: Frame,
  tasks: readonly number[],
  isOver: boolean,
): void {
  const { scene, ratio, x, y, k, palette, states } = frame;
  const { measure } = scene.geometry;
  const width = Math.max(1, Math.round(measure.width * k * ratio));
  const height = Math.max(1, Math.round(measure.height * k * ratio));
  context.setTransform(1, 0, 0, 1, 0, 0);
  const fill = (task: number, share: number): void => {
    const left = Math.round(((scene.geometry.x[task] ?? 0) * k + x) * ratio);
    const top = Math.round(((scene.geometry.y[task] ?? 0) * k + y) * ratio);
    context.fillRect(left, top, Math.max(1, Math.round(width * share)), height);
  };
  context.fillStyle = palette.bg;
  if (isOver) for (const task of tasks) fill(task, 1);
  const byLook = new Map<Look, number[]>();
  for (const task of tasks) putTo(byLook, lookOf(states[task]), task);
  for (const [look, same] of byLook) {
    context.fillStyle = palette[look.dot];
    for (const task of same) fill(task, look.share);
  }
}

function lookOf(state: TaskState | undefined): Look {
  return LOOKS[state ?? "pending"] ?? LOOKS.pending;
}

/** How wide a border is, and its dashes. */
const BORDERS: Readonly<Record<Look["border"], readonly number[]>> = {
  thin: [1],
  dashed: [1, 4, 3],
  thick: [2],
  dotted: [2, 2, 2],
  double: [1],
};

function drawBox(context: CanvasRenderingContext2D, frame: Frame, task: number): void {
  const { scene, palette, k } = frame;
  const look = lookOf(frame.states[task]);
  const box = scene.box(task);
  const pixel = 1 / Math.min(k, 1);
  const [thick = pixel, ...dash] = BORDERS[look.border].map((length) => length * pixel);
  const radius = look.square ? 0 : 3;
  context.lineWidth = thick;
  context.strokeStyle = palette[look.colour];
  context.setLineDash(dash);
  outline(context, box, thick / 2, radius);
  context.fillStyle = palette[look.fill];
  context.fill();
  context.stroke();
  if (look.border === "double") {
    outline(context, box, thick / 2 + 2.5 * pixel, radius);
    context.stroke();
  }
  context.setLineDash([]);
}

function outline(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Rect,
  inset: number,
  radius: number,
): void {
  context.beginPath();
  context.roundRect(x + inset, y + inset, width - 2 * inset, height - 2 * inset, radius);
}

const paths = new Map<string, Path2D>();

function pathFor(d: string): Path2D {
  const known = paths.get(d);
  if (known) return known;
  const made = new Path2D(d);
  paths.set(d, made);
  return made;
}

function drawShape(
  context: CanvasRenderingContext2D,
  frame: Frame,
  task: number,
  level: Level,
): void {
  const { scene, palette, fonts } = frame;
  const look = lookOf(frame.states[task]);
  const box = scene.box(task);
  const isShort = scene.geometry.measure.short;
  const size = fonts.em * (level === "full" || isShort ? 1.08 : level === "name" ? 1.4 : 2.2);
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const left =
    level === "shape" ? middle.x - size / 2 : box.x + (isShort ? 0.5 : 0.62) * fonts.em;
  const isFirstLine = level === "full" && !isShort;
  const top = isFirstLine ? box.y + 1.2 * fonts.em - size / 2 : middle.y - size / 2;
  context.save();
  context.translate(left, top);
  context.scale(size / 16, size / 16);
  const colour = palette[look.role];
  context.fillStyle = colour;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of SHAPES[look.shape] ?? []) {
    const path = pathFor(stroke.d);
    if (stroke.as === "fill") {
      context.fill(path);
      continue;
    }
    context.strokeStyle = stroke.as === "cut" ? palette.bg : colour;
    context.lineWidth = stroke.as === "bold" ? 2.2 : 1.7;
    context.setLineDash(stroke.dash?.split(" ").map(Number) ?? []);
    context.stroke(path);
  }
  context.restore();
}

function drawNames(
  context: CanvasRenderingContext2D,
  frame: Frame,
  tasks: readonly number[],
  level: Level,
): void {
  const { scene, palette, fonts } = frame;
  const { measure, x, y } = scene.geometry;
  const isShort = measure.short;
  const full = level === "full" && !isShort;
  const left = (isShort ? 1.85 : full ? 2 : 2.5) * fonts.em;
  const room = measure.width - left - 0.4 * fonts.em;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillStyle = palette.ink;
  context.font = full || isShort ? fonts.name : fonts.big;
  const line = full ? 1.2 * fonts.em : measure.height / 2;
  const write = (said: (task: number) => string, down: number): void => {
    for (const task of tasks)
      context.fillText(said(task), (x[task] ?? 0) + left, (y[task] ?? 0) + down, room);
  };
  write(isShort ? (task) => `t${task + 1}` : frame.nameOf, line);
  if (!full) return;
  context.fillStyle = palette.muted;
  context.font = fonts.detail;
  write(frame.detailOf, measure.height - 1.2 * fonts.em);
}
