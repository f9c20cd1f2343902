import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { count } from "../words";
import { cardPlace } from "./card-place";
import { Control } from "./control";
import { Legend } from "./legend";
import { TaskCard } from "./task-card";

/** Guessed for a card that is not in the page yet. */
const CARD_PX = { width: 334, height: 170 };

/** What can be pressed beside the graph, and the key that does the same in it. */
const BUTTONS = [
  ["Fit", "0"],
  ["Zoom in", "+"],
  ["Zoom out", "-"],
] as const;

interface Props {
  /** The kernel's time, in steps. */
  now: ReadonlySignal<number>;
  /** What stands beside the buttons. */
  children: ComponentChildren;
}

/** The drawn graph with its buttons, its keys and the card of a task. */
export function Canvas({ now, children }: Props): JSX.Element {
  const here = useHere();
  const control = useMemo(() => new Control(here, now), [here]);
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const probe = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!host.current || !canvas.current || !probe.current) return;
    return control.attach({
      host: host.current,
      canvas: canvas.current,
      probe: probe.current,
    });
  }, [control]);
  const what = `Graph of ${count(here.mission.plan.value?.tasks.length ?? 0, "task")}`;
  return (
    <>
      <div class="gr-bar">
        {children}
        <div class="gr-buttons">
          {BUTTONS.map(([label, key]) => (
            <Button
              key={key}
              small
              title={`Key in the graph: ${key}`}
              onClick={() => control.act(key)}
            >
              {label}
            </Button>
          ))}
        </div>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form */}
      <div
        class="gr-box"
        ref={host}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys follow the edges
        tabIndex={0}
        aria-label={`${what}. Arrow keys follow the edges, Enter opens a task, plus, minus and 0 change the size. The table tells the same.`}
        onKeyDown={control.press}
      >
        <canvas ref={canvas} role="img" aria-label={what} />
        <Ring control={control} />
        <div class="gr-probe" aria-hidden="true" ref={probe} />
        <p class="vh" role="status">
          {control.said.value}
        </p>
        <Cut isCut={control.isCut} />
        <Card control={control} now={now} />
      </div>
      <Legend isFar={control.isFar} />
    </>
  );
}

function Cut({ isCut }: { isCut: ReadonlySignal<boolean> }): JSX.Element | null {
  if (!isCut.value) return null;
  return (
    <p class="quiet gr-cut">
      A part is out of sight: drag the graph, or press Fit. Ctrl and the wheel zoom.
    </p>
  );
}

/** Around the marked task; an element and not drawn, so that moving it draws nothing anew. */
function Ring({ control }: { control: Control }): JSX.Element | null {
  control.viewed.value;
  const box = control.surface?.boxOf(control.marked.value);
  if (!box) return null;
  const { x, y, width, height } = box;
  return (
    <div class="gr-clip" aria-hidden="true">
      <div
        class="gr-ring"
        style={{
          transform: `translate(${x - 4}px, ${y - 4}px)`,
          width: `${width + 8}px`,
          height: `${height + 8}px`,
        }}
      />
    </div>
  );
}

interface CardProps {
  control: Control;
  now: ReadonlySignal<number>;
}

function Card({ control, now }: CardProps): JSX.Element | null {
  const { mission, ui } = useHere();
  const card = useRef<HTMLDivElement>(null);
  const shown = control.shown.value;
  control.viewed.value;
  mission.tasksVersion.value;
  const task = mission.task(control.nameOf(shown));
  const isOpen = task !== undefined;
  useEffect(() => {
    if (!isOpen) return;
    // Where the pointer is, the focus need not be: Escape must work from anywhere.
    const dismiss = (event: KeyboardEvent): void => {
      if (event.key === "Escape") control.dismiss();
    };
    document.addEventListener("keydown", dismiss);
    return () => document.removeEventListener("keydown", dismiss);
  }, [isOpen, control]);
  const size = useSignal(CARD_PX);
  useLayoutEffect(() => {
    const own = card.current;
    if (!own || own.offsetHeight === 0) return;
    const { offsetWidth: width, offsetHeight: height } = own;
    if (width !== size.peek().width || height !== size.peek().height)
      size.value = { width, height };
  });
  const { surface } = control;
  const box = surface?.boxOf(shown);
  if (!task || !surface || !box) return null;
  const isReached = control.hovered.value >= 0;
  const place = cardPlace(box, size.value, surface.size, surface.boxes(), isReached);
  // An open task is told of below the drawing already.
  if (place === null && ui.task.value === task.name) return null;
  return (
    <TaskCard
      task={task}
      now={now.value}
      place={place}
      cardRef={card}
      onEnter={control.stay}
      onLeave={() => control.hover(-1)}
      onOpen={() => control.open(shown)}
    />
  );
}
