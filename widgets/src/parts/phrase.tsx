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

/** A part of it as it came, without what marks it. */
export function bare(part: PhrasePart): string {
  if (typeof part === "string") return part;
  return "code" in part ? part.code : part.strong;
}

/** The same as plain text. */
export function plain(phrase: Phrase): string {
  return phrase.map((part) => shown(bare(part))).join("");
}
