import { MISSION_ID } from "../dev/fixtures";
import type { Mission } from "../src/mission";
import type { Batch } from "../src/protocol";

/** What the kernel says next of a mission: one event, and what it changes. */
export function batchAfter(mission: Mission, more: Partial<Batch> = {}): Batch {
  const seq = mission.seq.peek();
  return {
    type: "batch",
    mission_id: MISSION_ID,
    n: 2,
    from_seq: seq,
    seq: seq + 1,
    now: new Date().toISOString(),
    tasks: [],
    attempts: [],
    events: [],
    total_events: 80,
    ...more,
  };
}
