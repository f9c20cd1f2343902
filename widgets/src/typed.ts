import type { Signal } from "@preact/signals";

interface Typed {
  readonly currentTarget: { readonly value: string };
}

/** Puts what a field has in it into a signal. */
export const into =
  (kept: Signal<string>) =>
  ({ currentTarget }: Typed): void => {
    kept.value = currentTarget.value;
  };
