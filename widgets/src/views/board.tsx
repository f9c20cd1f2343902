import "./board.css";
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { QuietLine } from "../parts/quiet";
import { slowNow } from "../slowly";
import { count, counting, duration, grouped, isFinal } from "../words";
import { Card } from "./board-card";
import { Cards, elapsedUntil, gainOf, workedUntil } from "./board-cards";
import { TaskPanel } from "./task-panel";

const CARDS_AT_FIRST = 24;
/** So many more are shown at a time: a swarm can have a thousand. */
const CARDS_MORE = 120;

/** Who is at work on what, who comes next, and how much happens at the same time. */
export function Board(): JSX.Element {
  const { mission } = useHere();
  const cards = useMemo(() => new Cards(), [mission]);
  const limit = useSignal(CARDS_AT_FIRST);
  void mission.tasksVersion.value;
  void mission.plan.value;
  const all = cards.of(mission);
  return (
    <>
      <section class="block bd" aria-label="Board">
        <h3 class="vh">The swarm: {count(all.length, "agent")}</h3>
        <Figures />
        {all.length === 0 && (
          <QuietLine>There is no plan yet, so no agent has a task.</QuietLine>
        )}
        <ul class="bd-cards">
          {all.slice(0, limit.value).map((card) => (
            <Card key={card.agent} card={card} />
          ))}
        </ul>
        <More
          rest={all.length - limit.value}
          unfolded={limit.value > CARDS_AT_FIRST}
          onMore={() => {
            limit.value += CARDS_MORE;
          }}
          onLess={() => {
            limit.value = CARDS_AT_FIRST;
          }}
        />
      </section>
      <TaskPanel />
    </>
  );
}

function Figures(): JSX.Element {
  const { mission, ui } = useHere();
  const { at_work, most_at_once } = mission.head.value;
  const ended = isFinal(mission.facts.value.state);
  const now = slowNow(ui);
  const worked = workedUntil(mission, now);
  return (
    <div class="bd-figures">
      <dl>
        <Figure label="at work now">{grouped(at_work)}</Figure>
        <Figure label="most at once">{grouped(most_at_once)}</Figure>
        <Figure label="sum of task times">{duration(Math.round(worked))}</Figure>
        <Figure label="elapsed">
          <Elapsed />
        </Figure>
      </dl>
      <p>{gainOf(worked, elapsedUntil(mission, now), ended)}</p>
    </div>
  );
}

function Figure({ label, children }: { label: string; children: unknown }): JSX.Element {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children as JSX.Element}</dd>
    </div>
  );
}

/** The one number of the board that counts seconds. */
function Elapsed(): JSX.Element {
  const { mission, ui } = useHere();
  void mission.facts.value;
  return <>{counting(elapsedUntil(mission, ui.now.value))}</>;
}

interface MoreProps {
  rest: number;
  unfolded: boolean;
  onMore: () => void;
  onLess: () => void;
}

function More({ rest, unfolded, onMore, onLess }: MoreProps): JSX.Element | null {
  if (rest <= 0 && !unfolded) return null;
  return (
    <p class="bd-more">
      {rest > 0 && <span>And {count(rest, "more agent")}.</span>}
      {rest > 0 && (
        <Button small aria-expanded={unfolded} onClick={onMore}>
          {rest > CARDS_MORE ? `Show ${CARDS_MORE} more` : "Show them"}
        </Button>
      )}
      {unfolded && (
        <Button small onClick={onLess}>
          Show only the first {CARDS_AT_FIRST}
        </Button>
      )}
    </p>
  );
}
