/** What the fields of a contract hold, as text and back. */

export type Value = string | number | null | readonly string[];
export type Kind = "text" | "list" | "dollars" | "minutes" | "whole" | "choice" | "ticks";

/** A value as its field shows it. */
export function textOf(kind: Kind | undefined, value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" && kind === "minutes"
    ? minutesText(value)
    : String(value ?? "");
}

/**
 * The value that a text stands for, or the text itself where it is none: the kernel then says
 * what to write.
 *
 * @param known Names that may have commas in them.
 */
export function read(kind: Kind, text: string, known: readonly string[] = []): Value {
  const said = text.trim();
  switch (kind) {
    case "list":
      return readList(text, new Set(known));
    case "minutes":
      return readMinutes(said) ?? text;
    case "dollars":
      return numberOf(/^\$?\s*(\d+\.?\d*|\.\d+)$/, said) ?? text;
    case "whole":
      return numberOf(/^(\d{1,9})$/, said) ?? text;
    default:
      return text;
  }
}

function numberOf(pattern: RegExp, text: string): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Seconds as a field shows them: minutes, or minutes and seconds; never rounded. */
function minutesText(seconds: number): string {
  if (Number.isInteger(seconds / 60)) return String(seconds / 60);
  if (!Number.isInteger(seconds) || seconds < 0) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// What is typed on the way to a value, such as `1:` or `2.`, is read as far as it goes.
const ONE_UNIT = /^(\d+(?:[.,]\d*)?)\s*(s|min|h|)$/;
const TWO_UNITS = /^(\d+)\s*(?::|min\s+)([0-5]?\d)?(?:\s*s)?$/;
const SIZES: Readonly<Record<string, number>> = { s: 1, min: 60, "": 60, h: 3600 };

function readMinutes(said: string): number | undefined {
  const two = TWO_UNITS.exec(said);
  if (two) return Number(two[1]) * 60 + Number(two[2] ?? 0);
  const one = ONE_UNIT.exec(said);
  if (!one) return undefined;
  const [, number = "", unit = ""] = one;
  // To the millisecond: 1.1 min are 66 s, not 66.00000000000001.
  return Math.round(Number(number.replace(",", ".")) * (SIZES[unit] ?? 1) * 1000) / 1000;
}

const LONGEST_RUN = 6;

/**
 * The parts of a list that was typed with commas. A comma may be part of a name, so the longest
 * run of pieces that is a known name is taken as one.
 */
export function readList(text: string, known: ReadonlySet<string>): string[] {
  const pieces = text.split(",");
  const found = new Set<string>();
  while (pieces.length > 0) {
    let many = Math.min(LONGEST_RUN, pieces.length);
    const run = (): string => pieces.slice(0, many).join(",").trim();
    while (many > 1 && !known.has(run())) many -= 1;
    found.add(run());
    pieces.splice(0, many);
  }
  found.delete("");
  return [...found];
}

const OFFERED_AT_MOST = 40;

/** What comes next after the last comma, each as the whole text it would make. */
export function completions(
  text: string,
  names: Iterable<string>,
): { value: string; name: string }[] {
  const cut = text.lastIndexOf(",") + 1;
  const before = text.slice(0, cut).trim();
  const begun = text.slice(cut).trim().toLowerCase();
  const taken = new Set(before.split(",").map((part) => part.trim()));
  const found: { value: string; name: string }[] = [];
  for (const name of names) {
    if (found.length >= OFFERED_AT_MOST) break;
    if (taken.has(name) || !name.toLowerCase().includes(begun)) continue;
    found.push({ value: before ? `${before} ${name}` : name, name });
  }
  return found;
}
