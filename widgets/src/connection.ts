import { type Signal, signal } from "@preact/signals";
import { KernelLink } from "./link";
import { Mission } from "./mission";
import type { FrontEndModel } from "./model";
import { NotebookCopy } from "./notebook-copy";
import type { Batch, FromKernel, Missions, OpenedInList, Picture } from "./protocol";

/** After a request for what was missed, so long until it is made again. */
const SYNC_AGAIN_MS = 2_000;
/**
 * Acknowledging a message acknowledges all before it, so one for so many, or after so long, is
 * enough. Each costs a busy kernel some thirty turns of its threads, and is followed by two
 * messages that tell of the kernel's state, behind which the next event would have to wait.
 */
const ACK_AFTER = 16;
const ACK_WITHIN_MS = 1_000;
/** A page that heard nothing for so long, while it was hidden, may have missed something. */
const MAY_HAVE_MISSED_MS = 7_000;

/** One widget's line to the kernel, and what has come over it; shared by all its views. */
export class Connection {
  readonly link: KernelLink;
  /** Which view it is: `mission`, `plan`, `graph`, `board`, `feed`, `timeline` ... */
  readonly component: string;
  readonly model: FrontEndModel;
  /** Null until the first picture. */
  readonly mission: Signal<Mission | null> = signal(null);
  readonly missions: Signal<Missions | null> = signal(null);
  /** Which mission the kernel has open in a list; null until it has said. */
  readonly opened: Signal<OpenedInList | null> = signal(null);
  /** Why the view has ended; empty while it has not. */
  readonly closed: Signal<string> = signal("");
  /** Why the kernel cannot read the store just now; empty while it can. */
  readonly away: Signal<string> = signal("");
  /** How many views of it are on the page. */
  readonly views: Signal<number> = signal(0);

  readonly #notebook: NotebookCopy;
  #seen = 0;
  #acked = 0;
  #ackedAt = -Infinity;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = -Infinity;
  #behind = false;
  #putting = false;
  #copy = "";

  constructor(model: FrontEndModel) {
    this.model = model;
    this.component = String(model.get("component") ?? "mission");
    this.link = new KernelLink(model, this.#take);
    this.#notebook = new NotebookCopy(model, this.#kept);
    document.addEventListener("visibilitychange", this.#onVisible);
    this.link.tell({ type: "hello", front_end: frontEnd() });
  }

  /** How many views on this page show a mission that was opened in their list. */
  readonly holds = new Map<string, number>();

  /** Count a view in that shows a mission of the list; returns what counts it out. */
  hold(mission: string): () => void {
    const count = (by: number): void => {
      this.holds.set(mission, (this.holds.get(mission) ?? 0) + by);
    };
    count(1);
    return () => count(-1);
  }

  /** Count a view in; returns what counts it out. */
  show(): () => void {
    this.views.value += 1;
    return () => {
      this.views.value -= 1;
    };
  }

  /** Set a trait for Python to see; other views of the same widget keep what they show. */
  put(trait: string, value: unknown): void {
    const known = this.model.get(trait);
    if (known === undefined || (known || null) === (value || null)) return;
    this.#putting = true;
    try {
      this.model.set(trait, value ?? (typeof known === "string" ? "" : null));
      this.model.save_changes();
    } finally {
      this.#putting = false;
    }
  }

  /** Follow a trait that Python sets; returns what ends it. */
  follow(trait: string, take: (value: unknown) => void): () => void {
    const onChange = (): void => {
      if (!this.#putting) take(this.model.get(trait));
    };
    this.model.on(`change:${trait}`, onChange);
    return () => this.model.off(`change:${trait}`, onChange);
  }

  close(): void {
    document.removeEventListener("visibilitychange", this.#onVisible);
    clearTimeout(this.#ackTimer);
    this.#notebook.close();
    this.link.close();
  }

  readonly #take = (message: FromKernel): void => {
    switch (message.type) {
      case "picture":
        this.#begin(message);
        this.#ackNow(message.n);
        break;
      case "batch":
        this.#go(message);
        break;
      case "opened":
        this.opened.value = message;
        break;
      case "missions":
        this.missions.value = message;
        this.#ackNow(message.n);
        break;
      case "beat":
        this.away.value = message.why ?? "";
        if (this.#behind) this.#catchUp();
        break;
      case "copy":
        this.#copy = message.html;
        break;
      case "closed":
        this.closed.value = message.reason;
        break;
      default:
        break;
    }
  };

  #go(message: Batch): void {
    const mission = this.mission.peek();
    // What is about another mission comes with a picture of it before or after.
    const isOther = mission !== null && mission.facts.peek().id !== message.mission_id;
    if (isOther || mission?.apply(message)) {
      this.#behind &&= isOther;
      this.#acknowledge(message.n);
    } else this.#catchUp();
  }

  #begin(picture: Picture): void {
    this.#behind = false;
    const known = this.mission.peek();
    if (known?.facts.peek().id === picture.mission.id) known.begin(picture);
    else this.mission.value = new Mission(picture);
  }

  #ackNow(n: number): void {
    this.#seen = n;
    this.#sendAck();
  }

  #acknowledge(n: number): void {
    this.#seen = n;
    const rest = this.#ackedAt + ACK_WITHIN_MS - performance.now();
    // Where a tab is hidden, a timer may be a minute late.
    const now = n - this.#acked >= ACK_AFTER || (document.hidden && rest <= 0);
    if (now) this.#sendAck();
    else this.#ackTimer ??= setTimeout(this.#sendAck, ACK_WITHIN_MS);
  }

  readonly #sendAck = (): void => {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#ackedAt = performance.now();
    this.#acked = this.#seen;
    this.link.tell({ type: "ack", n: this.#seen });
  };

  #catchUp(): void {
    this.#behind = true;
    if (Date.now() - this.#askedAt < SYNC_AGAIN_MS) return;
    this.#askedAt = Date.now();
    const mission = this.mission.peek();
    this.link.tell({
      type: "sync",
      after: mission?.seq.peek() ?? null,
      mission: mission?.facts.peek().id ?? "",
    });
  }

  readonly #onVisible = (): void => {
    if (document.hidden || this.link.liveness.peek() === "closed") return;
    if (this.#behind || Date.now() - this.link.heardAt > MAY_HAVE_MISSED_MS) this.#catchUp();
  };

  readonly #kept = (): string | null => (this.views.peek() === 0 ? null : this.#copy);
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
