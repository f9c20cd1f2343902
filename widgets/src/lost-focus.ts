import { useEffect, useRef } from "preact/hooks";

/**
 * Tells whether what had the focus inside of an element has gone from the page, and nothing
 * outside of it has the focus since. To be asked when something was drawn, in a layout effect;
 * it says so once.
 */
export function useLostFocus(root: { readonly current: HTMLElement | null }): () => boolean {
  const last = useRef<Element | null>(null);
  useEffect(() => {
    const element = root.current;
    const remember = ({ target }: Event): void => {
      last.current = target as Element;
    };
    element?.addEventListener("focusin", remember);
    return () => element?.removeEventListener("focusin", remember);
  }, []);
  return () => {
    if (last.current === null || last.current.isConnected) return false;
    last.current = null;
    return isFree(root.current);
  };
}

/** Whether nobody who has gone elsewhere would be called back by taking the focus. */
export function isFree(root: HTMLElement | null): boolean {
  if (root === null) return false;
  const now = focusedBeside(root);
  return now === null || now === document.body || root.contains(now);
}

/** What has the focus in the page, or in the part of it with a root of its own. */
export function focusedBeside(element: Element): Element | null {
  return (element.getRootNode() as Document | ShadowRoot).activeElement;
}
