import type { JSX } from "preact";
import { useHere } from "../here";

export function Board(): JSX.Element {
  const { mission } = useHere();
  return <section class="block">{mission.facts.value.short_id}</section>;
}
