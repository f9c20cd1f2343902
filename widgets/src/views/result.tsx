import type { JSX } from "preact";
import { useHere } from "../here";

export function Result(): JSX.Element {
  const { mission } = useHere();
  return <section class="block">{mission.facts.value.short_id}</section>;
}
