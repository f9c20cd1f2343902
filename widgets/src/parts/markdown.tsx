import type { JSX } from "preact";
import { type Block, blocks, type Inline, inlines, type List } from "../markdown";
import { shown } from "../words";
import { Scrolled } from "./scrolled";

const TEXT_CUT_AT = 20_000;

/** Markdown as elements of this view's own; what looks like HTML in it stays text. */
export function Markdown({ text }: { text: string }): JSX.Element {
  return (
    <div class="markdown" dir="auto">
      {blocks(text).map((block, place) => (
        <BlockOf key={place} block={block} />
      ))}
    </div>
  );
}

function BlockOf({ block }: { block: Block }): JSX.Element {
  switch (block.kind) {
    case "heading":
      return block.rank === 0 ? (
        <h5 class="md-1">
          <Line text={block.text} />
        </h5>
      ) : (
        <h5>
          <Line text={block.text} />
        </h5>
      );
    case "code":
      return <Code text={block.text} />;
    case "list":
      return <Items list={block} />;
    case "quote":
      return (
        <blockquote>
          <Line text={block.text} />
        </blockquote>
      );
    case "table":
      return <Table block={block} />;
    case "rule":
      return <hr />;
    default:
      return (
        <p>
          <Line text={block.text} />
        </p>
      );
  }
}

function Code({ text }: { text: string }): JSX.Element {
  return (
    <Scrolled label="Code" boxed>
      <pre dir="ltr">{shown(text, TEXT_CUT_AT)}</pre>
    </Scrolled>
  );
}

function Items({ list }: { list: List }): JSX.Element {
  const items = list.items.map((item, place) => (
    <li key={place}>
      <Line text={item.text} />
      {item.inner && <Items list={item.inner} />}
    </li>
  ));
  return list.ordered ? <ol start={list.start}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ block }: { block: Extract<Block, { kind: "table" }> }): JSX.Element {
  return (
    <Scrolled label="Table">
      <table class="t">
        <thead>
          <tr>
            {block.heads.map((cell, place) => (
              <th key={place} scope="col">
                <Line text={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, number) => (
            <tr key={number}>
              {row.map((cell, place) => (
                <td key={place}>
                  <Line text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function Line({ text }: { text: string }): JSX.Element {
  return <>{inlines(text).map(piece)}</>;
}

function piece(inline: Inline, place: number): JSX.Element | string {
  const said = shown(inline.text, TEXT_CUT_AT);
  switch (inline.kind) {
    case "code":
      return <code key={place}>{said}</code>;
    case "strong":
      return <strong key={place}>{said}</strong>;
    case "em":
      return <em key={place}>{said}</em>;
    case "link":
      return (
        <a key={place} href={inline.href} target="_blank" rel="noopener noreferrer nofollow">
          {said}
        </a>
      );
    default:
      return said;
  }
}
