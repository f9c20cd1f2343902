import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model";
import { MISSION_ID, pictureOf } from "../dev/fixtures";
import { Connection } from "../src/connection";
import { about, KernelLink, Refusal } from "../src/link";
import type { Batch, FromKernel } from "../src/protocol";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const beat: FromKernel = { type: "beat", now: "2026-11-20T14:05:22Z" };

function linked(): { model: FakeModel; link: KernelLink; taken: FromKernel[] } {
  const model = new FakeModel({});
  const taken: FromKernel[] = [];
  return { model, taken, link: new KernelLink(model, (message) => taken.push(message)) };
}

const idsOf = (model: FakeModel): [string, string] => {
  const ids = model.sent.flatMap((each) => (each.type === "ask" ? [each.id] : []));
  return [ids[0] ?? "", ids[1] ?? ""];
};

describe("a question", () => {
  it("is answered by the answer with its number", async () => {
    const { model, link } = linked();
    const first = link.ask("pause");
    const second = link.ask("events", { limit: 3 });
    const [one, two] = idsOf(model);
    expect(model.sent).toEqual([
      { type: "ask", id: one, verb: "pause", args: {} },
      { type: "ask", id: two, verb: "events", args: { limit: 3 } },
    ]);
    model.say({ type: "answer", id: two, ok: true, value: "two" });
    model.say({ type: "answer", id: one, ok: true, value: "one" });
    expect(await Promise.all([first, second])).toEqual(["one", "two"]);
  });

  it("is not answered by the answer to another page's", async () => {
    const here = linked();
    const there = linked();
    const mine = here.link.ask("approve");
    void there.link.ask("check");
    const [theirs] = idsOf(there.model);
    const [own] = idsOf(here.model);
    expect(theirs).not.toBe(own);
    // All pages of a widget hear what is sent to one.
    here.model.say({ type: "answer", id: theirs, ok: true, value: "checked" });
    here.model.say({ type: "answer", id: own, ok: true, value: "approved" });
    expect(await mine).toBe("approved");
  });

  it("about a mission names it", () => {
    const { model, link } = linked();
    void about(link, "01JD").ask("fork", { at: "tests", mission: "m-1" });
    expect(model.sent.at(-1)).toMatchObject({ args: { at: "tests", mission: "01JD" } });
    expect(about(link, "01JD").heardAt).toBe(link.heardAt);
  });

  it("is refused with what the kernel says, and what to do", async () => {
    const { model, link } = linked();
    const asked = link.ask("approve");
    const error = { code: "transition", message: "It runs already.", hint: "Look at it." };
    model.say({ type: "answer", id: idsOf(model)[0], ok: false, error });
    await expect(asked).rejects.toThrow(Refusal);
    await expect(asked).rejects.toMatchObject({ code: "transition", hint: "Look at it." });
  });

  it("is given up when the kernel falls silent, and not asked after that", async () => {
    const { model, link } = linked();
    const asked = link.ask("pause");
    vi.advanceTimersByTime(20_000);
    await expect(asked).rejects.toMatchObject({ code: "no_answer" });
    await expect(link.ask("pause")).rejects.toMatchObject({ code: "not_live" });
    expect(model.sent.length).toBe(1);
  });

  it("is refused where the front end cannot send it", async () => {
    const { model, link } = linked();
    vi.spyOn(model, "send").mockImplementation(() => {
      throw new Error("Cannot send");
    });
    vi.spyOn(console, "debug").mockImplementation(() => undefined);
    await expect(link.ask("pause")).rejects.toMatchObject({ code: "not_live" });
  });
});

describe("liveness", () => {
  it("lasts while beats come, ends without them, and comes back with them", () => {
    const { model, link } = linked();
    for (let n = 0; n < 6; n += 1) {
      vi.advanceTimersByTime(5_000);
      model.say(beat);
    }
    expect(link.liveness.peek()).toBe("live");
    vi.advanceTimersByTime(20_000);
    expect(link.liveness.peek()).toBe("silent");
    expect(link.busy.peek()).toBe(false);
    model.say(beat);
    expect(link.liveness.peek()).toBe("live");
  });

  it("knows a kernel that is at work from one that is gone", () => {
    const model = new FakeModel({});
    Object.assign(model, { widget_manager: { kernel: { status: "busy" } } });
    const link = new KernelLink(model, () => undefined);
    vi.advanceTimersByTime(20_000);
    expect(link.busy.peek()).toBe(true);
  });

  it("ends at once when the comm is dead", async () => {
    const model = new FakeModel({ own_id: "abc" });
    const raw = { comm_live: true };
    const get_model = vi.fn(async () => raw);
    Object.assign(model, { widget_manager: { get_model } });
    const link = new KernelLink(model, () => undefined);
    raw.comm_live = false;
    model.emit("comm_live_update");
    await vi.waitFor(() => expect(link.liveness.peek()).toBe("silent"));
    expect(get_model).toHaveBeenCalledWith("abc");
  });

  it("is over for good when the view was closed", () => {
    const { model, link, taken } = linked();
    model.say({ type: "closed", reason: "The mission was forgotten." });
    vi.advanceTimersByTime(60_000);
    expect(link.liveness.peek()).toBe("closed");
    expect(taken.length).toBe(1);
  });

  it("leaves nothing behind", () => {
    const { model, link } = linked();
    link.close();
    expect(model.listening).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a connection", () => {
  const far = (seq: number): Batch => ({
    type: "batch",
    mission_id: MISSION_ID,
    n: 9,
    from_seq: seq + 5,
    seq: seq + 6,
    now: "2026-11-20T14:05:22Z",
    tasks: [],
    attempts: [],
    events: [],
    total_events: 1,
  });
  const syncs = (model: FakeModel) => model.sent.filter((each) => each.type === "sync");

  it("acknowledges what it has, and asks for what it missed", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    expect(model.sent[0]).toMatchObject({ type: "hello" });
    model.say(pictureOf("running"));
    expect(model.sent.at(-1)).toEqual({ type: "ack", n: 1 });
    const seq = connection.mission.peek()?.seq.peek() ?? 0;
    model.say(far(seq));
    model.say(far(seq));
    expect(syncs(model)).toEqual([{ type: "sync", after: seq, mission: MISSION_ID }]);
    vi.advanceTimersByTime(5_000);
    model.say(beat);
    expect(syncs(model).length).toBe(2);
    model.say({ ...far(seq), from_seq: seq });
    vi.advanceTimersByTime(1_000);
    expect(model.sent.at(-1)).toEqual({ type: "ack", n: 9 });
    vi.advanceTimersByTime(5_000);
    model.say(beat);
    expect(syncs(model).length).toBe(2);
    connection.close();
  });

  it("acknowledges many messages with the last of them", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    model.say(pictureOf("running"));
    const acks = () => model.sent.flatMap((each) => (each.type === "ack" ? [each.n] : []));
    expect(acks()).toEqual([1]);
    const seq = connection.mission.peek()?.seq.peek() ?? 0;
    const next = (n: number): Batch => ({
      ...far(seq),
      n,
      from_seq: seq + n - 2,
      seq: seq + n - 1,
    });
    for (let n = 2; n < 40; n += 1) model.say(next(n));
    expect(acks()).toEqual([1, 17, 33]);
    vi.advanceTimersByTime(999);
    expect(acks()).toEqual([1, 17, 33]);
    vi.advanceTimersByTime(1);
    expect(acks()).toEqual([1, 17, 33, 39]);
    model.say(next(40));
    connection.close();
    vi.advanceTimersByTime(1_000);
    expect(acks()).toEqual([1, 17, 33, 39]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not wait for a timer where the tab is hidden", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    model.say(pictureOf("running"));
    const seq = connection.mission.peek()?.seq.peek() ?? 0;
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    vi.advanceTimersByTime(1_001);
    model.say({ ...far(seq), n: 2, from_seq: seq });
    expect(model.sent.at(-1)).toEqual({ type: "ack", n: 2 });
    hidden.mockRestore();
    connection.close();
  });

  it("asks for a picture if it has none", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    model.say(far(3));
    expect(syncs(model)).toEqual([{ type: "sync", after: null, mission: "" }]);
    connection.close();
  });

  it("catches up when a page is seen again that heard nothing for a while", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    model.say(pictureOf("running"));
    document.dispatchEvent(new Event("visibilitychange"));
    expect(syncs(model).length).toBe(0);
    vi.setSystemTime(Date.now() + 9_000);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(syncs(model).length).toBe(1);
    connection.close();
    vi.setSystemTime(Date.now() + 60_000);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(syncs(model).length).toBe(1);
  });

  it("takes no batch of another mission, and asks for nothing because of it", () => {
    const model = new FakeModel({ component: "history" });
    const connection = new Connection(model);
    model.say(pictureOf("running"));
    const mission = connection.mission.peek();
    const seq = mission?.seq.peek() ?? 0;
    model.say({ ...far(seq), mission_id: "another", from_seq: seq });
    model.say({ ...far(seq), mission_id: "another", n: 10 });
    expect(mission?.seq.peek()).toBe(seq);
    expect(syncs(model)).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(model.sent.at(-1)).toEqual({ type: "ack", n: 10 });
    connection.close();
  });

  it("knows why the store cannot be read, while it cannot", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    model.say({ ...beat, why: "The store is gone." });
    expect(connection.away.peek()).toBe("The store is gone.");
    model.say({ ...beat, why: "" });
    expect(connection.away.peek()).toBe("");
    connection.close();
  });

  it("begins anew for another mission", () => {
    const model = new FakeModel({ component: "mission" });
    const connection = new Connection(model);
    const picture = pictureOf("running");
    model.say(picture);
    const one = connection.mission.peek();
    model.say(picture);
    expect(connection.mission.peek()).toBe(one);
    model.say({ ...picture, mission: { ...picture.mission, id: "another" } });
    expect(connection.mission.peek()).not.toBe(one);
    connection.close();
  });
});
