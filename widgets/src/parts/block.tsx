import type { ComponentChildren, JSX } from "preact";

interface TitleProps {
  /** What is said of it in the same line. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Title({ aside, children }: TitleProps): JSX.Element {
  return (
    <h4 class="h">
      {children}
      {aside && <span class="aside">{aside}</span>}
    </h4>
  );
}

interface Props extends TitleProps {
  title: ComponentChildren;
}

/** A part of a view below a heading of its own. */
export function Block({ title, aside, children }: Props): JSX.Element {
  return (
    <div class="block">
      <Title aside={aside}>{title}</Title>
      {children}
    </div>
  );
}
