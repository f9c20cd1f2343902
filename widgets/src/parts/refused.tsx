import type { JSX } from "preact";
import { shown } from "../words";

/** Why the kernel did not do what it was asked for; nothing if it did. */
export function Refused({ why }: { why: string }): JSX.Element | null {
  if (why === "") return null;
  return (
    <p class="refused" role="alert">
      {shown(why)}
    </p>
  );
}
