import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type Link, reasonOf } from "../link";
import type { Opening } from "../opening";
import { ActionButton } from "../parts/action";
import { Button } from "../parts/button";
import { State } from "../parts/icon";
import { useOwnId } from "../parts/own-id";
import { Said } from "../parts/phrase";
import { Refused } from "../parts/refused";
import type { Action, MissionFacts, MissionRow } from "../protocol";
import { clock, duration, line, MISSION_WORDS, money, shown } from "../words";

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
        <p class="quiet">
          <Said phrase={row.told} />
        </p>
        {row.found.length > 0 && (
          <p class="quiet">
            <Said phrase={row.found} />
          </p>
        )}
        <p class="quiet">{origin(mission)}</p>
        <p class="narrow-only">
          <State of={MISSION_WORDS[mission.state]} />
          {row.needs_you && <span class="needs">needs you</span>}
          <span class="quiet">
            {[took(mission), money(mission.cost)].filter(Boolean).join(", ")}
          </span>
        </p>
        <Doing mission={mission} link={link} opening={opening} />
      </th>
      <td class="wide-only">
        <State of={MISSION_WORDS[mission.state]} />
        {row.needs_you && <p class="needs">needs you</p>}
      </td>
      <td class="num wide-only">{took(mission) || "–"}</td>
      <td class="num wide-only">{money(mission.cost)}</td>
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
  if (!mission.started_at || !mission.finished_at) return "";
  const whole = (Date.parse(mission.finished_at) - Date.parse(mission.started_at)) / 1_000;
  return duration(Math.max(0, whole - mission.rested_s));
}

// -- what can be done with it ------------------------------------------------------------

interface DoingProps {
  mission: MissionFacts;
  link: Link;
  opening: Opening;
}

function Doing({ mission, link, opening }: DoingProps): JSX.Element {
  const ref = mission.short_id;
  const answer = useSignal<{ said: string; made: string } | null>(null);
  const dead = link.liveness.value !== "live";
  const fork: Action = {
    verb: "fork",
    label: "Fork",
    args: { mission: ref, at: "" },
    twin: `%hyper rewind ${ref}`,
    kind: "plain",
  };
  return (
    <>
      <div class="doing">
        <Button small disabled={dead} onClick={() => opening.open(ref)}>
          Open<span class="vh"> {ref}</span>
        </Button>
        <ActionButton
          action={fork}
          link={link}
          small
          onDone={(value) => {
            const made = line(String((value as { mission?: unknown })?.mission ?? ""), 40);
            answer.value = {
              said: `${made} is a fork of ${ref}. Nothing of it runs yet.`,
              made,
            };
          }}
        />
        <Export
          mission={ref}
          link={link}
          onDone={(path) => {
            answer.value = { said: `Written to ${path}`, made: "" };
          }}
        />
      </div>
      <p class="answer" role="status">
        {answer.value && shown(answer.value.said)}{" "}
        {answer.value?.made && (
          <button
            type="button"
            class="link"
            disabled={dead}
            onClick={() => opening.open(answer.value?.made ?? "")}
          >
            Open {answer.value.made}
          </button>
        )}
      </p>
    </>
  );
}

interface ExportProps {
  mission: string;
  link: Link;
  onDone: (path: string) => void;
}

function Export({ mission, link, onDone }: ExportProps): JSX.Element {
  const id = useOwnId();
  const asking = useSignal(false);
  const busy = useSignal(false);
  const refused = useSignal("");
  const form = useSignal("html");
  const dead = link.liveness.value !== "live";
  const write = async (): Promise<void> => {
    busy.value = true;
    refused.value = "";
    try {
      const { path } = await link.ask<{ path: string }>("export", {
        mission,
        form: form.value,
      });
      asking.value = false;
      onDone(path);
    } catch (error) {
      refused.value = reasonOf(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <div class="act">
      <Button
        small
        aria-expanded={asking.value}
        aria-controls={asking.value ? id : undefined}
        disabled={dead}
        onClick={() => {
          asking.value = !asking.value;
        }}
      >
        Export…<span class="vh"> {mission}</span>
      </Button>
      {asking.value && (
        <fieldset id={id} class="confirm" aria-label={`Export ${mission}`}>
          <label>
            Write it as a{" "}
            <select
              value={form.value}
              onChange={(event) => {
                form.value = event.currentTarget.value;
              }}
            >
              {FORMS.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <Button
            small
            disabled={dead}
            aria-busy={busy.value || undefined}
            onClick={() => {
              if (!busy.value) void write();
            }}
          >
            Write the file
          </Button>
          <span class="quiet">No file is overwritten.</span>
        </fieldset>
      )}
      <Refused why={refused.value} />
    </div>
  );
}
