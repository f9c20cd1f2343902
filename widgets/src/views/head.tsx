import "./head.css";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import type { HeadFacts, TaskFacts } from "../protocol";
import { count, isActive, isFinal, line, MISSION_WORDS, shown } from "../words";
import { Ending } from "./ending";
import { doneText, Meters } from "./head-meters";
import { StateLine, Story, sentenceCase } from "./head-state";

/** What the mission is, its state, its three sentences, and how far it is. */
export function Head(): JSX.Element {
  const { mission, ui } = useHere();
  const pressed = useRef(false);
  if (ui.folded.value) {
    return (
      <header class="head folded">
        <div>
          <HeadLine />
          <FoldedGoal />
        </div>
        <FoldButton pressed={pressed} />
      </header>
    );
  }
  const { state } = mission.facts.value;
  const ended = isFinal(state);
  const told = !ended && ui.focus.value === null;
  return (
    <>
      <header class="head">
        <Eyebrow pressed={pressed} />
        <Goal />
        {!ended && <StateLine />}
        {told && <Story />}
        {told && state !== "planning" && state !== "awaiting_approval" && <Meters />}
      </header>
      {ended && <Ending />}
    </>
  );
}

/** The mission in one line: id, state, progress, and whether it needs somebody. */
export function HeadLine(): JSX.Element {
  const { mission } = useHere();
  const { state, short_id } = mission.facts.value;
  const word = MISSION_WORDS[state];
  const head = mission.head.value;
  const needs = head.decision ? 1 : head.needs.length;
  return (
    <p class="headline">
      <span>
        Mission <code>{short_id}</code>
      </span>
      <span class="state" tabIndex={-1} data-landing>
        <Icon {...word} /> <b>{sentenceCase(word.word)}</b>
      </span>
      {head.total > 0 && state !== "awaiting_approval" && <span>{doneText(head)}</span>}
      {head.left && <span>{shown(head.left)}</span>}
      {needs > 0 && (
        <span class="r-attention">
          {count(needs, "decision")} {needs === 1 ? "needs" : "need"} you
        </span>
      )}
    </p>
  );
}

/** The goal on one line, as much of it as there is room for; the whole is its title. */
function FoldedGoal(): JSX.Element | null {
  const goal = useHere().mission.facts.value.goal.trim();
  if (goal === "") return null;
  return (
    <p class="folded-goal" dir="auto" title={shown(goal)}>
      {line(goal, 1_200)}
    </p>
  );
}

interface FoldProps {
  /** Whether the head was just folded or unfolded: the button then stands elsewhere. */
  pressed: { current: boolean };
}

function Eyebrow({ pressed }: FoldProps): JSX.Element {
  const { mission } = useHere();
  const { short_id, forked_from, forked_at } = mission.facts.value;
  return (
    <div class="eyebrow">
      <p>
        Mission <code>{short_id}</code>
        {forked_from && (
          <>
            , forked from <code>{line(forked_from, 80)}</code>
          </>
        )}
        {forked_from && forked_at && (
          <>
            {" "}
            at <code>{line(forked_at, 80)}</code>
          </>
        )}
      </p>
      <div class="acts">
        <DensityButton />
        <FocusButton />
        <FoldButton pressed={pressed} />
      </div>
    </div>
  );
}

function Goal(): JSX.Element {
  const goal = useHere().mission.facts.value.goal.trim();
  return (
    <h3 class="goal" dir="auto">
      {goal ? shown(goal, 1_200) : "(no goal was written)"}
    </h3>
  );
}

function DensityButton(): JSX.Element {
  const { density } = useHere().ui;
  return (
    <Button
      small
      onClick={() => {
        density.value = density.value === "compact" ? "comfortable" : "compact";
      }}
    >
      Density: {density.value}
    </Button>
  );
}

function FoldButton({ pressed }: FoldProps): JSX.Element {
  const { folded } = useHere().ui;
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (pressed.current) button.current?.focus();
    pressed.current = false;
  }, []);
  return (
    <button
      ref={button}
      type="button"
      class="btn small"
      aria-expanded={!folded.value}
      onClick={() => {
        pressed.current = true;
        folded.value = !folded.value;
      }}
    >
      {folded.value ? "Unfold head" : "Fold head"}
    </button>
  );
}

function FocusButton(): JSX.Element | null {
  const { mission, ui } = useHere();
  const { state } = mission.facts.value;
  if (state !== "running" && state !== "paused") return null;
  // In focus mode it stays in its place, so that no other button comes under the pointer.
  return (
    <Button
      small
      disabled={ui.focus.value !== null}
      onClick={() => {
        ui.focus.value = ui.task.value ?? taskToFocus(mission.tasks, mission.head.value);
      }}
    >
      Focus on one task
    </Button>
  );
}

/** What runs comes first, and of that what decides how long the mission takes. */
function taskToFocus(tasks: readonly TaskFacts[], head: HeadFacts): string | null {
  const active = tasks.filter((task) => isActive(task.state)).map((task) => task.name);
  const critical = active.find((name) => head.critical.includes(name));
  const open = tasks.find((task) => !isFinal(task.state));
  return critical ?? active[0] ?? open?.name ?? tasks[0]?.name ?? null;
}
