import type { JSX } from "preact";
import { count, shown } from "../words";
import { useMore } from "./more";
import { QuietLine } from "./quiet";
import { Scrolled } from "./scrolled";

const STEP = 400;
const LINE_CUT_AT = 2_000;

const KINDS: readonly [RegExp, string][] = [
  [/^(\+\+\+|---|diff |index |Index: |=====)/, "head"],
  [/^@@/, "hunk"],
  [/^\+/, "added"],
  [/^-/, "removed"],
];

const kindOf = (line: string): string =>
  KINDS.find(([pattern]) => pattern.test(line))?.[1] ?? "same";

/** A unified diff, as it is written: each line begins with its + or -. */
export function Diff({ text, label }: { text: string; label: string }): JSX.Element {
  const more = useMore(STEP);
  const lines = text.replace(/\s+$/, "").split("\n");
  const added = lines.filter((line) => kindOf(line) === "added").length;
  const removed = lines.filter((line) => kindOf(line) === "removed").length;
  return (
    <>
      <QuietLine>
        {count(added, "line")} added (+), {count(removed, "line")} removed (-)
      </QuietLine>
      <Scrolled label={label} boxed>
        <pre class="diff">
          {lines.slice(0, more.shown).map((line, place) => (
            <span key={place} class={`d-${kindOf(line)}`}>
              {shown(line, LINE_CUT_AT)}
              {"\n"}
            </span>
          ))}
        </pre>
      </Scrolled>
      {more.button(lines.length, "line")}
    </>
  );
}
