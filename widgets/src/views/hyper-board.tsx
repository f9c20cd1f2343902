import type { JSX } from "preact";
import type { Connection } from "../connection";

export function HyperBoardView({ connection }: { connection: Connection }): JSX.Element {
  return <section class="block">{connection.missions.value?.total ?? 0}</section>;
}
