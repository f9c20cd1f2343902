import "./small-graph.css";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { PlanSpec } from "../protocol";
import { count, line } from "../words";
import { type Arranged, arranged, edgesAlong, needsOf, numbered } from "./arranged";
import { type Geometry, type Measure, pathOf, placed } from "./geometry";
import { edgesOf, longestPaths } from "./layout";
import { stepOf } from "./ways";

/** More boxes than this are no overview; the waves are told instead. */
const DRAWN_AT_MOST = 150;

/** In ems of the text beside it, so that the drawing grows with the text. */
const MEASURE: Omit<Measure, "width"> = {
  height: 2.2,
  gapAlong: 2,
  gapAcross: 0.3,
  down: true,
  margin: 0.25,
  grain: 0.01,
  short: true,
};

interface Props {
  plan: PlanSpec;
  /** Names along the critical path. */
  critical: readonly string[];
  /** What that path means, in a sentence. */
  says: string;
  /** The task that is open. */
  marked: string | null;
  onOpen: (name: string) => void;
}

/** A plan from start to end: a box per task with its number, and what needs what. */
export function SmallGraph(props: Props): JSX.Element {
  const { plan, critical, says } = props;
  if (plan.tasks.length > DRAWN_AT_MOST) return <p class="sg-waves">{waves(plan)}</p>;
  return (
    <div class="sg">
      <p class="quiet sg-start">start</p>
      <Drawing {...props} />
      <p class="quiet sg-end">end: the result</p>
      {critical.length > 0 && (
        <p class="quiet sg-key">
          <span class="sg-thick" aria-hidden="true" /> {criticalPath(plan, critical)}{" "}
          {line(says)}
        </p>
      )}
    </div>
  );
}

function Drawing({ plan, critical, marked, onOpen }: Props): JSX.Element {
  const { own, geometry } = useMemo(() => drawn(plan), [plan]);
  const group = useRef<HTMLDivElement>(null);
  const entered = useSignal(0);
  const current =
    own.numbers.get(marked ?? "") ?? Math.min(entered.value, own.names.length - 1);
  const go = (event: KeyboardEvent, from: number): void => {
    const { ways } = own;
    const step = stepOf(event.key, true);
    const edge = event.key === "Home" ? ways.first() : event.key === "End" ? ways.last() : -1;
    if (step === undefined && edge < 0) return;
    event.preventDefault();
    const to = step === undefined ? edge : ways.step(from, step);
    entered.value = to;
    group.current?.querySelector<HTMLElement>(`[data-number="${to}"]`)?.focus();
  };
  return (
    <div class="sg-scroll">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form */}
      <div
        class="sg-drawing"
        role="group"
        ref={group}
        aria-label={`Graph of the plan: ${count(own.names.length, "task")} from start to end. Arrow keys follow the edges.`}
        style={{ width: `${geometry.width}em`, height: `${geometry.height}em` }}
      >
        <Edges own={own} geometry={geometry} critical={critical} />
        {own.names.map((name, number) => (
          <button
            type="button"
            key={name}
            class="sg-box"
            data-number={number}
            tabIndex={number === current ? 0 : -1}
            aria-label={`t${number + 1}, ${line(name)}`}
            aria-current={name === marked || undefined}
            title={line(name)}
            style={{
              left: `${geometry.x[number]}em`,
              top: `${geometry.y[number]}em`,
              width: `${geometry.measure.width}em`,
              height: `${geometry.measure.height}em`,
            }}
            onClick={() => onOpen(name)}
            onFocus={() => {
              entered.value = number;
            }}
            onKeyDown={(event) => go(event, number)}
          >
            <span>t{number + 1}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function Edges({
  own,
  geometry,
  critical,
}: {
  own: Arranged;
  geometry: Geometry;
  critical: readonly string[];
}): JSX.Element {
  const thick = edgesAlong(own, critical);
  const edges = Array.from({ length: own.layout.edges.count }, (_, edge) => edge);
  // What is thick is drawn last, over what is thin.
  edges.sort((a, b) => Number(thick.has(a)) - Number(thick.has(b)));
  return (
    <svg
      class="sg-edges"
      viewBox={`0 0 ${geometry.width} ${geometry.height}`}
      aria-hidden="true"
    >
      {edges.map((edge) => (
        <path
          key={edge}
          d={pathOf(geometry, edge)}
          class={thick.has(edge) ? "sg-crit" : undefined}
        />
      ))}
    </svg>
  );
}

function drawn(plan: PlanSpec): { own: Arranged; geometry: Geometry } {
  const own = arranged(plan);
  const width = own.names.length < 100 ? 2.2 : 2.8;
  return {
    own,
    geometry: placed(own.layout, { ...MEASURE, width }),
  };
}

function criticalPath(plan: PlanSpec, critical: readonly string[]): string {
  const numbers = numbered(plan.tasks.map((task) => task.name));
  const told = critical.flatMap((name) => numbers.get(name) ?? []);
  return `critical path: ${told.map((number) => `t${number + 1}`).join(", ")}.`;
}

function waves(plan: PlanSpec): string {
  const [names, needs] = needsOf(plan);
  const sizes: number[] = [];
  for (const layer of longestPaths(names.length, edgesOf(needs)))
    sizes[layer] = (sizes[layer] ?? 0) + 1;
  const widest = Math.max(...sizes);
  return (
    `${count(names.length, "task")} in ${count(sizes.length, "wave")}, too many to draw small. ` +
    `${count(sizes[0] ?? 0, "task starts", "tasks start")} at once; the widest wave has ` +
    `${count(widest, "task")}. The graph shows all of them.`
  );
}
