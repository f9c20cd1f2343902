import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { Said } from "../parts/phrase";
import { clock, grouped, isFinal } from "../words";
import { Legend } from "./legend";

/** The last change in words, and whether the view is live. */
export function Foot(): JSX.Element {
  const { mission } = useHere();
  const { last_change } = mission.head.value;
  const legend = useSignal(false);
  return (
    <footer>
      {legend.value && <Legend />}
      <div class="foot">
        <span>
          {last_change.length > 0 ? (
            <>
              Last change, <Said phrase={last_change} />
            </>
          ) : (
            "No change yet."
          )}
        </span>
        <span>
          <Held />{" "}
          <Button
            class="link"
            aria-expanded={legend.value}
            onClick={() => {
              legend.value = !legend.value;
            }}
          >
            What the states mean
          </Button>
        </span>
      </div>
    </footer>
  );
}

function Held(): JSX.Element {
  return <>{useHeld()}</>;
}

function useHeld(): string {
  const { mission, link, away } = useHere();
  const total = grouped(mission.totalEvents.value);
  const { state } = mission.facts.value;
  if (link.liveness.value !== "live") return `Not live since ${clock(link.heardAt)}.`;
  if (away?.value) return `Not current: event ${total} was the last that could be read.`;
  if (state === "running")
    return `Live, event ${total} of ${total}. Close the notebook if you like: the runner goes on.`;
  if (state === "paused")
    return `Live, event ${total} of ${total}. Close the notebook if you like: it stays paused.`;
  if (isFinal(state)) return `Kept in the store, all ${total} events. Nothing is running.`;
  return "Kept in the store. Nothing is running.";
}
