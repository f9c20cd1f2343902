import type { JSX } from "preact";
import type { Phrase, PhrasePart } from "../protocol";
import { shown } from "../words";

interface Props {
  phrase: Phrase;
  /** What stands out of it is a hit of a search, or must not be missed. */
  strong?: "mark" | "b";
}

/** A sentence of the kernel: text only, whatever is in it. */
export function Said({ phrase, strong: Strong = "b" }: Props): JSX.Element {
  return (
    <>
      {phrase.map((part, index) => {
        if (typeof part === "string") return shown(part);
        if ("code" in part) return <code key={index}>{shown(part.code)}</code>;
        return <Strong key={index}>{shown(part.strong)}</Strong>;
      })}
    </>
  );
}

/** A part of it as it came, without what marks it. */
export function bare(part: PhrasePart): string {
  if (typeof part === "string") return part;
  return "code" in part ? part.code : part.strong;
}

/** The same as plain text. */
export function plain(phrase: Phrase): string {
  return phrase.map((part) => shown(bare(part))).join("");
}
