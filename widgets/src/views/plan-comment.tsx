import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { useHere } from "../here";
import { ActionButton } from "../parts/action";
import { useOwnId } from "../parts/own-id";
import { Quiet } from "../parts/quiet";
import { clock, line, shown } from "../words";
import type { PlanDesk } from "./plan-desk";

/** What has been said of a task, or with an empty name of the plan; oldest first. */
export function Comments({ task }: { task: string }): JSX.Element | null {
  const { mission } = useHere();
  const all = mission.head.value.decision?.comments ?? [];
  const said = all.filter((comment) => comment.task === task);
  if (said.length === 0) return null;
  return (
    <div class="plan-comments">
      <span class="plan-label">Comments</span>
      <ul>
        {said.map((comment) => (
          <li key={`${comment.at} ${comment.by} ${comment.text}`}>
            <Quiet>
              {line(comment.by)}, <time dateTime={comment.at}>{clock(comment.at)}</time>
            </Quiet>{" "}
            {shown(comment.text)}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface Props {
  desk: PlanDesk;
  /** Empty for the plan itself. */
  task: string;
}

export function CommentField({ desk, task }: Props): JSX.Element {
  const { mission, link, ui } = useHere();
  const id = useOwnId();
  const field = useRef<HTMLInputElement>(null);
  const text = desk.comments.value.get(task) ?? "";
  const put = (now: string): void => {
    desk.comments.value = new Map([...desk.comments.value, [task, now]]);
  };
  const where = task ? ` ${line(task)}` : "";
  return (
    <div class="plan-field plan-comment">
      <label class="plan-label" for={id}>
        Comment on the {task ? "task" : "plan"}
      </label>
      <span class="plan-line">
        <input
          ref={field}
          id={id}
          type="text"
          autocomplete="off"
          value={text}
          aria-describedby={`${id}-hint`}
          onInput={(event) => put(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.isComposing) return;
            event.preventDefault();
            event.currentTarget.parentElement?.querySelector("button")?.click();
          }}
        />
        <ActionButton
          link={link}
          disabled={text.trim() === ""}
          action={{
            verb: "comment",
            label: "Keep this comment",
            args: { task },
            kind: "plain",
            twin: `%hyper comment ${mission.facts.value.short_id}${where} …`,
          }}
          more={() => ({ text: text.trim() })}
          onDone={() => {
            put("");
            ui.said.value = "The comment is kept.";
            field.current?.focus();
          }}
        />
      </span>
      <Quiet id={`${id}-hint`}>
        It is kept with the plan for whoever decides, and changes nothing in it.
      </Quiet>
    </div>
  );
}
