import type { ComponentChildren, JSX } from "preact";

interface Props {
  label: string;
  /** Drawn as a box, for text that may be long. */
  boxed?: boolean;
  children: ComponentChildren;
}

/** What may be larger than its room; it can be scrolled by keyboard too. */
export function Scrolled({ label, boxed, children }: Props): JSX.Element {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields, a section a landmark.
    <div
      role="group"
      class={boxed ? "scroll boxed" : "scroll"}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without it, no key scrolls it.
      tabIndex={0}
    >
      {children}
    </div>
  );
}
