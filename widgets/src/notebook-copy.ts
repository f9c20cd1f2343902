/**
 * Keeps the view in the notebook as plain HTML, so that a reader who opens it without this
 * kernel sees the view as it was, not "model not found".
 *
 * JupyterLab and Notebook 7 look a widget up by its id, first in the kernel, then in the
 * notebook's metadata. So at each save an entry of the core `HTML` widget is put there under
 * the id of this view. While the kernel has the view, the entry is passed over.
 */
import type { FrontEndModel } from "./model";

const STATE = "application/vnd.jupyter.widget-state+json";
const VIEW = "application/vnd.jupyter.widget-view+json";
const CONTROLS = "@jupyter-widgets/controls";

type Bag = Record<string, unknown>;

interface Entry {
  model_name: string;
  model_module: string;
  model_module_version: string;
  state: Bag;
}

interface Output {
  data?: Bag;
}
interface Cell {
  outputs?: { length: number; get(place: number): Output };
}
/** What is used of JupyterLab's notebook model. */
export interface NotebookModel {
  cells?: Iterable<Cell>;
  getMetadata(name: string): unknown;
  setMetadata(name: string, value: unknown): void;
  deleteMetadata(name: string): void;
}
type OnSave = (sender: unknown, state: unknown) => void;
/** What is used of JupyterLab's document context. */
export interface Context {
  model: NotebookModel;
  saveState: { connect(slot: OnSave): unknown; disconnect(slot: OnSave): unknown };
}

/** What is to be kept; null if nothing is, empty if it has not come yet. */
export type Keep = () => string | null;

export class NotebookCopy {
  readonly #model: FrontEndModel;
  readonly #keep: Keep;
  readonly #context: Context | null;

  constructor(model: FrontEndModel, keep: Keep) {
    this.#model = model;
    this.#keep = keep;
    this.#context = contextOf(model);
    this.#context?.saveState.connect(this.#onSave);
  }

  close(): void {
    this.#context?.saveState.disconnect(this.#onSave);
    this.#attempt();
  }

  readonly #onSave: OnSave = (_sender, state) => {
    if (state === "started") this.#attempt();
  };

  #attempt(): void {
    try {
      if (this.#context) this.#write(this.#context.model);
    } catch (error) {
      // A notebook that cannot keep a copy must still be saved.
      console.debug("hypernb: no copy was kept in the notebook.", error);
    }
  }

  #write(notebook: NotebookModel): void {
    const id = String(this.#model.get("own_id") ?? "");
    if (!id) return;
    const widgets = bag(notebook.getMetadata("widgets"));
    const before = bag(bag(widgets[STATE]).state);
    const shown = shownIn(notebook);
    const html = this.#keep();
    const entries = Object.entries(before).filter(([key]) => keeps(key, shown, before));
    const after: Bag = Object.fromEntries(entries);
    if (html !== null)
      Object.assign(after, entriesOf(id, html || besideView(notebook, id) || NO_COPY_YET));
    if (Object.keys(after).length > 0) {
      if (JSON.stringify(after) === JSON.stringify(before)) return;
      const state = {
        version_major: 2,
        version_minor: 0,
        ...bag(widgets[STATE]),
        state: after,
      };
      notebook.setMetadata("widgets", { ...widgets, [STATE]: state });
    } else if (Object.keys(before).length > 0) {
      const { [STATE]: _, ...rest } = widgets;
      if (Object.keys(rest).length > 0) notebook.setMetadata("widgets", rest);
      else notebook.deleteMetadata("widgets");
    }
  }
}

/** ipywidgets marks what has no kernel by a broken chain; the copy says itself what it is. */
const NO_CHAIN =
  "<style>.jupyter-widgets-disconnected:has(> * > .hypernb-copy)::before{display:none}</style>";

const NO_COPY_YET =
  "<p>A live view of hypernb was here when the notebook was saved. " +
  "Run the cell again to see it.</p>";

const layoutOf = (id: string): string => `${id}-hypernb-layout`;
const styleOf = (id: string): string => `${id}-hypernb-style`;

function entriesOf(id: string, html: string): Record<string, Entry> {
  return {
    [id]: entry(CONTROLS, "HTMLModel", {
      layout: `IPY_MODEL_${layoutOf(id)}`,
      style: `IPY_MODEL_${styleOf(id)}`,
      value: `${NO_CHAIN}<div class="hypernb-copy">${html}</div>`,
    }),
    [layoutOf(id)]: entry("@jupyter-widgets/base", "LayoutModel", {}),
    [styleOf(id)]: entry(CONTROLS, "HTMLStyleModel", {}),
  };
}

const entry = (module: string, name: string, state: Bag): Entry => ({
  model_name: name,
  model_module: module,
  model_module_version: "2.0.0",
  state,
});

/** Whether an entry stays: all do but those that a view of ours left behind. */
function keeps(key: string, shown: ReadonlySet<string>, all: Bag): boolean {
  const id = key.replace(/-hypernb-(layout|style)$/, "");
  const ours = layoutOf(id) in all;
  return !ours || shown.has(id);
}

/** The ids of the widgets that outputs of the notebook show. */
function shownIn(notebook: NotebookModel): ReadonlySet<string> {
  return new Set(viewsIn(notebook).map(([id]) => id));
}

/** The page that the kernel put beside a view in the same output; empty if there is none. */
function besideView(notebook: NotebookModel, id: string): string {
  const page = viewsIn(notebook).find(([shown]) => shown === id)?.[1]["text/html"];
  const lines = Array.isArray(page) ? page : [page];
  return lines.filter((each) => typeof each === "string").join("");
}

/** The id of the widget in each output that shows one, and what the output has. */
function viewsIn(notebook: NotebookModel): [string, Bag][] {
  const found: [string, Bag][] = [];
  for (const cell of notebook.cells ?? []) {
    const { outputs } = cell;
    for (let place = 0; outputs && place < outputs.length; place += 1) {
      const data = bag(outputs.get(place).data);
      const id = bag(data[VIEW]).model_id;
      if (typeof id === "string") found.push([id, data]);
    }
  }
  return found;
}

/** The notebook that the view is in; null where the front end is another one. */
function contextOf(model: FrontEndModel): Context | null {
  const context = bag(bag(model.widget_manager).context) as Partial<Context>;
  const signal = context.saveState;
  const notebook = context.model;
  if (typeof signal?.connect !== "function" || typeof signal.disconnect !== "function")
    return null;
  if (typeof notebook?.setMetadata !== "function") return null;
  return context as Context;
}

function bag(value: unknown): Bag {
  return typeof value === "object" && value !== null ? (value as Bag) : {};
}
