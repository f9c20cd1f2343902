/**
 * What the program around the page can do for a view: open a file at a line. Every door is
 * tried for what it is; where there is none, a view shows the path as text.
 */
import type { FrontEndModel } from "./model";

/** Opens a file of the server's; the path is relative to the folder that it serves. */
interface CommandsOfLab {
  commands?: { execute?: (id: string, args: Record<string, unknown>) => Promise<unknown> };
}

interface ManagerOfLab {
  rendermime?: {
    linkHandler?: {
      handleLink?: (node: HTMLElement, path: string, id?: string) => void;
    } | null;
  };
}

interface OpenedDocument {
  setFragment?: (fragment: string) => unknown;
}

/** How a file can be opened here: at a press of a button, or by what marks the button. */
export interface Door {
  /** Opens the file; null where the button is marked instead. */
  open: ((path: string, line: number | null) => Promise<void>) | null;
  /** Marks a button, so that pressing it opens the file. */
  mark: ((button: HTMLElement, path: string, line: number | null) => void) | null;
}

let manager: ManagerOfLab | null = null;

/** Take note of what came with a widget's model. */
export function noteFrontEnd(model: FrontEndModel): void {
  if (typeof model.widget_manager === "object" && model.widget_manager !== null)
    manager = model.widget_manager as ManagerOfLab;
}

/** The door to the program around; null if there is none. */
export function door(): Door | null {
  const app = (globalThis as { jupyterapp?: CommandsOfLab }).jupyterapp;
  const commands = app?.commands;
  if (typeof commands?.execute === "function") {
    return { mark: null, open: (path, line) => openByCommand(commands, path, line) };
  }
  const handler = manager?.rendermime?.linkHandler;
  if (typeof handler?.handleLink === "function") {
    return {
      open: null,
      mark: (button, path, line) => handler.handleLink?.(button, path, fragment(line)),
    };
  }
  return null;
}

async function openByCommand(
  commands: NonNullable<CommandsOfLab["commands"]>,
  path: string,
  line: number | null,
): Promise<void> {
  const opened = await commands.execute?.("docmanager:open", { path });
  if (line === null) return;
  const document = opened as OpenedDocument | undefined;
  if (typeof document?.setFragment === "function") await document.setFragment(fragment(line));
  else await commands.execute?.("fileeditor:go-to-line", { line, column: 0 });
}

/** JupyterLab's editor counts the lines of a fragment from 0. */
function fragment(line: number | null): string {
  return line === null ? "" : `#line=${line - 1}`;
}

/**
 * Where a file lies for the server; null if it is not known, or outside of what it serves.
 *
 * The server says which folder it serves, with `~` for the home of whoever runs it.
 */
export function servedPath(root: string, path: string): string | null {
  const served = servedFolder();
  if (served === null || path === "") return null;
  const wanted = plain(/^(\/|[A-Za-z]:)/.test(path) ? path : `${root}/${path}`);
  const folder = plain(served);
  const whole = folder.startsWith("~") ? wanted.replace(HOME, "~") : wanted;
  if (whole.split("/").includes("..")) return null;
  if (folder === "") return whole.replace(/^\//, "");
  return whole.startsWith(`${folder}/`) ? whole.slice(folder.length + 1) : null;
}

const HOME = /^(\/root|\/(?:home|Users)\/[^/]+|[A-Za-z]:\/Users\/[^/]+)(?=\/|$)/;

function plain(path: string): string {
  return path
    .replace(/\\/g, "/")
    .replace(/\/(\.?\/)+/g, "/")
    .replace(/\/$/, "");
}

function servedFolder(): string | null {
  const said = document.getElementById("jupyter-config-data")?.textContent;
  if (!said) return null;
  try {
    const folder = (JSON.parse(said) as { serverRoot?: unknown }).serverRoot;
    return typeof folder === "string" ? folder : null;
  } catch {
    return null;
  }
}
