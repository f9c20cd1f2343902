/** A front end's model without a front end, for the page without Jupyter and for tests. */
import type { FrontEndModel } from "../src/model";
import type { FromKernel, ToKernel } from "../src/protocol";

type Listener = (...args: never[]) => void;

export class FakeModel implements FrontEndModel {
  /** What views have said to the kernel, in order. */
  readonly sent: ToKernel[] = [];
  private readonly values: Map<string, unknown>;
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(values: Record<string, unknown>) {
    this.values = new Map(Object.entries(values));
  }

  get(name: string): unknown {
    return this.values.get(name);
  }

  set(name: string, value: unknown): void {
    this.values.set(name, value);
    this.emit(`change:${name}`);
  }

  save_changes(): void {}

  on(event: string, callback: Listener): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(callback));
  }

  off(event: string, callback: Listener): void {
    this.listeners.get(event)?.delete(callback);
  }

  send(content: unknown): void {
    this.sent.push(content as ToKernel);
  }

  /** Say something as the kernel. */
  say(message: FromKernel): void {
    this.emit("msg:custom", message);
  }

  /** How many listeners there are, over all events. */
  get listening(): number {
    return [...this.listeners.values()].reduce((sum, each) => sum + each.size, 0);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.listeners.get(event) ?? [])]) {
      (callback as (...all: unknown[]) => void)(...args);
    }
  }
}
