import type { JSX } from "preact";
import { line } from "../words";

interface Props {
  of: readonly (readonly [value: string, said: string])[];
}

/** What can be chosen from, inside of a `select` or a `datalist`. */
export function Options({ of }: Props): JSX.Element {
  return (
    <>
      {of.map(([value, said]) => (
        <option key={value} value={value}>
          {line(said)}
        </option>
      ))}
    </>
  );
}
