import { useEffect } from "preact/hooks";
import { focusedBeside } from "./lost-focus";

/**
 * Keep what has the focus where it is on the screen while something above it grows or goes, as
 * notices of edits do: the page is scrolled by as much as it was moved. Browsers do so by
 * themselves only in some of the places where a view may stand.
 */
export function useKeptPlace(root: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const element = root.current;
    const view = element?.closest<HTMLElement>(".hypernb, .mission") ?? element;
    if (!element || !view) return;
    let held: Element | null = null;
    let top = 0;
    let height = 0;
    const look = (): void => {
      const focused = focusedBeside(element);
      held = element.contains(focused) ? focused : null;
      top = held?.getBoundingClientRect().top ?? 0;
      height = view.offsetHeight;
    };
    const settle = (): void => {
      if (held?.isConnected && element.contains(held)) {
        const moved = held.getBoundingClientRect().top - top;
        if (Math.abs(moved) >= 1) scrollerOf(view).scrollTop += moved;
      }
      look();
    };
    // What a person scrolls is no move to be undone; what a browser scrolls because something
    // has grown is, where it does not make up for all of it.
    const onScroll = (): void => {
      if (view.offsetHeight === height) look();
      else settle();
    };
    const listens = { capture: true, passive: true };
    const observer = new ResizeObserver(settle);
    observer.observe(view);
    element.addEventListener("focusin", look);
    document.addEventListener("scroll", onScroll, listens);
    return () => {
      observer.disconnect();
      element.removeEventListener("focusin", look);
      document.removeEventListener("scroll", onScroll, listens);
    };
  }, []);
}

function scrollerOf(element: Element): Element {
  for (let up = element.parentElement; up; up = up.parentElement) {
    const { overflowY } = getComputedStyle(up);
    const scrolls = overflowY === "auto" || overflowY === "scroll";
    if (scrolls && up.scrollHeight > up.clientHeight) return up;
  }
  return document.scrollingElement ?? document.documentElement;
}
