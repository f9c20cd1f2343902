import { type Signal, signal } from "@preact/signals";
import { attachAgain } from "./again";
import type { FrontEndModel } from "./model";
import type { Answer, FromKernel, ToKernel, Verb } from "./protocol";

/** Beats come every five seconds; so many without one, and the kernel is taken for gone. */
const SILENT_AFTER_MS = 16_000;
const LOOK_EVERY_MS = 2_000;

/** Why a view is not live, as far as it can tell. */
export type Liveness = "live" | "silent" | "closed";

interface Fault {
  code: string;
  message: string;
  hint: string;
}

/** An answer that says no. */
export class Refusal extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(error: Fault) {
    super(error.message);
    this.name = "Refusal";
    this.code = error.code;
    this.hint = error.hint;
  }
}

/** Why the kernel did not do what it was asked for; any other error goes on. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Refusal)) throw error;
  return `${error.message} ${error.hint}`.trim();
}

const NOBODY: Omit<Fault, "hint"> = {
  code: "not_live",
  message: "This view is no longer live, so nobody can be asked.",
};
const NO_ANSWER: Omit<Fault, "hint"> = {
  code: "no_answer",
  message: "The kernel fell silent before it answered, so it may be done or not.",
};
const REFUSED: Fault = {
  code: "unknown",
  message: "The kernel refused this and did not say why.",
  hint: "",
};

/** What ipywidgets' own model has and anywidget does not hand on. */
interface RawModel {
  comm_live?: boolean;
}
interface WidgetManager {
  get_model?: (id: string) => Promise<RawModel> | undefined;
  kernel?: { status?: string } | null;
}

/** What views need of the line to the kernel. */
export interface Link {
  readonly liveness: Signal<Liveness>;
  /** Whether a silent kernel is known to be at work: it may yet be heard of again. */
  readonly busy: Signal<boolean>;
  /** Why answers take long; empty if none does. */
  readonly pending: Signal<string>;
  /** When the kernel was last heard, in milliseconds. */
  readonly heardAt: number;
  /** Ask the kernel to do or to find something. Rejects with a `Refusal` if it says no. */
  ask<T = unknown>(verb: Verb, args?: Record<string, unknown>): Promise<T>;
}

/**
 * The same line, for the view of one mission: whatever it asks, it asks about that one. What
 * the kernel has open in a list may be another by the time that somebody presses a button.
 */
export function about(link: Link, missionId: string): Link {
  return {
    liveness: link.liveness,
    busy: link.busy,
    pending: link.pending,
    get heardAt() {
      return link.heardAt;
    },
    ask: (verb, args) => link.ask(verb, { ...args, mission: missionId }),
  };
}

/** Where ids of questions begin: every page has its own, because all hear all answers. */
const newPrefix = (): string => Math.random().toString(36).slice(2, 12);

/**
 * One end of the line to the kernel: hands on what arrives, and turns questions into promises.
 *
 * Lives as long as the widget's model, not as any of its views; `close` ends all it started.
 */
export class KernelLink implements Link {
  readonly liveness: Signal<Liveness> = signal("live");
  readonly busy: Signal<boolean> = signal(false);
  readonly pending: Signal<string> = signal("");
  heardAt = Date.now();

  readonly #model: FrontEndModel;
  readonly #take: (message: FromKernel) => void;
  readonly #waiting = new Map<string | number, (answer: Answer) => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #prefix = newPrefix();
  #lastId = 0;

  constructor(model: FrontEndModel, take: (message: FromKernel) => void) {
    this.#model = model;
    this.#take = take;
    model.on("msg:custom", this.#onMessage);
    model.on("comm_live_update", this.#onCommLive);
    this.#timer = setInterval(this.#look, LOOK_EVERY_MS);
  }

  /** Tell the kernel something that has no answer. */
  tell(message: ToKernel): void {
    this.#post(message);
  }

  ask<T = unknown>(verb: Verb, args: Record<string, unknown> = {}): Promise<T> {
    if (this.liveness.peek() !== "live")
      return Promise.reject(new Refusal(this.#hinted(NOBODY)));
    this.#lastId += 1;
    const id = `${this.#prefix}-${this.#lastId}`;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer.ok) resolve(answer.value as T);
        else reject(new Refusal(answer.error ?? REFUSED));
      });
      if (!this.#post({ type: "ask", id, verb, args })) this.#settle(id, this.#hinted(NOBODY));
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#model.off("msg:custom", this.#onMessage);
    this.#model.off("comm_live_update", this.#onCommLive);
    this.#giveUp();
  }

  #post(message: ToKernel): boolean {
    try {
      this.#model.send(message);
      return true;
    } catch (error) {
      // A comm whose kernel has gone throws; the notice of that comes a moment later.
      console.debug("hypernb: the kernel could not be told.", error);
      return false;
    }
  }

  #hinted(fault: Omit<Fault, "hint">): Fault {
    return { ...fault, hint: attachAgain(String(this.#model.get("mission_id") ?? "")) };
  }

  #settle(id: string | number, error: Fault): void {
    this.#answered({ type: "answer", id, ok: false, error });
  }

  #answered(answer: Answer): void {
    const settle = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.pending.value = "";
    settle?.(answer);
  }

  #giveUp(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, this.#hinted(NO_ANSWER));
  }

  #fallSilent(busy: boolean): void {
    if (this.liveness.peek() === "closed") return;
    this.busy.value = busy;
    this.liveness.value = "silent";
    this.#giveUp();
  }

  readonly #onMessage = (message: FromKernel): void => {
    this.heardAt = Date.now();
    if (this.liveness.peek() === "silent") this.liveness.value = "live";
    if (message.type === "answer") {
      this.#answered(message);
      return;
    }
    if (message.type === "pending") {
      if (this.#waiting.has(message.id)) this.pending.value = message.why;
      return;
    }
    if (message.type === "closed") {
      this.liveness.value = "closed";
      this.#giveUp();
    }
    this.#take(message);
  };

  readonly #onCommLive = (): void => {
    const raw = this.#model as RawModel;
    if (raw.comm_live !== undefined) this.#heed(raw);
    else
      void this.#manager
        ?.get_model?.(String(this.#model.get("own_id") ?? ""))
        ?.then(this.#heed);
  };

  readonly #heed = (model: RawModel): void => {
    if (model.comm_live === false) this.#fallSilent(false);
  };

  readonly #look = (): void => {
    if (this.liveness.peek() !== "live" || Date.now() - this.heardAt <= SILENT_AFTER_MS) return;
    this.#fallSilent(this.#manager?.kernel?.status === "busy");
  };

  get #manager(): WidgetManager | undefined {
    return this.#model.widget_manager as WidgetManager | undefined;
  }
}
