import type { JSX } from "preact";
import { useHere } from "../here";
import { openTask } from "../ui";
import { line } from "../words";
import { Button } from "./button";

/** The name of a task; pressing it marks the task in every part of this view and opens it. */
export function TaskLink({ name }: { name: string }): JSX.Element {
  const { ui } = useHere();
  return (
    <Button class="link name" onClick={() => openTask(ui, name)}>
      {line(name)}
    </Button>
  );
}
