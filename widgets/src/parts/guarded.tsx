import type { ComponentChildren, JSX } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { line } from "../words";
import { Button } from "./button";

/** A part of a view; if it cannot be drawn it says why, and the parts around it go on. */
export function Guarded({ children }: { children: ComponentChildren }): JSX.Element {
  // For whoever mends it: a boundary would hide it from the console.
  const [error, again] = useErrorBoundary((raised) => reportError(raised));
  if (error === undefined) return <>{children}</>;
  return (
    <section class="block stale" role="alert">
      <p>
        <b>This part of the view cannot be drawn</b>: {line(String(error), 300)}. The mission
        itself is not affected. <Button onClick={() => again()}>Draw it again</Button>
      </p>
    </section>
  );
}
