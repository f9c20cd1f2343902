import type { JSX } from "preact";
import { attaching, NOT_THE_CELL } from "../again";
import { useHere } from "../here";
import { clock, shown } from "../words";

/** Says that a view is not live any more, or not current, why, and what to do. */
export function StaleNotice(): JSX.Element | null {
  const { link, closed, away, mission } = useHere();
  const isLive = link.liveness.value === "live";
  const why = (isLive ? away : closed)?.value ?? "";
  if (isLive && why === "") return null;
  const again = <Again mission={mission.facts.value.short_id} />;
  return (
    <section class="block stale" aria-label={`This view is not ${isLive ? "current" : "live"}`}>
      <p>
        <b>This view is {isLive ? "not current" : "no longer live"}</b>
        {isLive ? (
          `: ${sentence(why)} It goes on by itself when its store can be read again.`
        ) : link.liveness.value === "closed" ? (
          <>
            : {sentence(why || "it was closed")} {!FORGOTTEN.test(why) && again}
          </>
        ) : link.busy.value ? (
          `: nothing was heard from its kernel since ${clock(link.heardAt)}. The kernel is ` +
          "at work and may come back by itself; the mission itself is not affected."
        ) : (
          <>: its kernel has ended or was restarted. {again}</>
        )}
      </p>
    </section>
  );
}

const FORGOTTEN = /forgotten/;

function Again({ mission }: { mission: string }): JSX.Element {
  const [load, attach] = attaching(mission);
  return (
    <>
      The mission itself is not affected. To go on watching, run <code>{load}</code>, then{" "}
      <code>{attach}</code>. {NOT_THE_CELL}
    </>
  );
}

function sentence(text: string): string {
  const said = shown(text.trim());
  return /[.!?)]$/.test(said) ? said : `${said}.`;
}
