import type { JSX } from "preact";
import type { MarkdownBlock, MarkdownLine, MarkdownList, MarkdownPiece } from "../protocol";
import { shown } from "../words";
import { Scrolled } from "./scrolled";
import { Table } from "./table";

const TEXT_CUT_AT = 20_000;
/** Where a link may lead, whoever has read it. */
const LEADS_OUT = /^(https?:\/\/|mailto:)/i;

/** Markdown, which the kernel has read: as elements of this view's own, whatever is in it. */
export function Markdown({ blocks }: { blocks: readonly MarkdownBlock[] }): JSX.Element {
  return (
    <div class="markdown" dir="auto">
      {blocks.map((block, place) => (
        <Block key={place} of={block} />
      ))}
    </div>
  );
}

function Block({ of }: { of: MarkdownBlock }): JSX.Element {
  switch (of.kind) {
    case "heading":
      return <h5 class={of.top ? "md-1" : undefined}>{said(of.line)}</h5>;
    case "code":
      return (
        <Scrolled label="Code" boxed>
          <pre dir="ltr">{shown(of.text, TEXT_CUT_AT)}</pre>
        </Scrolled>
      );
    case "list":
      return <List of={of} />;
    case "quote":
      return <blockquote>{said(of.line)}</blockquote>;
    case "table":
      return <Rows heads={of.heads} rows={of.rows} />;
    case "rule":
      return <hr />;
    default:
      return <p>{said(of.line)}</p>;
  }
}

function List({ of }: { of: MarkdownList }): JSX.Element {
  const items = of.items.map(({ line, inner }, place) => (
    <li key={place}>
      {said(line)}
      {inner && <List of={inner} />}
    </li>
  ));
  return of.ordered ? <ol start={of.start}>{items}</ol> : <ul>{items}</ul>;
}

interface TableProps {
  heads: readonly MarkdownLine[];
  rows: readonly (readonly MarkdownLine[])[];
}

function Rows({ heads, rows }: TableProps): JSX.Element {
  return (
    <Scrolled label="Table">
      <Table of={heads.map((cell) => <>{said(cell)}</>)}>
        {rows.map((row, number) => (
          <tr key={number}>
            {row.map((cell, place) => (
              <td key={place}>{said(cell)}</td>
            ))}
          </tr>
        ))}
      </Table>
    </Scrolled>
  );
}

const said = (line: MarkdownLine): (JSX.Element | string)[] => line.map(piece);

function piece(of: MarkdownPiece, place: number): JSX.Element | string {
  const text = (it: string): string => shown(it, TEXT_CUT_AT);
  if (typeof of === "string") return text(of);
  if ("code" in of) return <code key={place}>{text(of.code)}</code>;
  if ("strong" in of) return <strong key={place}>{text(of.strong)}</strong>;
  if ("em" in of) return <em key={place}>{text(of.em)}</em>;
  if (!LEADS_OUT.test(of.href)) return text(of.link);
  return (
    <a key={place} href={of.href} target="_blank" rel="noopener noreferrer nofollow">
      {text(of.link)}
    </a>
  );
}
