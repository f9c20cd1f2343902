import type { JSX } from "preact";
import type { Shown } from "../protocol";
import { grouped, line, shown } from "../words";
import { type Column, Heads } from "./heads";
import { useMore } from "./more";
import { Scrolled } from "./scrolled";

type Table = Extract<Shown, { kind: "table" }>;

const STEP = 20;

/** Rows and columns, with the index of a DataFrame as heads of the rows. */
export function DataTable({ of, label }: { of: Table; label: string }): JSX.Element {
  const more = useMore(STEP);
  const indexed = of.index.length > 0;
  if (of.columns.length === 0)
    return <p class="quiet">It has {grouped(of.total)} rows and no columns.</p>;
  return (
    <>
      <Scrolled label={line(label)}>
        <table class="t data" aria-label={line(label)}>
          <Heads
            of={[
              ...(indexed ? [<span class="vh">index</span>] : []),
              ...of.columns.map(
                ({ name, kind }): Column => [shown(name), kind === "number" ? "num" : ""],
              ),
            ]}
          />
          <tbody>
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
          </tbody>
        </table>
      </Scrolled>
      {of.total === 0 && <p class="quiet">It has no rows.</p>}
      {more.button(of.rows.length, "row")}
      {of.note && <p class="quiet">{shown(of.note)}</p>}
    </>
  );
}
