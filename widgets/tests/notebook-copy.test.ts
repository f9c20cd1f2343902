import { describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { NotebookCopy } from "../src/notebook-copy";

const STATE = "application/vnd.jupyter.widget-state+json";
const VIEW = "application/vnd.jupyter.widget-view+json";
type Bag = Record<string, unknown>;

class FakeNotebook {
  readonly metadata = new Map<string, unknown>();
  readonly slots = new Set<(sender: unknown, state: unknown) => void>();
  shown: string[] = [];
  beside: Bag = {};

  readonly context = {
    model: {
      getMetadata: (name: string) => this.metadata.get(name),
      setMetadata: (name: string, value: unknown) => void this.metadata.set(name, value),
      deleteMetadata: (name: string) => void this.metadata.delete(name),
      cells: this.cells(),
    },
    saveState: {
      connect: (slot: (sender: unknown, state: unknown) => void) => this.slots.add(slot),
      disconnect: (slot: (sender: unknown, state: unknown) => void) => this.slots.delete(slot),
    },
  };

  save(): void {
    for (const state of ["started", "completed"])
      for (const slot of [...this.slots]) slot(null, state);
  }

  get state(): Record<string, { model_name: string; state: Bag }> {
    const widgets = (this.metadata.get("widgets") ?? {}) as Record<string, Bag>;
    return (widgets[STATE]?.state ?? {}) as Record<string, { model_name: string; state: Bag }>;
  }

  private cells(): Iterable<unknown> {
    const outputs = { length: 0, get: (place: number) => this.output(place) };
    Object.defineProperty(outputs, "length", { get: () => this.shown.length });
    return [{}, { outputs }];
  }

  private output(place: number): unknown {
    return { data: { [VIEW]: { model_id: this.shown[place] }, ...this.beside } };
  }
}

function inNotebook(notebook: FakeNotebook, id: string): FakeModel {
  const model = new FakeModel({ own_id: id });
  Object.assign(model, { widget_manager: { context: notebook.context } });
  return model;
}

describe("the copy in the notebook", () => {
  it("is written when the notebook is saved, as a core HTML widget under the view's id", () => {
    const notebook = new FakeNotebook();
    notebook.shown = ["v1"];
    const copy = new NotebookCopy(inNotebook(notebook, "v1"), () => "<p>As it was.</p>");
    notebook.save();
    const { v1 } = notebook.state;
    expect(v1).toMatchObject({
      model_name: "HTMLModel",
      model_module: "@jupyter-widgets/controls",
      model_module_version: "2.0.0",
    });
    expect(v1?.state.value).toContain("<p>As it was.</p>");
    for (const [part, name] of [
      ["layout", "LayoutModel"],
      ["style", "HTMLStyleModel"],
    ] as const) {
      const id = String(v1?.state[part]).replace("IPY_MODEL_", "");
      expect(notebook.state[id]?.model_name).toBe(name);
    }
    copy.close();
  });

  it("is the page beside the view until the kernel has sent one", () => {
    const notebook = new FakeNotebook();
    notebook.shown = ["v1"];
    const copy = new NotebookCopy(inNotebook(notebook, "v1"), () => "");
    notebook.save();
    expect(notebook.state.v1?.state.value).toContain("Run the cell again to see it.");
    for (const page of ["<p>As it stood.</p>", ["<p>As it ", "stood.</p>"]]) {
      notebook.beside = { "text/html": page };
      notebook.save();
      expect(notebook.state.v1?.state.value).toContain("<p>As it stood.</p>");
    }
    copy.close();
  });

  it("leaves what others keep there", () => {
    const notebook = new FakeNotebook();
    const slider = { model_name: "IntSliderModel", state: {} };
    notebook.metadata.set("widgets", {
      other: 1,
      [STATE]: { version_major: 2, version_minor: 0, state: { slider } },
    });
    notebook.shown = ["slider", "v1"];
    let html: string | null = "<p>One.</p>";
    const copy = new NotebookCopy(inNotebook(notebook, "v1"), () => html);
    notebook.save();
    expect(notebook.state.slider).toEqual(slider);
    expect(notebook.state.v1).toBeDefined();
    html = null;
    notebook.shown = ["slider"];
    notebook.save();
    expect(Object.keys(notebook.state)).toEqual(["slider"]);
    expect(notebook.metadata.get("widgets")).toMatchObject({ other: 1 });
    copy.close();
  });

  it("goes when the view was replaced, and nothing stays of it", () => {
    const notebook = new FakeNotebook();
    notebook.shown = ["v1"];
    let html: string | null = "<p>One.</p>";
    const copy = new NotebookCopy(inNotebook(notebook, "v1"), () => html);
    notebook.save();
    notebook.shown = [];
    html = null;
    copy.close();
    expect(notebook.metadata.has("widgets")).toBe(false);
    expect(notebook.slots.size).toBe(0);
  });

  it("stays when the view ended and the output still refers to it", () => {
    const notebook = new FakeNotebook();
    notebook.shown = ["v1"];
    let html: string | null = "<p>One.</p>";
    const copy = new NotebookCopy(inNotebook(notebook, "v1"), () => html);
    notebook.save();
    html = null;
    copy.close();
    expect(notebook.state.v1?.state.value).toContain("<p>One.</p>");
  });

  it("clears away what an earlier view left behind", () => {
    const notebook = new FakeNotebook();
    notebook.shown = ["old"];
    new NotebookCopy(inNotebook(notebook, "old"), () => "<p>Old.</p>");
    notebook.save();
    notebook.slots.clear();
    notebook.shown = ["new"];
    const copy = new NotebookCopy(inNotebook(notebook, "new"), () => "<p>New.</p>");
    notebook.save();
    expect(Object.keys(notebook.state).sort()).toEqual([
      "new",
      "new-hypernb-layout",
      "new-hypernb-style",
    ]);
    copy.close();
  });

  it("never stands in the way of a save", () => {
    const notebook = new FakeNotebook();
    const said = vi.spyOn(console, "debug").mockImplementation(() => undefined);
    const copy = new NotebookCopy(inNotebook(notebook, "v1"), () => {
      throw new Error("No.");
    });
    expect(() => notebook.save()).not.toThrow();
    expect(said).toHaveBeenCalled();
    copy.close();
    said.mockRestore();
  });

  it.each([
    ["none", undefined],
    ["another front end's", { context: null }],
    ["a console's", { context: { model: {}, saveState: {} } }],
  ])("is not kept where the widget manager is %s", (_, manager) => {
    const model = new FakeModel({ own_id: "v1" });
    Object.assign(model, { widget_manager: manager });
    expect(() => new NotebookCopy(model, () => "<p></p>").close()).not.toThrow();
  });
});
