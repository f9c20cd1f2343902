import type { ComponentChildren, JSX } from "preact";
import { type Column, Heads } from "./heads";

interface Props {
  of: readonly Column[];
  /** Classes besides the one that all tables have. */
  look?: string;
  label?: string;
  "aria-labelledby"?: string;
  /** The rows. */
  children: ComponentChildren;
}

/** Rows below the heads of their columns. */
export function Table({ of, look = "", label, children, ...rest }: Props): JSX.Element {
  return (
    <table class={`t ${look}`} aria-label={label} {...rest}>
      <Heads of={of} />
      <tbody>{children}</tbody>
    </table>
  );
}
