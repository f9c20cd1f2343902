import type { JSX } from "preact";
import type { Shown } from "../protocol";
import { grouped, line, shown } from "../words";
import type { Column } from "./heads";
import { useMore } from "./more";
import { QuietLine } from "./quiet";
import { Scrolled } from "./scrolled";
import { Table } from "./table";

type Rows = Extract<Shown, { kind: "table" }>;

const STEP = 20;

/** Rows and columns, with the index of a DataFrame as heads of the rows. */
export function DataTable({ of, label }: { of: Rows; label: string }): JSX.Element {
  const more = useMore(STEP);
  const indexed = of.index.length > 0;
  if (of.columns.length === 0)
    return <QuietLine>It has {grouped(of.total)} rows and no columns.</QuietLine>;
  return (
    <>
      <Scrolled label={line(label)}>
        <Table
          look="data"
          label={line(label)}
          of={[
            ...(indexed ? [<span class="vh">index</span>] : []),
            ...of.columns.map(
              ({ name, kind }): Column => [shown(name), kind === "number" ? "num" : ""],
            ),
          ]}
        >
          {of.rows.slice(0, more.shown).map((row, number) => (
            <tr key={number}>
              {indexed && (
                <th scope="row" class="index">
                  {shown(of.index[number] ?? "")}
                </th>
              )}
              {row.map((cell, place) => (
                <td key={place} class={of.columns[place]?.kind === "number" ? "num" : "cell"}>
                  {shown(cell)}
                </td>
              ))}
            </tr>
          ))}
        </Table>
      </Scrolled>
      {of.total === 0 && <QuietLine>It has no rows.</QuietLine>}
      {more.button(of.rows.length, "row")}
      {of.note && <QuietLine>{shown(of.note)}</QuietLine>}
    </>
  );
}
