import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { line } from "../words";
import { Button } from "./button";
import { Quiet } from "./quiet";

const SAID_FOR_MS = 3_000;

interface Props {
  text: string;
  /** What is said of it to those who do not see it; the text itself if nothing else. */
  name?: string;
}

/** Copies a text; says for a while that it did, or that it could not. */
export function CopyButton({ text, name = text }: Props): JSX.Element {
  const said = useSignal("");
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    said.value = (await copied(text)) ? "Copied" : "Not copied: select it and copy it";
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      said.value = "";
    }, SAID_FOR_MS) as unknown as number;
  };
  return (
    <span class="copy">
      <Button small aria-label={`Copy ${line(name)}`} onClick={() => void copy()}>
        Copy
      </Button>
      <Quiet role="status">{said.value}</Quiet>
    </span>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard without https, and none in some frames.
    return copiedTheOldWay(text);
  }
}

function copiedTheOldWay(text: string): boolean {
  const field = document.createElement("textarea");
  const before = document.activeElement;
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
