import { crewOf } from "../crew";
import { putTo, sameItems } from "../lists";
import type { Mission } from "../mission";
import type { TaskFacts, TaskState } from "../protocol";
import { isFinal } from "../words";

/** What an agent with several tasks shows: first what a person should see first. */
const URGENT: readonly TaskState[] = [
  "awaiting_approval",
  "stalled",
  "running",
  "verifying",
  "waiting",
];

/** What an agent's card tells. */
export interface CardFacts {
  readonly agent: string;
  readonly role: string;
  /** Its tasks, in plan order. */
  readonly mine: readonly TaskFacts[];
  /** Those that are under way, the one to be seen first in front. */
  readonly busy: readonly TaskFacts[];
  /** The first that has not ended, where none is under way. */
  readonly next: TaskFacts | null;
  /** What `next` still needs. */
  readonly unmet: readonly string[];
}

/** The cards of a mission. A card that tells the same as before is the same object. */
export class Cards {
  #before = new Map<string, CardFacts>();

  of(mission: Mission): CardFacts[] {
    const tasks = new Map<string, TaskFacts[]>(crewOf(mission).map((agent) => [agent, []]));
    for (const task of mission.tasks) putTo(tasks, task.agent, task);
    const roles = new Map(mission.agents.map((agent) => [agent.name, agent.role]));
    const cards = [...tasks].map(([agent, mine]) => {
      const card = cardOf(mission, agent, roles.get(agent) ?? "", mine);
      const last = this.#before.get(agent);
      return last && isSame(last, card) ? last : card;
    });
    this.#before = new Map(cards.map((card) => [card.agent, card]));
    return cards;
  }
}

function cardOf(mission: Mission, agent: string, role: string, mine: TaskFacts[]): CardFacts {
  const busy = mine
    .filter((task) => URGENT.includes(task.state))
    .sort((a, b) => URGENT.indexOf(a.state) - URGENT.indexOf(b.state));
  const next = busy.length > 0 ? null : (mine.find((task) => !isFinal(task.state)) ?? null);
  return { agent, role, mine, busy, next, unmet: next ? mission.unmet(next.name) : [] };
}

function isSame(a: CardFacts, b: CardFacts): boolean {
  return a.role === b.role && sameItems(a.mine, b.mine) && sameItems(a.unmet, b.unmet);
}

/** Seconds that all attempts took together, reckoned on from the last head to `now`. */
export function workedUntil(mission: Mission, now: number): number {
  const { worked_s, elapsed_s, at_work } = mission.head.peek();
  const { started_at, state } = mission.facts.peek();
  if (started_at === null || isFinal(state)) return worked_s;
  const toldAt = Date.parse(started_at) + elapsed_s * 1000;
  return worked_s + (Math.max(0, now - toldAt) / 1000) * at_work;
}

/** Seconds from the start to the end, or to now. */
export function elapsedUntil(mission: Mission, now: number): number {
  const { started_at, finished_at } = mission.facts.peek();
  if (started_at === null) return 0;
  const end = finished_at === null ? now : Date.parse(finished_at);
  const { elapsed_s, rested_s } = mission.head.peek();
  const gone = (end - Date.parse(started_at)) / 1000;
  // This page's clock may stand still while it is hidden; the kernel's does not.
  return Math.max(0, (finished_at === null ? Math.max(gone, elapsed_s) : gone) - rested_s);
}

/** How much the work at the same time has brought, in a sentence. */
export function gainOf(worked: number, elapsed: number, ended: boolean): string {
  if (worked === 0 || elapsed < 1) return ended ? "Nothing ran." : "Nothing has run so far.";
  const times = worked / elapsed;
  const soFar = ended ? "." : " so far.";
  if (times < 1.05) return `No more work than one agent at a time could have done${soFar}`;
  return `${times.toFixed(1)} times as much work as one agent at a time could have done${soFar}`;
}
