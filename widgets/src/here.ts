import type { ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Link } from "./link";
import type { Mission } from "./mission";
import type { Ui } from "./ui";

/** What every part of a mission's view needs: the mission, the line to the kernel, the view. */
export interface Here {
  readonly mission: Mission;
  readonly link: Link;
  readonly ui: Ui;
  /** Why the view has ended; empty while it has not. */
  readonly closed?: ReadonlySignal<string>;
  /** Why the kernel cannot read the store just now; empty while it can. */
  readonly away?: ReadonlySignal<string>;
}

export const HereContext = createContext<Here | null>(null);

export function useHere(): Here {
  const here = useContext(HereContext);
  if (here === null) throw new Error("A part of a mission's view stands outside of one.");
  return here;
}
