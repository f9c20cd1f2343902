import type { JSX } from "preact";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { useOwnId } from "../parts/own-id";
import { Said } from "../parts/phrase";
import { TaskLink } from "../parts/task-link";
import type { EventFacts, PhrasePart } from "../protocol";
import { secondsBetween, slowNow } from "../slowly";
import { clock, counting, isFinal, line, shown } from "../words";
import { markOf } from "./feed-filter";

interface Props {
  event: EventFacts;
  /** Its place among all rows. */
  place: number;
  open: boolean;
  onToggle: (event: EventFacts) => void;
}

const ROW = { role: "row" } as const;
const CELL = { role: "cell" } as const;
const ROW_HEAD = { role: "rowheader" } as const;
// It scrolls, so it has to be reached by keyboard, and to have a name there.
const BOX = { role: "group", tabIndex: 0 } as const;
const JSON_AT_MOST = 50_000;
const TOLD_AT_MOST = 400;

/** One event: when, what kind, of which task, in words, and as JSON on demand. */
export function Row({ event, place, open, onToggle }: Props): JSX.Element {
  const id = useOwnId();
  const { ui } = useHere();
  const marked = event.task !== null && ui.task.value === event.task;
  const mark = markOf(event);
  return (
    <tr
      class={mark ? "fd-marked" : undefined}
      data-seq={event.seq}
      aria-rowindex={place + 2}
      aria-current={marked || undefined}
      {...ROW}
    >
      <th scope="row" class="fd-time" {...ROW_HEAD}>
        <Time at={event.at} />
      </th>
      <td class="fd-kind" {...CELL}>
        <code>{line(event.kind, 60)}</code>
      </td>
      <td class="fd-task" {...CELL}>
        {event.task !== null && <TaskLink name={event.task} />}
      </td>
      <td class="fd-told" {...CELL}>
        {mark && (
          <>
            <Icon shape={mark.shape} role={mark.role} />
            <span class="vh">{mark.said}: </span>
          </>
        )}
        <Said phrase={event.told.map(cut)} />
      </td>
      <td class="num fd-seq" {...CELL}>
        <Button
          class="link"
          aria-label={`${event.seq}, JSON`}
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          onClick={() => onToggle(event)}
        >
          {event.seq}
        </Button>
      </td>
      {open && (
        <td class="fd-json" {...CELL}>
          <pre class="box" id={id} {...BOX} {...{ "aria-label": `Event ${event.seq} as JSON` }}>
            {jsonOf(event)}
          </pre>
        </td>
      )}
    </tr>
  );
}

/** Absolute, and how long ago; in a mission that has ended, how long after its start. */
function Time({ at }: { at: string }): JSX.Element {
  const { mission, ui } = useHere();
  const { state, started_at } = mission.facts.value;
  const said = isFinal(state)
    ? started_at && `after ${counting(secondsBetween(started_at, Date.parse(at)))}`
    : `${counting(secondsBetween(at, slowNow(ui)))} ago`;
  return (
    <>
      <time dateTime={at} title={new Date(at).toLocaleString()}>
        {clock(at)}
      </time>{" "}
      <span class="fd-ago">{said}</span>
    </>
  );
}

/** A row stays a row, whatever an agent writes: its JSON has the whole. */
function cut(part: PhrasePart): PhrasePart {
  if (typeof part === "string") return shown(part, TOLD_AT_MOST);
  return "code" in part
    ? { code: shown(part.code, TOLD_AT_MOST) }
    : { strong: shown(part.strong, TOLD_AT_MOST) };
}

function jsonOf(event: EventFacts): string {
  const { told: _, ...facts } = event;
  return shown(JSON.stringify(facts, null, 2), JSON_AT_MOST);
}
