/** From grid units to lengths: boxes and the lines between them. Pure numbers, no picture. */
import type { Layout } from "./layout";

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
   * The line of each edge as x, y, x, y …: two points for each piece between two layers, so
   * pieces in the gaps, which bend, take turns with straight ones beside the boxes.
   */
  readonly lines: readonly Float64Array[];
}

export function placed(layout: Layout, measure: Measure): Geometry {
  const { width, height, down, margin } = measure;
  const extent = down ? height : width;
  const pitch = extent + measure.gapAlong;
  const pitchAcross = (down ? width : height) + measure.gapAcross;
  const middle = (down ? width : height) / 2;
  const start = (layer: number): number => margin + layer * pitch;
  const { grain } = measure;
  const centre = (across: number): number =>
    Math.round((margin + across * pitchAcross) / grain) * grain + middle;
  const size = layout.layer.length;
  const x = new Float64Array(size);
  const y = new Float64Array(size);
  for (let task = 0; task < size; task += 1) {
    const along = start(layout.layer[task] ?? 0);
    const across = centre(layout.across[task] ?? 0) - middle;
    x[task] = down ? across : along;
    y[task] = down ? along : across;
  }
  const lines = layout.edges.map(([from, to], edge) => {
    const bends = layout.bends[edge] ?? [];
    const line = new Float64Array(4 + bends.length * 4);
    let at = 0;
    const put = (along: number, across: number): void => {
      line[at] = down ? across : along;
      line[at + 1] = down ? along : across;
      at += 2;
    };
    put(start(layout.layer[from] ?? 0) + extent, centre(layout.across[from] ?? 0));
    for (const [layer, across] of bends) {
      put(start(layer), centre(across));
      put(start(layer) + extent, centre(across));
    }
    put(start(layout.layer[to] ?? 0), centre(layout.across[to] ?? 0));
    return line;
  });
  const along = Math.max(layout.layers * pitch - measure.gapAlong, 0) + 2 * margin;
  const across = Math.max(layout.breadth * pitchAcross - measure.gapAcross, 0) + 2 * margin;
  return {
    measure,
    width: down ? across : along,
    height: down ? along : across,
    x,
    y,
    lines,
  };
}

/** What draws: a canvas, a `Path2D`, or text for an SVG. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  bezierCurveTo(a: number, b: number, c: number, d: number, x: number, y: number): void;
}

/** Draw the line of an edge: out of its box and into the next one along the layers' direction. */
export function trace(pen: Pen, line: Float64Array, down: boolean): void {
  let x = line[0] ?? 0;
  let y = line[1] ?? 0;
  pen.moveTo(x, y);
  for (let at = 2; at < line.length; at += 2) {
    const toX = line[at] ?? 0;
    const toY = line[at + 1] ?? 0;
    const gap = at % 4 === 2;
    if (!gap || (down ? toX === x : toY === y)) pen.lineTo(toX, toY);
    else if (down) pen.bezierCurveTo(x, (y + toY) / 2, toX, (y + toY) / 2, toX, toY);
    else pen.bezierCurveTo((x + toX) / 2, y, (x + toX) / 2, toY, toX, toY);
    x = toX;
    y = toY;
  }
}

/** The line of an edge as the `d` of an SVG path. */
export function pathOf(line: Float64Array, down: boolean): string {
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
    line,
    down,
  );
  return d;
}
