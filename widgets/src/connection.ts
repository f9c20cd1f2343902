import { type Signal, signal } from "@preact/signals";
import { Link } from "./link";
import { Mission } from "./mission";
import type { FrontEndModel } from "./model";
import type { FromKernel, Missions } from "./protocol";

/** After a request for what was missed, so long until it is made again. */
const SYNC_AGAIN_MS = 2_000;

/** One widget's line to the kernel, and what has come over it; shared by all its views. */
export class Connection {
  readonly link: Link;
  /** Which view it is: `mission`, `plan`, `graph`, `board`, `feed`, `timeline` ... */
  readonly component: string;
  readonly model: FrontEndModel;
  /** Null until the first picture. */
  readonly mission: Signal<Mission | null> = signal(null);
  readonly missions: Signal<Missions | null> = signal(null);
  /** Why the view has ended; empty while it has not. */
  readonly closed: Signal<string> = signal("");
  /** How many views of it are on the page. */
  readonly views: Signal<number> = signal(0);

  private askedAt = Number.NEGATIVE_INFINITY;
  private copy = "";

  constructor(model: FrontEndModel) {
    this.model = model;
    this.component = String(model.get("component") ?? "mission");
    this.link = new Link(model, this.take);
    this.link.tell({ type: "hello", front_end: frontEnd() });
  }

  /** Count a view in; returns what counts it out. */
  show(): () => void {
    this.views.value += 1;
    return () => {
      this.views.value -= 1;
    };
  }

  /** The view as HTML, as the kernel last sent it; empty before. */
  get lastCopy(): string {
    return this.copy;
  }

  close(): void {
    this.link.close();
  }

  private readonly take = (message: FromKernel): void => {
    switch (message.type) {
      case "picture":
        if (this.mission.value) this.mission.value.begin(message);
        else this.mission.value = new Mission(message);
        this.link.tell({ type: "ack", n: message.n });
        break;
      case "batch":
        if (this.mission.value?.apply(message)) this.link.tell({ type: "ack", n: message.n });
        else this.catchUp();
        break;
      case "missions":
        this.missions.value = message;
        this.link.tell({ type: "ack", n: message.n });
        break;
      case "copy":
        this.copy = message.html;
        break;
      case "closed":
        this.closed.value = message.reason;
        break;
      default:
        break;
    }
  };

  private catchUp(): void {
    if (Date.now() - this.askedAt < SYNC_AGAIN_MS) return;
    this.askedAt = Date.now();
    this.link.tell({ type: "sync", after: this.mission.value?.seq.peek() ?? null });
  }
}

/** Name the program that shows the view, for `%hyper doctor`. */
function frontEnd(): string {
  if ("google" in globalThis) return "Google Colab";
  if (document.body.classList.contains("vscode-body") || "acquireVsCodeApi" in globalThis)
    return "VS Code";
  if (document.querySelector("marimo-island, marimo-app, #root[data-marimo]")) return "marimo";
  if (document.body.dataset.notebook !== undefined) return "Notebook 7";
  if (document.querySelector(".jp-LabShell")) return "JupyterLab";
  return "a web page";
}
