import type { JSX } from "preact";
import type { Phrase, PhrasePart } from "../protocol";
import { shown } from "../words";

/** A sentence of the kernel: text only, whatever is in it. */
export function Said({ phrase }: { phrase: Phrase }): JSX.Element {
  return <>{phrase.map((part, index) => said(part, index))}</>;
}

function said(part: PhrasePart, index: number): JSX.Element | string {
  if (typeof part === "string") return shown(part);
  if ("code" in part) return <code key={index}>{shown(part.code)}</code>;
  return <b key={index}>{shown(part.strong)}</b>;
}

/** The same as plain text. */
export function plain(phrase: Phrase): string {
  return phrase
    .map((part) =>
      shown(typeof part === "string" ? part : "code" in part ? part.code : part.strong),
    )
    .join("");
}
