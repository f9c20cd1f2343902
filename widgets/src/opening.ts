import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Connection } from "./connection";
import { reasonOf } from "./link";

export interface Opening {
  /** Short id of the mission that is open; null while the list is shown. */
  readonly opened: Signal<string | null>;
  /** Why the last one could not be opened; empty if nothing is wrong. */
  readonly refused: Signal<string>;
  readonly open: (ref: string) => void;
  readonly back: () => void;
  /** Belongs to the list's heading, which takes the focus when one comes back. */
  readonly heading: { current: HTMLHeadingElement | null };
}

/** Open one mission of a list inside of it, and go back to the list. */
export function useOpening(connection: Connection): Opening {
  const opened = useSignal<string | null>(null);
  const refused = useSignal("");
  const heading = useRef<HTMLHeadingElement>(null);
  const cameBack = useRef(false);

  const ask = async (mission: string | null): Promise<void> => {
    try {
      await connection.link.ask("open", { mission });
    } catch (error) {
      refused.value = reasonOf(error);
      opened.value = null;
    }
  };
  useEffect(() => {
    if (opened.value !== null || !cameBack.current) return;
    cameBack.current = false;
    heading.current?.focus();
  }, [opened.value]);
  return {
    opened,
    refused,
    heading,
    open: (ref) => {
      refused.value = "";
      opened.value = ref;
      void ask(ref);
    },
    back: () => {
      cameBack.current = true;
      opened.value = null;
      void ask(null);
    },
  };
}
