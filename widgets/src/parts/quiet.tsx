import type { ComponentProps, JSX } from "preact";

/** Words that are less than what stands around them. */
export function Quiet(more: ComponentProps<"span">): JSX.Element {
  return <span class="quiet" {...more} />;
}

/** The same as a paragraph. */
export function QuietLine(more: ComponentProps<"p">): JSX.Element {
  return <p class="quiet" {...more} />;
}
