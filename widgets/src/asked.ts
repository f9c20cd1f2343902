import type { Mission } from "./mission";
import type { TaskFacts } from "./protocol";

const ASKED = "approval.requested";
const FOUND = new WeakMap<TaskFacts, string | null>();

/** Since when a task waits for a person; null where the events at hand do not tell. */
export function askedSince(mission: Mission, task: TaskFacts): string | null {
  const known = FOUND.get(task);
  if (known !== undefined) return known;
  const found =
    mission.log.items.findLast((event) => event.kind === ASKED && event.task === task.name)
      ?.at ?? null;
  FOUND.set(task, found);
  return found;
}
