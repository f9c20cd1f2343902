import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Link } from "../link";
import type { Opening } from "../opening";
import { ActionButton } from "../parts/action";
import { Button } from "../parts/button";
import { State } from "../parts/icon";
import { Options } from "../parts/options";
import { Said } from "../parts/phrase";
import { Quiet, QuietLine } from "../parts/quiet";
import type { MissionFacts, MissionRow } from "../protocol";
import { secondsBetween } from "../slowly";
import { into } from "../typed";
import { clock, duration, line, MISSION_WORDS, shown } from "../words";

const FORMS: readonly (readonly [string, string])[] = [
  ["html", "page (.html)"],
  ["notebook", "notebook (.ipynb)"],
  ["markdown", "Markdown (.md)"],
  ["json", "JSON (.json)"],
  ["plan", "its plan only (.json)"],
];
const COMPARED_AT_ONCE = 2;

interface Props {
  row: MissionRow;
  link: Link;
  opening: Opening;
  chosen: Signal<readonly string[]>;
}

/** A mission of the history: what it was, what came of it, what can be done with it. */
export function PastMission({ row, link, opening, chosen }: Props): JSX.Element {
  const { mission } = row;
  const ref = mission.short_id;
  return (
    <tr>
      <td class="tick">
        <Tick mission={ref} chosen={chosen} />
      </td>
      <th scope="row" class="about">
        <code>{ref}</code>{" "}
        <span class="past-goal" dir="auto">
          {line(mission.goal, 300) || "(no goal)"}
        </span>
        <QuietLine>
          <Said phrase={row.told} />
        </QuietLine>
        {row.found.length > 0 && (
          <QuietLine>
            <Said phrase={row.found} strong="mark" />
          </QuietLine>
        )}
        <QuietLine>{origin(mission)}</QuietLine>
        <p class="narrow-only">
          <State of={MISSION_WORDS[mission.state]} />
          {row.needs_you && <span class="needs">needs you</span>}
          <Quiet>{[took(mission), row.cost].filter(Boolean).join(", ")}</Quiet>
        </p>
        <Doing mission={mission} link={link} opening={opening} />
      </th>
      <td class="wide-only">
        <State of={MISSION_WORDS[mission.state]} />
        {row.needs_you && <p class="needs">needs you</p>}
      </td>
      <td class="num wide-only">{took(mission) || "–"}</td>
      <td class="num wide-only">{row.cost}</td>
    </tr>
  );
}

function Tick({
  mission,
  chosen,
}: {
  mission: string;
  chosen: Signal<readonly string[]>;
}): JSX.Element {
  const ticked = chosen.value.includes(mission);
  return (
    <label class="target">
      <input
        type="checkbox"
        checked={ticked}
        aria-label={`Compare ${mission}`}
        onChange={() => {
          const others = chosen.value.filter((each) => each !== mission);
          // A third tick takes the place of the first.
          chosen.value = ticked ? others : [...others, mission].slice(-COMPARED_AT_ONCE);
        }}
      />
    </label>
  );
}

function origin(mission: MissionFacts): string {
  const began = mission.started_at ?? mission.created_at;
  const at = new Date(began);
  const day = at.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
  });
  const parts = [`${mission.started_at ? "began" : "proposed"} ${clock(began)} on ${day}`];
  if (mission.playbook) parts.push(`playbook ${line(mission.playbook, 80)}`);
  if (mission.forked_from) {
    const where = mission.forked_at ? ` at ${line(mission.forked_at, 80)}` : "";
    parts.push(`forked from ${line(mission.forked_from, 40)}${where}`);
  }
  if (mission.by) parts.push(`by ${line(mission.by, 80)}`);
  return parts.join(", ");
}

function took(mission: MissionFacts): string {
  const { started_at, finished_at, rested_s } = mission;
  if (!started_at) return "";
  const end = finished_at ? Date.parse(finished_at) : Date.now();
  const whole = duration(secondsBetween(started_at, end) - rested_s);
  return finished_at ? whole : `${whole} so\u00a0far`;
}

// -- what can be done with it ------------------------------------------------------------

interface DoingProps {
  mission: MissionFacts;
  link: Link;
  opening: Opening;
}

function Doing({ mission, link, opening }: DoingProps): JSX.Element {
  const ref = mission.short_id;
  const answer = useSignal({ said: "", made: "" });
  const form = useSignal("html");
  const dead = link.liveness.value !== "live";
  const { said, made } = answer.value;
  const plain = { args: { mission: ref }, kind: "plain" } as const;
  return (
    <>
      <div class="doing">
        <Button small disabled={dead} onClick={() => opening.open(ref)}>
          Open<span class="vh"> {ref}</span>
        </Button>
        <ActionButton
          action={{ ...plain, verb: "fork", label: "Fork", twin: `%hyper rewind ${ref}` }}
          about={ref}
          link={link}
          small
          onDone={(value) => {
            const fork = line(String((value as { mission?: unknown })?.mission ?? ""), 40);
            answer.value = {
              said: `${fork} is a fork of ${ref}. Nothing of it runs yet.`,
              made: fork,
            };
          }}
        />
        <ActionButton
          action={{
            ...plain,
            verb: "export",
            label: "Export…",
            twin: `%hyper export ${ref} ${ref}.html`,
            confirm: {
              question: `Export ${ref}. No file is overwritten.`,
              button: "Write the file",
            },
          }}
          about={ref}
          link={link}
          small
          more={() => ({ form: form.value })}
          onDone={(value) => {
            const path = String((value as { path?: unknown })?.path ?? "");
            answer.value = { said: `Written to ${path}`, made: "" };
          }}
        >
          <label>
            Write it as a{" "}
            <select value={form.value} onChange={into(form)}>
              <Options of={FORMS} />
            </select>
          </label>
        </ActionButton>
      </div>
      <p class="answer" role="status">
        {shown(said)}{" "}
        {made && (
          <Button class="link" disabled={dead} onClick={() => opening.open(made)}>
            Open {made}
          </Button>
        )}
      </p>
    </>
  );
}
