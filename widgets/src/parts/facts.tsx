import type { ComponentChildren, JSX } from "preact";
import type { Fact } from "../protocol";
import { shown } from "../words";
import { Said } from "./phrase";

/** Labels with what is said of each. */
export function Facts({ facts }: { facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="kv">
      {facts.map((fact) => (
        <Row key={fact.label} label={fact.label}>
          <Said phrase={fact.said} />
        </Row>
      ))}
    </dl>
  );
}

interface Props {
  label: string;
  /** Whether the label is something to type. */
  code?: boolean;
  children: ComponentChildren;
}

/** One label and what belongs to it, inside of a definition list. */
export function Row({ label, code, children }: Props): JSX.Element {
  return (
    <div class="row">
      <dt>{code ? <code>{shown(label)}</code> : shown(label)}</dt>
      <dd>{children}</dd>
    </div>
  );
}
