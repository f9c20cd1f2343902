import type { ComponentChildren, JSX } from "preact";

/** What a column is called; and, beside it, the class of its head. */
export type Column = ComponentChildren | readonly [said: ComponentChildren, style: string];

interface Props {
  of: readonly Column[];
  /** The number of this row, where not all rows are in the page. */
  index?: number | undefined;
}

/** The heads of a table's columns; one without a name stands over the heads of the rows. */
export function Heads({ of, index }: Props): JSX.Element {
  return (
    <thead>
      <tr aria-rowindex={index}>
        {of.map((column, place) => {
          if (column === "") return <td key={place} />;
          const [said, style] = Array.isArray(column) ? column : [column];
          return (
            <th key={place} scope="col" class={style}>
              {said}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
