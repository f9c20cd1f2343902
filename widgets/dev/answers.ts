/** Answers what views ask about outputs and about many missions, as the kernel would. */
import type {
  Answer,
  Checked,
  Draft,
  MissionState,
  Picture,
  Problem,
  ToKernel,
} from "../src/protocol";
import type { FakeModel } from "./fake-model";
import { pictureOf } from "./fixtures";
import { comparedOf, listedOf, outputOf, rowOf, rowsOf } from "./fixtures-results";

const MANY = 130;

/** Have a model answer by itself; returns what ends it. */
export function answerAsks(
  model: FakeModel,
  { state = "running", missions = MANY }: { state?: MissionState; missions?: number } = {},
): () => void {
  const all = rowsOf(missions);
  const send = model.send.bind(model);
  let alive = true;
  const values: Partial<Record<string, (args: Record<string, unknown>) => unknown>> = {
    output: (args) => outputOf(state, String(args.task ?? "")),
    missions: (args) => listedOf(all, args),
    compare: (args) => comparedOf(String(args.a), String(args.b)),
    fork: () => {
      const made = rowOf(all.length + 1, "awaiting_approval");
      all.unshift(made);
      return { mission: made.mission.short_id };
    },
    check: (args) => checkedOf(args.draft as Draft),
    export: (args) => ({ path: `/home/ada/ledgerline/${args.mission}.${args.form}` }),
    open: (args) => {
      const row = all.find(({ mission }) => mission.short_id === args.mission);
      if (row)
        queueMicrotask(() => alive && model.say(pictureFor(row.mission.short_id, state)));
      return {};
    },
  };
  model.send = (content: unknown): void => {
    send(content);
    const asked = content as ToKernel;
    if (asked.type !== "ask") return;
    const find = values[asked.verb];
    if (!find) return;
    const answer: Answer = { type: "answer", id: asked.id, ok: true, value: find(asked.args) };
    queueMicrotask(() => {
      if (alive) model.say(answer);
    });
  };
  return () => {
    alive = false;
    model.send = send;
  };
}

/** Every edit of a task has a problem, so that one can see how problems look. */
function checkedOf({ changes, drop, add }: Draft): Checked {
  const { plan } = pictureOf("awaiting_approval");
  if (plan === null) throw new Error("A mission that waits for approval has a plan.");
  const edits = Object.entries(changes).flatMap(([task, values]) =>
    Object.entries(values).map(([field, value]) => ({ task, field, value })),
  );
  const problems: Problem[] = edits.map(({ task, field }) => ({
    task,
    field,
    text: `Task '${task}' cannot have this ${field}. Choose another.`,
    instead: null,
  }));
  problems.push({
    task: "",
    field: "tasks",
    text: "These tasks wait for each other: map-repo -> rank-findings -> map-repo.",
    instead: null,
  });
  return {
    problems,
    difference: {
      from_revision: 2,
      to_revision: 3,
      added: add.map((task) => task.name),
      removed: drop,
      changed: edits.map(({ task, field, value }) => ({
        task,
        field,
        label: field.replaceAll("_", " "),
        old: "as it was",
        new: String(value),
        kept: ["", ""],
      })),
      same: plan.tasks.length - Object.keys(changes).length - drop.length,
    },
    plan,
    twin: `%hyper edit m-7 ${edits.map(({ task, field, value }) => `${task} ${field}=${value}`)}`,
  };
}

function pictureFor(ref: string, state: MissionState): Picture {
  const picture = pictureOf(state);
  return { ...picture, mission: { ...picture.mission, short_id: ref, id: `opened-${ref}` } };
}
