/** From grid units to lengths: boxes and the lines between them. Pure numbers, no picture. */
import { putTo } from "../lists";
import type { Layout } from "./layout";

/** In larger graphs, edges that share a bend are one line. */
const TOLD_APART = 1_000;

export interface Measure {
  /** Size of a box. */
  readonly width: number;
  readonly height: number;
  /** From one layer to the next, and from one box of a layer to the next, edge to edge. */
  readonly gapAlong: number;
  readonly gapAcross: number;
  /** Layers from top to bottom; otherwise from left to right. */
  readonly down: boolean;
  /** Free space around everything. */
  readonly margin: number;
  /** Boxes have room for the number of a task only, in place of its name. */
  readonly short: boolean;
  /** Places are multiples of this, so that thin borders stay sharp. */
  readonly grain: number;
}

export interface Geometry {
  readonly measure: Measure;
  readonly width: number;
  readonly height: number;
  /** Left upper corners of the boxes. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /**
   * The lines of all edges as x, y, x, y …; that of an edge from `starts[edge]` up to the next.
   * Two points for each piece between two layers, so pieces in the gaps, which bend, take turns
   * with straight ones beside the boxes.
   */
  readonly points: Float64Array;
  readonly starts: Int32Array;
}

export function placed(layout: Layout, measure: Measure): Geometry {
  const { width, height, down, margin } = measure;
  const extent = down ? height : width;
  const pitch = extent + measure.gapAlong;
  const pitchAcross = (down ? width : height) + measure.gapAcross;
  const middle = (down ? width : height) / 2;
  const start = (layer: number): number => margin + layer * pitch;
  const { grain } = measure;
  const { edges, bends } = layout;
  const aside = edges.count <= TOLD_APART ? asides(layout, measure.gapAcross) : null;
  const placeOf = (across: number): number =>
    Math.round((margin + across * pitchAcross) / grain) * grain + middle;
  // Lines may bend outside of all boxes, and are to be seen whole.
  let low = margin;
  let high = margin + Math.max(layout.breadth * pitchAcross - measure.gapAcross, 0);
  bends.across.forEach((across, bend) => {
    const place = placeOf(across) + (aside?.[bend] ?? 0);
    low = Math.min(low, place);
    high = Math.max(high, place);
  });
  const moved = Math.ceil((margin - low) / grain) * grain;
  const centre = (across: number): number => placeOf(across) + moved;
  const size = layout.layer.length;
  const x = new Float64Array(size);
  const y = new Float64Array(size);
  layout.layer.forEach((layer, task) => {
    const along = start(layer);
    const across = centre(layout.across[task] ?? 0) - middle;
    x[task] = down ? across : along;
    y[task] = down ? along : across;
  });
  const starts = new Int32Array(edges.count + 1);
  const points = new Float64Array(4 * edges.count + 4 * bends.layer.length);
  let at = 0;
  const put = (alongIt: number, acrossIt: number): void => {
    points[at] = down ? acrossIt : alongIt;
    points[at + 1] = down ? alongIt : acrossIt;
    at += 2;
  };
  edges.from.forEach((from, edge) => {
    const to = edges.to[edge] ?? 0;
    put(start(layout.layer[from] ?? 0) + extent, centre(layout.across[from] ?? 0));
    const end = bends.starts[edge + 1] ?? 0;
    for (let bend = bends.starts[edge] ?? 0; bend < end; bend += 1) {
      const across = centre(bends.across[bend] ?? 0) + (aside?.[bend] ?? 0);
      put(start(bends.layer[bend] ?? 0), across);
      put(start(bends.layer[bend] ?? 0) + extent, across);
    }
    put(start(layout.layer[to] ?? 0), centre(layout.across[to] ?? 0));
    starts[edge + 1] = at;
  });
  const along = Math.max(layout.layers * pitch - measure.gapAlong, 0) + 2 * margin;
  const across = high + moved + margin;
  return {
    measure,
    width: down ? across : along,
    height: down ? along : across,
    x,
    y,
    points,
    starts,
  };
}

/**
 * How far each bend stands aside from its place, so that edges which share it can be told apart.
 * They stand in the order of their ends, which keeps them from crossing.
 */
function asides(layout: Layout, gap: number): Float64Array {
  const { edges, bends, across } = layout;
  const sharing = new Map<string, { bend: number; order: number }[]>();
  edges.from.forEach((from, edge) => {
    const order = (across[from] ?? 0) + (across[edges.to[edge] ?? 0] ?? 0);
    for (let bend = bends.starts[edge] ?? 0; bend < (bends.starts[edge + 1] ?? 0); bend += 1) {
      const key = `${bends.layer[bend]} ${bends.across[bend]}`;
      putTo(sharing, key, { bend, order });
    }
  });
  const aside = new Float64Array(bends.layer.length);
  for (const all of sharing.values()) {
    all.sort((a, b) => a.order - b.order || a.bend - b.bend);
    const step = Math.min(gap / 2, (2 * gap) / all.length);
    all.forEach(({ bend }, at) => {
      aside[bend] = (at - (all.length - 1) / 2) * step;
    });
  }
  return aside;
}

/** What draws: a canvas, a `Path2D`, or text for an SVG. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  bezierCurveTo(a: number, b: number, c: number, d: number, x: number, y: number): void;
}

/**
 * Draw the line of an edge: out of its box and into the next one along the layers' direction.
 * `straight` leaves out its curves, where they could not be made out.
 */
export function trace(pen: Pen, geometry: Geometry, edge: number, straight = false): void {
  const { points, starts } = geometry;
  const { down } = geometry.measure;
  const first = starts[edge] ?? 0;
  const end = starts[edge + 1] ?? 0;
  let x = points[first] ?? 0;
  let y = points[first + 1] ?? 0;
  pen.moveTo(x, y);
  for (let at = first + 2; at < end; at += 2) {
    const toX = points[at] ?? 0;
    const toY = points[at + 1] ?? 0;
    const isGap = (at - first) % 4 === 2;
    if (straight || !isGap || (down ? toX === x : toY === y)) pen.lineTo(toX, toY);
    else if (down) pen.bezierCurveTo(x, (y + toY) / 2, toX, (y + toY) / 2, toX, toY);
    else pen.bezierCurveTo((x + toX) / 2, y, (x + toX) / 2, toY, toX, toY);
    x = toX;
    y = toY;
  }
}

/** The line of an edge as the `d` of an SVG path. */
export function pathOf(geometry: Geometry, edge: number): string {
  let d = "";
  const say = (letter: string, ...at: number[]): void => {
    d += letter + at.map((one) => Math.round(one * 100) / 100).join(" ");
  };
  trace(
    {
      moveTo: (x, y) => say("M", x, y),
      lineTo: (x, y) => say("L", x, y),
      bezierCurveTo: (...at) => say("C", ...at),
    },
    geometry,
    edge,
  );
  return d;
}
