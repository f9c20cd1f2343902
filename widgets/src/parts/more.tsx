import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { count, grouped } from "../words";
import { Button } from "./button";

/** So many of a list, or as many as have to be there, and a button for more of it. */
export function useMore(
  step: number,
  least = 0,
): {
  shown: number;
  button: (total: number, one: string, many?: string) => JSX.Element | null;
} {
  const asked = useSignal(step);
  const shown = Math.max(asked.value, least);
  return {
    shown,
    button: (total, one, many) => {
      const rest = total - shown;
      if (rest <= 0) return null;
      const next = Math.min(step, rest);
      return (
        <Button
          small
          onClick={() => {
            asked.value = shown + step;
          }}
        >
          Show {saying(next, rest, one, many)}
        </Button>
      );
    },
  };
}

function saying(next: number, rest: number, one: string, many?: string): string {
  return next < rest
    ? `${count(next, `more ${one}`, many && `more ${many}`)} (${grouped(rest)} left)`
    : `the other ${count(rest, one, many)}`;
}
