import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Finding, Findings } from "../protocol";
import { grouped, line, shown } from "../words";
import { Button } from "./button";
import { FileLink } from "./file-link";
import { useMore } from "./more";
import { Quiet, QuietLine } from "./quiet";
import { LEVELS, Severity } from "./severity";

const STEP = 25;
const CUT_AT = 1_000;

type Key = "severity" | "rule" | "where" | "text" | "who";

interface Order {
  key: Key;
  down: boolean;
}

interface Head {
  key: Key;
  label: string;
  /** Left out where there is little room; the finding's own cell then says it. */
  wide?: boolean;
}

const HEADS: readonly Head[] = [
  { key: "severity", label: "Severity" },
  { key: "rule", label: "Rule", wide: true },
  { key: "where", label: "Where", wide: true },
  { key: "text", label: "Finding" },
  { key: "who", label: "Agent and tool", wide: true },
];

interface Props {
  findings: Findings;
  /** Folder that their paths are relative to. */
  root: string;
  label: string;
  /** How to get all of them; empty if there is no way to name. */
  python?: string;
}

/** Findings, most severe first until one sorts them by another column. */
export function FindingsTable({ findings, root, label, python }: Props): JSX.Element {
  const order = useSignal<Order>({ key: "severity", down: true });
  const more = useMore(STEP);
  const { rows, total } = findings;
  const sorted = ordered(rows, order.value);
  return (
    <>
      <table class="t findings" aria-label={line(label)}>
        <thead>
          <tr>
            {HEADS.map((head) => (
              <SortHead key={head.key} head={head} order={order} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, more.shown).map((finding, place) => (
            <Row key={place} finding={finding} root={root} />
          ))}
        </tbody>
      </table>
      {more.button(rows.length, "finding")}
      {rows.length < total && (
        <QuietLine>
          The {grouped(rows.length)} most severe of {grouped(total)} findings are listed.
          {python && (
            <>
              {" All of them: "}
              <code>{line(python)}</code>.
            </>
          )}
        </QuietLine>
      )}
    </>
  );
}

function SortHead({ head, order }: { head: Head; order: Signal<Order> }): JSX.Element {
  const { key, down } = order.value;
  const sorts = key === head.key;
  const press = (): void => {
    // What is worst, or first in the alphabet, comes first at the first press.
    order.value = sorts
      ? { key: head.key, down: !down }
      : { key: head.key, down: head.key === "severity" };
  };
  return (
    <th
      scope="col"
      class={head.wide ? "wide-only" : ""}
      aria-sort={sorts ? (down ? "descending" : "ascending") : undefined}
    >
      <Button class="sort" onClick={press}>
        {head.label} <span aria-hidden="true">{sorts ? (down ? "↓" : "↑") : "↕"}</span>
      </Button>
    </th>
  );
}

function Row({ finding, root }: { finding: Finding; root: string }): JSX.Element {
  const rule = line(finding.rule || finding.category, 120);
  const where = (
    <FileLink root={root} path={finding.path} line={finding.line} cell={finding.cell} />
  );
  return (
    <tr>
      <td class="nowrap">
        <Severity level={finding.severity} />
      </td>
      <td class="wide-only rule">
        <code>{rule}</code>
      </td>
      <td class="wide-only where">{where}</td>
      <td class="said" dir="auto">
        {shown(finding.text, CUT_AT)}
        <span class="narrow-only">
          <code>{rule}</code> {where} <Quiet>{who(finding)}</Quiet>
        </span>
      </td>
      <td class="wide-only">{who(finding)}</td>
    </tr>
  );
}

function who(finding: Finding): string {
  return [line(finding.agent, 120), line(finding.tool, 80)].filter(Boolean).join(", ");
}

function ordered(rows: readonly Finding[], { key, down }: Order): Finding[] {
  const by = COMPARE[key];
  return [...rows].sort((one, other) => (down ? -by(one, other) : by(one, other)));
}

const rank = (finding: Finding): number => LEVELS.length - LEVELS.indexOf(finding.severity);
const text =
  (of: (finding: Finding) => string) =>
  (one: Finding, other: Finding): number =>
    of(one).localeCompare(of(other), "en");
const byPath = text((finding) => finding.path);

const COMPARE: Readonly<Record<Key, (one: Finding, other: Finding) => number>> = {
  severity: (one, other) => rank(one) - rank(other),
  rule: text((finding) => finding.rule || finding.category),
  where: (one, other) =>
    byPath(one, other) ||
    (one.cell ?? 0) - (other.cell ?? 0) ||
    (one.line ?? 0) - (other.line ?? 0),
  text: text((finding) => finding.text),
  who: text(who),
};
