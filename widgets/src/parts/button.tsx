import type { ComponentProps, JSX } from "preact";

interface Props extends Omit<ComponentProps<"button">, "type" | "ref"> {
  small?: boolean;
}

/** A button; as most of them look, where no class says another. */
export function Button({ small, ...rest }: Props): JSX.Element {
  return <button type="button" class={small ? "btn small" : "btn"} {...rest} />;
}
