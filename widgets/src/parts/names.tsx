import type { JSX } from "preact";
import { grouped } from "../words";
import { TaskLink } from "./task-link";

const NAMED = 2;

/** Names of tasks as a sentence lists them: `a, b and 3 more`. */
export function Names({ of }: { of: readonly string[] }): JSX.Element {
  const shown = of.slice(0, NAMED);
  const rest = of.length - shown.length;
  const items = shown.map((name) => <TaskLink key={name} name={name} />);
  if (rest > 0) items.push(<span key="">{grouped(rest)} more</span>);
  return (
    <>
      {items.flatMap((item, index) => {
        if (index === 0) return [item];
        return [index === items.length - 1 ? " and " : ", ", item];
      })}
    </>
  );
}
