import { type Signal, signal } from "@preact/signals";
import type { FrontEndModel } from "./model";
import type { Answer, FromKernel, ToKernel, Verb } from "./protocol";

/** Beats come every five seconds; so many without one, and the kernel is taken for gone. */
const SILENT_AFTER_MS = 16_000;
const LOOK_EVERY_MS = 2_000;

/** Why a view is not live, as far as it can tell. */
export type Liveness = "live" | "silent" | "closed";

/** An answer that says no. */
export class Refusal extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(error: { code: string; message: string; hint: string }) {
    super(error.message);
    this.name = "Refusal";
    this.code = error.code;
    this.hint = error.hint;
  }
}

/**
 * One end of the line to the kernel: hands on what arrives, and turns questions into promises.
 *
 * Lives as long as the widget's model, not as any of its views; `close` ends all it started.
 */
export class Link {
  readonly liveness: Signal<Liveness> = signal("live");

  private readonly model: FrontEndModel;
  private readonly take: (message: FromKernel) => void;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly timer: ReturnType<typeof setInterval>;
  private lastHeardAt = Date.now();
  private lastId = 0;

  constructor(model: FrontEndModel, take: (message: FromKernel) => void) {
    this.model = model;
    this.take = take;
    model.on("msg:custom", this.onMessage);
    model.on("comm_live_update", this.onCommLive);
    this.timer = setInterval(this.look, LOOK_EVERY_MS);
  }

  /** Tell the kernel something that has no answer. */
  tell(message: ToKernel): void {
    this.model.send(message);
  }

  /** Ask the kernel to do or to find something. Rejects with a `Refusal` if it says no. */
  ask<T = unknown>(verb: Verb, args: Record<string, unknown> = {}): Promise<T> {
    this.lastId += 1;
    const id = this.lastId;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, (answer) => {
        if (answer.ok) resolve(answer.value as T);
        else reject(new Refusal(answer.error ?? { code: "unknown", message: "No.", hint: "" }));
      });
      this.model.send({ type: "ask", id, verb, args });
    });
  }

  close(): void {
    clearInterval(this.timer);
    this.model.off("msg:custom", this.onMessage);
    this.model.off("comm_live_update", this.onCommLive);
    this.waiting.clear();
  }

  private readonly onMessage = (message: FromKernel): void => {
    this.lastHeardAt = Date.now();
    if (this.liveness.value === "silent") this.liveness.value = "live";
    if (message.type === "answer") {
      const settle = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      settle?.(message);
      return;
    }
    if (message.type === "closed") this.liveness.value = "closed";
    this.take(message);
  };

  private readonly onCommLive = (): void => {
    const live = (this.model as { comm_live?: boolean }).comm_live;
    if (live === false) this.liveness.value = "silent";
  };

  private readonly look = (): void => {
    const silent = Date.now() - this.lastHeardAt > SILENT_AFTER_MS;
    if (silent && this.liveness.value === "live") this.liveness.value = "silent";
  };
}
