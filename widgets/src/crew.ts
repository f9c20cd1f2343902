import type { Mission } from "./mission";
import { line } from "./words";

/** Who takes part, in the order of the plan; an empty name stands for Python functions. */
export function crewOf(mission: Mission): string[] {
  const source = mission.plan.peek()?.tasks ?? mission.tasks;
  return [...new Set(source.map((task) => task.agent ?? ""))];
}

/** An agent's name as it is shown. */
export function agentName(agent: string): string {
  return line(agent, 80) || "Python functions";
}
