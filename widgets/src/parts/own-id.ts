import { useMemo } from "preact/hooks";

// Preact's own `useId` counts anew in each root, and a notebook has many widgets on one page;
// each of them may have loaded this module for itself.
const HERE = Math.random().toString(36).slice(2, 10);
let last = 0;

/** An id that nothing else on the page has, the same for as long as the component is there. */
export function useOwnId(): string {
  return useMemo(() => {
    last += 1;
    return `hypernb-${HERE}-${last}`;
  }, []);
}
