import { type Signal, useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { type Link, reasonOf } from "./link";
import type { Verb } from "./protocol";

export interface Question<T> {
  /** The latest answer; stays while the next one is waited for. */
  readonly value: Signal<T | null>;
  /** Why there is no newer answer; empty if nothing is wrong. */
  readonly refused: Signal<string>;
  readonly busy: Signal<boolean>;
}

/**
 * Ask the kernel, and ask again when the arguments or `version` change. One question is under
 * way at a time, and from one to the next there are at least `pauseMs`: answers never arrive out
 * of order, and a mission of ten thousand tasks does not ask ten thousand times. What was refused
 * is asked again with the next change, or when the kernel is heard of again.
 */
export function useQuestion<T>(
  link: Link,
  verb: Verb,
  args: Record<string, unknown> | null,
  version: string | number = "",
  pauseMs = 0,
): Question<T> {
  const value = useSignal<T | null>(null);
  const refused = useSignal("");
  const busy = useSignal(false);
  const wanted = args === null ? null : JSON.stringify([verb, args, version]);
  const state = useRef({ asked: "", wanted, alive: true, timer: 0, askedAt: 0 });
  state.current.wanted = wanted;

  const ask = useCallback(async (): Promise<void> => {
    const now = state.current;
    if (busy.peek() || now.wanted === null || now.asked === now.wanted || !now.alive) return;
    const asked = now.wanted;
    now.asked = asked;
    now.askedAt = Date.now();
    busy.value = true;
    const [which, given] = JSON.parse(asked) as [Verb, Record<string, unknown>];
    let answer: T | null = null;
    let why = "";
    try {
      answer = await link.ask<T>(which, given);
    } catch (error) {
      why = reasonOf(error);
      now.asked = "";
    } finally {
      busy.value = false;
    }
    if (!now.alive) return;
    refused.value = why;
    if (why === "") value.value = answer;
    if (now.wanted !== asked) later();
  }, [link]);
  const later = (): void => {
    clearTimeout(state.current.timer);
    const rest = Math.max(0, state.current.askedAt + pauseMs - Date.now());
    state.current.timer = setTimeout(() => void ask(), rest) as unknown as number;
  };

  const live = link.liveness.value === "live";
  useEffect(() => {
    if (wanted === null || !live) return;
    if (state.current.asked === "") void ask();
    else later();
  }, [wanted, link, live]);
  useEffect(() => {
    state.current.alive = true;
    return () => {
      state.current.alive = false;
      clearTimeout(state.current.timer);
    };
  }, []);
  return { value, refused, busy };
}
