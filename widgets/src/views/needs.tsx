import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useHere } from "../here";
import { Actions } from "../parts/action";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Said } from "../parts/phrase";
import type { Need } from "../protocol";
import { count, grouped, TASK_WORDS } from "../words";

const ASKS = TASK_WORDS.awaiting_approval;
const NEEDS_SHOWN = 8;
const ALARMS_SHOWN = 3;

/** What a person has to decide, with the buttons that decide it. */
export function Needs(): JSX.Element | null {
  const { needs } = useHere().mission.head.value;
  if (needs.length === 0) return null;
  return (
    <section class="block ask needs-you" aria-label="Needs you">
      <h4 class="h" tabIndex={-1} data-needs>
        <Icon {...ASKS} /> Needs you: {count(needs.length, "decision")}
      </h4>
      <Few of={needs} shown={NEEDS_SHOWN} />
    </section>
  );
}

/** What looks as if a person had to act. */
export function Alarms(): JSX.Element | null {
  const { mission } = useHere();
  const { alarms } = mission.head.value;
  if (alarms.length === 0) return null;
  return (
    <section class="block alarms" aria-label="You need not act">
      <Few of={alarms} shown={ALARMS_SHOWN} calm />
    </section>
  );
}

/** What is to be known first of something that only looks as if a person had to act. */
export function calmly(alarm: Need | undefined): string {
  return alarm?.ends ? "Nothing more starts:" : "You need not act:";
}

function Asked({ need, calm }: { need: Need; calm: boolean | undefined }): JSX.Element {
  const { mission, link } = useHere();
  const word = TASK_WORDS[mission.task(need.task)?.state ?? "stalled"];
  return (
    <div class="need">
      <p>
        {calm && (
          <>
            <Icon {...word} /> <b>{calmly(need)}</b>{" "}
          </>
        )}
        <Said phrase={need.what} />
      </p>
      <div class="acts">
        <Actions of={need.actions} link={link} small={calm} />
      </div>
    </div>
  );
}

interface FewProps {
  of: readonly Need[];
  shown: number;
  calm?: boolean;
}

/** The first of a list; the rest is counted, and shown when it is asked for. */
function Few({ of, shown, calm }: FewProps): JSX.Element {
  const all = useSignal(false);
  const more = of.length - shown;
  const items = all.value ? of : of.slice(0, shown);
  return (
    <>
      {items.map((need, place) => (
        <div class="needrow" key={`${need.task} ${place}`}>
          <Asked need={need} calm={calm} />
        </div>
      ))}
      {more > 0 && (
        <Button
          class="link"
          aria-expanded={all.value}
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? "Show fewer" : `Show ${grouped(more)} more like these`}
        </Button>
      )}
    </>
  );
}
