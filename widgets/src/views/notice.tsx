import type { JSX } from "preact";
import { attaching, NOT_THE_CELL } from "../again";
import { useHere } from "../here";
import { clock, shown } from "../words";

/** Says that a view is not live any more, why, and what to do; null while it is. */
export function StaleNotice(): JSX.Element | null {
  const { link, closed, away, mission } = useHere();
  const liveness = link.liveness.value;
  if (liveness === "live") return away?.value ? <NotCurrent why={away.value} /> : null;
  const why = closed?.value ?? "";
  const again = <Again mission={mission.facts.value.short_id} />;
  if (liveness === "closed" && FORGOTTEN.test(why)) {
    return (
      <section class="block stale" aria-label="This view is not live">
        <p>
          <b>This view is no longer live</b>: {sentence(why)}
        </p>
      </section>
    );
  }
  return (
    <section class="block stale" aria-label="This view is not live">
      <p>
        <b>This view is no longer live</b>
        {liveness === "closed" ? (
          <>
            : {why ? sentence(why) : "it was closed."} {again}
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

/** The kernel is there, and cannot read what it would tell. */
function NotCurrent({ why }: { why: string }): JSX.Element {
  return (
    <section class="block stale" aria-label="This view is not current">
      <p>
        <b>This view is not current</b>: {sentence(why)} It goes on by itself when its store can
        be read again.
      </p>
    </section>
  );
}

function sentence(text: string): string {
  const said = shown(text.trim());
  return /[.!?)]$/.test(said) ? said : `${said}.`;
}
