import { describe, expect, it } from "vitest";
import { EventLog } from "../src/event-log";
import type { EventFacts } from "../src/protocol";

function events(from: number, to: number): EventFacts[] {
  return Array.from({ length: to - from + 1 }, (_, place) => {
    const seq = from + place;
    return { seq, at: "", kind: "task.noted", task: null, attempt: null, told: [] } as never;
  });
}

const ends = (log: EventLog): unknown[] => [log.items[0]?.seq, log.lastSeq, log.items.length];

describe("the log of events", () => {
  it("takes more of them at once than a call takes arguments", () => {
    const log = new EventLog();
    const { items } = log;
    log.reset(events(300_001, 600_000));
    expect(ends(log)).toEqual([300_001, 600_000, 300_000]);
    log.prepend(events(1, 300_000));
    expect(ends(log)).toEqual([1, 600_000, 600_000]);
    expect(log.items).toBe(items);
  });

  it("has each once, in order", () => {
    const log = new EventLog();
    log.reset(events(5, 8));
    log.append(events(7, 10));
    log.prepend(events(3, 6));
    expect(log.items.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("rises its version only where something is new", () => {
    const log = new EventLog();
    log.reset(events(5, 8));
    const version = log.version.peek();
    log.append(events(5, 8));
    log.prepend(events(5, 8));
    expect(log.version.peek()).toBe(version);
  });
});
