/** Answers what views ask about outputs and about many missions, as the kernel would. */
import type { Answer, MissionState, Picture, ToKernel } from "../src/protocol";
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

function pictureFor(ref: string, state: MissionState): Picture {
  const picture = pictureOf(state);
  return { ...picture, mission: { ...picture.mission, short_id: ref, id: `opened-${ref}` } };
}
