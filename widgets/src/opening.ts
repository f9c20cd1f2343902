import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Connection } from "./connection";
import { reasonOf } from "./link";

export interface Opening {
  /** Short id of the mission that this view shows; null while it shows the list. */
  readonly opened: Signal<string | null>;
  /** Whether the kernel has been asked for it and has not answered yet. */
  readonly asking: Signal<boolean>;
  /** Why the last one could not be opened; empty if nothing is wrong. */
  readonly refused: Signal<string>;
  readonly open: (ref: string) => void;
  readonly back: () => void;
  /** Belongs to the list's heading, which takes the focus when one comes back. */
  readonly heading: { current: HTMLHeadingElement | null };
}

/**
 * Open one mission of a list inside of it, and go back to the list.
 *
 * The kernel has one mission open in a list, and a list may have several views. So the last
 * view on the page that shows it closes it; a view elsewhere is told and may open it again.
 */
export function useOpening(connection: Connection): Opening {
  const opened = useSignal<string | null>(null);
  const asking = useSignal(false);
  const refused = useSignal("");
  const heading = useRef<HTMLHeadingElement>(null);
  const cameBack = useRef(false);
  const asked = useRef(0);

  const leave = (): void => {
    cameBack.current = true;
    opened.value = null;
  };
  const ask = async (mission: string | null): Promise<void> => {
    asked.current += 1;
    const mine = asked.current;
    asking.value = true;
    let why = "";
    try {
      await connection.link.ask("open", { mission });
    } catch (error) {
      why = reasonOf(error);
    }
    if (mine !== asked.current) return;
    asking.value = false;
    if (why === "") return;
    refused.value = why;
    opened.value = null;
  };
  useEffect(() => {
    if (opened.value !== null || !cameBack.current) return;
    cameBack.current = false;
    heading.current?.focus();
  }, [opened.value]);
  useEffect(
    () => (opened.value === null ? undefined : connection.hold(opened.value)),
    [opened.value],
  );
  const news = connection.opened.value;
  useEffect(() => {
    // It was closed because it cannot be shown, and not by anybody.
    if (opened.peek() === null || !news?.why) return;
    refused.value = news.why;
    leave();
  }, [news]);
  return {
    opened,
    asking,
    refused,
    heading,
    open: (ref) => {
      refused.value = "";
      opened.value = ref;
      void ask(ref);
    },
    back: () => {
      const ref = opened.peek();
      leave();
      if (ref === null || (connection.holds.get(ref) ?? 0) > 1) return;
      if ((connection.opened.peek()?.mission ?? ref) === ref) void ask(null);
    },
  };
}
