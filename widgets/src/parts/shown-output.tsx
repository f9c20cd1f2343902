import type { JSX } from "preact";
import type { Shown, ShownPart } from "../protocol";
import { line, shown } from "../words";
import { DataTable } from "./data-table";
import { Diff } from "./diff";
import { FindingsTable } from "./findings-table";
import { Markdown } from "./markdown";
import { QuietLine } from "./quiet";
import { Scrolled } from "./scrolled";

const TEXT_CUT_AT = 120_000;
const DEEPEST = 6;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

interface Props {
  of: Shown;
  label: string;
  /** Folder that paths in it are relative to. */
  root: string;
  depth?: number;
}

/** An output by its kind. Text stays text: no element is ever made of what is in it. */
export function ShownOutput({ of, label, root, depth = 0 }: Props): JSX.Element {
  switch (of.kind) {
    case "table":
      return <DataTable of={of} label={label} />;
    case "findings":
      return <FindingsTable findings={of} root={root} label={label} />;
    case "markdown":
      return <Markdown blocks={of.blocks} />;
    case "diff":
      return <Diff text={of.text} label={label} />;
    case "text":
      return <Text text={of.text} label={label} note={of.note} />;
    case "json":
      return <Text text={of.text} label={label} note="" />;
    case "image":
      return <Picture of={of} />;
    case "report":
      return <Report of={of} label={label} root={root} depth={depth} />;
    case "none":
      return <p>{shown(of.why)}</p>;
    default:
      return <QuietLine>This view does not know how to show it.</QuietLine>;
  }
}

function Text(props: { text: string; label: string; note: string }): JSX.Element {
  if (props.text.trim() === "") return <QuietLine>It is empty.</QuietLine>;
  return (
    <>
      <Scrolled label={props.label} boxed>
        <pre dir="auto">{shown(props.text, TEXT_CUT_AT)}</pre>
      </Scrolled>
      {props.note && <QuietLine>{shown(props.note)}</QuietLine>}
    </>
  );
}

function Picture({ of }: { of: Extract<Shown, { kind: "image" }> }): JSX.Element {
  const known = of.media_type === "image/png" || of.media_type === "image/jpeg";
  if (!known || !BASE64.test(of.data)) return <QuietLine>It is no picture.</QuietLine>;
  return (
    <img class="picture" src={`data:${of.media_type};base64,${of.data}`} alt={line(of.alt)} />
  );
}

function Report({
  of,
  label,
  root,
  depth,
}: {
  of: Extract<Shown, { kind: "report" }>;
  label: string;
  root: string;
  depth: number;
}): JSX.Element {
  if (depth >= DEEPEST) return <QuietLine>It goes on inside.</QuietLine>;
  return (
    <>
      {of.summary && <p dir="auto">{shown(of.summary)}</p>}
      {of.parts.map((part, place) => (
        <Part key={place} part={part} label={label} root={root} depth={depth + 1} />
      ))}
    </>
  );
}

interface PartProps {
  part: ShownPart;
  label: string;
  root: string;
  depth: number;
}

function Part({ part, label, root, depth }: PartProps): JSX.Element {
  const title = line(part.title) || "Untitled";
  return (
    <div class="part">
      <h5>
        {title}
        {part.what && <span class="aside">{line(part.what)}</span>}
      </h5>
      <ShownOutput of={part.shown} label={`${label}: ${title}`} root={root} depth={depth} />
    </div>
  );
}
