/**
 * The part of Markdown that agents write, read into values: headings, lists, code, quotes,
 * tables, emphasis and links. There is no HTML in it, and a link leads to http, https or mail
 * only. Every search forward is bounded, so text made to be slow is not.
 */

export type Block =
  | { kind: "heading"; rank: number; text: string }
  | { kind: "paragraph"; text: string }
  | { kind: "code"; text: string }
  | List
  | { kind: "quote"; text: string }
  | { kind: "table"; heads: string[]; rows: string[][] }
  | { kind: "rule" };

export interface List {
  kind: "list";
  ordered: boolean;
  start: number;
  items: Item[];
}

export interface Item {
  text: string;
  /** A list below it. */
  inner: List | null;
}

export type Inline =
  | { kind: "text" | "code" | "strong" | "em"; text: string }
  | { kind: "link"; text: string; href: string };

const BLOCKS_AT_MOST = 2_000;
const SEEN_AHEAD = 2_000;
const CELLS_AT_MOST = 40;
const ITEMS_AT_MOST = 500;

const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*)$/;
const FENCE = /^ {0,3}(```+|~~~+)/;
const ITEM = /^( {0,12})(?:[-*+]|(\d{1,9})[.)])[ \t]+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const DIVIDER = /^[|:\- \t]+$/;

/** Read text into blocks; past two thousand of them the rest is one paragraph. */
export function blocks(text: string): Block[] {
  const lines = text.split("\n");
  const found: Block[] = [];
  let place = 0;
  while (place < lines.length) {
    if (found.length >= BLOCKS_AT_MOST) {
      found.push({ kind: "code", text: lines.slice(place).join("\n") });
      break;
    }
    const [block, next] = blockAt(lines, place);
    if (block) found.push(block);
    place = next;
  }
  return ranked(found);
}

function blockAt(lines: readonly string[], place: number): [Block | null, number] {
  const line = lines[place] ?? "";
  if (line.trim() === "") return [null, place + 1];
  if (FENCE.test(line)) return codeAt(lines, place);
  const heading = HEADING.exec(line);
  if (heading) {
    const text = (heading[2] ?? "").replace(/[ \t]+#{1,6}[ \t]*$/, "");
    return [{ kind: "heading", rank: heading[1]?.length ?? 1, text }, place + 1];
  }
  if (line.length < 200 && RULE.test(line)) return [{ kind: "rule" }, place + 1];
  if (isTable(lines, place)) return tableAt(lines, place);
  if (ITEM.test(line)) return listAt(lines, place);
  if (QUOTE.test(line)) return quoteAt(lines, place);
  return paragraphAt(lines, place);
}

function codeAt(lines: readonly string[], place: number): [Block, number] {
  const mark = FENCE.exec(lines[place] ?? "")?.[1] ?? "```";
  const kept: string[] = [];
  let next = place + 1;
  while (next < lines.length && !(lines[next] ?? "").trimStart().startsWith(mark)) {
    kept.push(lines[next] ?? "");
    next += 1;
  }
  return [{ kind: "code", text: kept.join("\n") }, next + 1];
}

function isTable(lines: readonly string[], place: number): boolean {
  const divider = lines[place + 1] ?? "";
  return (
    (lines[place] ?? "").includes("|") &&
    divider.includes("-") &&
    divider.includes("|") &&
    DIVIDER.test(divider)
  );
}

function tableAt(lines: readonly string[], place: number): [Block, number] {
  const heads = cells(lines[place] ?? "");
  const rows: string[][] = [];
  let next = place + 2;
  while (next < lines.length && (lines[next] ?? "").includes("|")) {
    const row = cells(lines[next] ?? "");
    rows.push(heads.map((_, column) => row[column] ?? ""));
    next += 1;
  }
  return [{ kind: "table", heads, rows }, next];
}

function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\|/, "")
    .replace(/\|$/, "")
    .split("|")
    .slice(0, CELLS_AT_MOST)
    .map((cell) => cell.trim());
}

/** An item as it stands in the text: how far it is set in, its number, its words. */
interface Entry {
  indent: number;
  number: string | undefined;
  text: string;
}

function listAt(lines: readonly string[], place: number): [Block, number] {
  const entries: Entry[] = [];
  let next = place;
  // A longer list goes on in another: what begins one is never read to its end many times.
  for (; next < lines.length && entries.length < ITEMS_AT_MOST; next += 1) {
    const line = lines[next] ?? "";
    const item = ITEM.exec(line);
    const last = entries.at(-1);
    if (item)
      entries.push({ indent: item[1]?.length ?? 0, number: item[2], text: item[3] ?? "" });
    else if (last && /^\s+\S/.test(line)) last.text += ` ${line.trim()}`;
    else break;
  }
  const [list, taken] = nested(entries, 0);
  // What is set in less than the first item, or numbered otherwise, begins another list.
  return [list, taken < entries.length ? lineOf(lines, place, taken) : next];
}

function nested(entries: readonly Entry[], from: number): [List, number] {
  const first = entries[from] as Entry;
  const ordered = first.number !== undefined;
  const list: List = { kind: "list", ordered, start: Number(first.number ?? 1), items: [] };
  let place = from;
  while (place < entries.length) {
    const entry = entries[place] as Entry;
    const last = list.items.at(-1);
    if (last && last.inner === null && entry.indent > first.indent + 1) {
      [last.inner, place] = nested(entries, place);
      continue;
    }
    if (entry.indent > first.indent + 1 || entry.indent + 1 < first.indent) break;
    if ((entry.number !== undefined) !== ordered) break;
    list.items.push({ text: entry.text, inner: null });
    place += 1;
  }
  return [list, place];
}

/** The line where an item of a list begins. */
function lineOf(lines: readonly string[], from: number, item: number): number {
  let seen = -1;
  for (let place = from; place < lines.length; place += 1) {
    if (ITEM.test(lines[place] ?? "")) seen += 1;
    if (seen === item) return place;
  }
  return lines.length;
}

function quoteAt(lines: readonly string[], place: number): [Block, number] {
  const kept: string[] = [];
  let next = place;
  for (; next < lines.length; next += 1) {
    const quote = QUOTE.exec(lines[next] ?? "");
    if (!quote) break;
    kept.push(quote[1] ?? "");
  }
  return [{ kind: "quote", text: kept.join("\n") }, next];
}

function paragraphAt(lines: readonly string[], place: number): [Block, number] {
  const kept = [lines[place] ?? ""];
  let next = place + 1;
  while (next < lines.length && !begins(lines, next)) {
    kept.push(lines[next] ?? "");
    next += 1;
  }
  return [{ kind: "paragraph", text: kept.join("\n") }, next];
}

function begins(lines: readonly string[], place: number): boolean {
  const line = lines[place] ?? "";
  return (
    line.trim() === "" ||
    FENCE.test(line) ||
    HEADING.test(line) ||
    ITEM.test(line) ||
    QUOTE.test(line) ||
    isTable(lines, place)
  );
}

/** Number the headings by how they rank among each other: the uppermost is 0. */
function ranked(found: Block[]): Block[] {
  const levels = new Set<number>();
  for (const block of found) if (block.kind === "heading") levels.add(block.rank);
  const order = [...levels].sort((one, other) => one - other);
  return found.map((block) =>
    block.kind === "heading" ? { ...block, rank: order.indexOf(block.rank) } : block,
  );
}

// -- inside of a block -------------------------------------------------------------------

const SIGNS = /[\\`*_[!]|https?:\/\//g;
const ADDRESS = /https?:\/\/[^\s<>"'`\])]{1,1900}/y;

/** Read a block's text into pieces. */
export function inlines(text: string): Inline[] {
  const found: Inline[] = [];
  let plain = "";
  let place = 0;
  const flush = (): void => {
    if (plain) found.push({ kind: "text", text: plain });
    plain = "";
  };
  while (place < text.length) {
    SIGNS.lastIndex = place;
    const sign = SIGNS.exec(text);
    if (!sign) {
      plain += text.slice(place);
      break;
    }
    plain += text.slice(place, sign.index);
    const [inline, next] = pieceAt(text, sign.index);
    if (typeof inline === "string") plain += inline;
    else {
      flush();
      found.push(inline);
    }
    place = next;
  }
  flush();
  return found;
}

function pieceAt(text: string, place: number): [Inline | string, number] {
  const char = text[place] ?? "";
  switch (char) {
    case "\\": {
      const next = text[place + 1] ?? "";
      return /[\\`*_[\]()#+\-.!|>~]/.test(next) ? [next, place + 2] : [char, place + 1];
    }
    case "`":
      return codeSpanAt(text, place);
    case "*":
    case "_":
      return emphasisAt(text, place, char);
    case "[":
      return linkAt(text, place);
    case "!":
      return text[place + 1] === "[" ? pictureAt(text, place) : [char, place + 1];
    default:
      return addressAt(text, place);
  }
}

function seek(text: string, mark: string, from: number): number {
  const at = text.slice(from, from + SEEN_AHEAD).indexOf(mark);
  return at < 0 ? -1 : from + at;
}

function codeSpanAt(text: string, place: number): [Inline | string, number] {
  const mark = /^`{1,8}/.exec(text.slice(place, place + 8))?.[0] ?? "`";
  const end = seek(text, mark, place + mark.length);
  if (end < 0) return [mark, place + mark.length];
  const code = text.slice(place + mark.length, end);
  return [{ kind: "code", text: code.trim() || code }, end + mark.length];
}

function emphasisAt(text: string, place: number, char: string): [Inline | string, number] {
  const mark = text[place + 1] === char ? char + char : char;
  const from = place + mark.length;
  // In snake_case an underscore is a letter.
  const insideWord = char === "_" && /\w/.test(text[place - 1] ?? "");
  const end = insideWord || /\s/.test(text[from] ?? " ") ? -1 : seek(text, mark, from);
  if (end <= from || /\s/.test(text[end - 1] ?? "")) return [mark, from];
  const kind = mark.length === 2 ? "strong" : "em";
  return [{ kind, text: unmarked(text.slice(from, end)) }, end + mark.length];
}

const unmarked = (text: string): string => text.replace(/[`*]/g, "");

function linkAt(text: string, place: number): [Inline | string, number] {
  const close = seek(text, "](", place + 1);
  const end = close < 0 ? -1 : seek(text, ")", close + 2);
  if (end < 0) return ["[", place + 1];
  const label = text.slice(place + 1, close);
  if (label.includes("[")) return ["[", place + 1];
  const target =
    text
      .slice(close + 2, end)
      .trim()
      .split(/\s/)[0] ?? "";
  const href = safe(target);
  // An address that is not followed is told, so that nothing is hidden behind words.
  if (href === null) return [`${unmarked(label)} (${target})`, end + 1];
  return [{ kind: "link", text: unmarked(label) || target, href }, end + 1];
}

function pictureAt(text: string, place: number): [Inline | string, number] {
  const [link, next] = linkAt(text, place + 1);
  if (next === place + 2) return ["!", place + 1];
  return [`(picture: ${typeof link === "string" ? link : link.text})`, next];
}

function addressAt(text: string, place: number): [Inline | string, number] {
  ADDRESS.lastIndex = place;
  const address = (ADDRESS.exec(text)?.[0] ?? "").replace(/[.,;:!?]+$/, "");
  const href = safe(address);
  if (href === null || address.length < 9) return [text[place] ?? "", place + 1];
  return [{ kind: "link", text: address, href }, place + address.length];
}

const LEADS_OUT = /^(?:https?:\/\/|mailto:)/i;

/** The address if it may be followed, or null. */
export function safe(target: string): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  if (!LEADS_OUT.test(target) || /[\u0000-\u0020\u007f-\u009f]/.test(target)) return null;
  try {
    const { protocol, href } = new URL(target);
    return ["http:", "https:", "mailto:"].includes(protocol) ? href : null;
  } catch {
    return null;
  }
}
