import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";
import { Icon } from "../parts/icon";
import { useOwnId } from "../parts/own-id";
import type { Problem } from "../protocol";
import { line, shown } from "../words";
import { type PlanDesk, unreadKey, WHOLE } from "./plan-desk";
import { type Row, same, withTools } from "./plan-draft";
import { completions, minutesText, type Reading } from "./plan-values";

/** The mark of what is wrong. */
export const WRONG = { shape: "failed", role: "bad" } as const;

const LOOK = { shape: "awaiting", role: "attention" } as const;
const MARKS_SHOWN = 600;

/** What a control has to carry so that its label, its hint and its problems belong to it. */
export interface Tied {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

interface FrameProps {
  desk: PlanDesk;
  /** Null for a field of the plan itself. */
  row: Row | null;
  field: string;
  label: string;
  hint?: string | undefined;
  /** The text with its hidden marks written out, where it has any. */
  marks?: string | undefined;
  wide?: "half" | "third" | "two-thirds" | undefined;
  /** A group of controls instead of one: the label is then that of the group. */
  group?: boolean;
  children: (tied: Tied) => ComponentChildren;
}

/** A label, a control, and below it what is wrong with its value and what would be right. */
export function Frame(props: FrameProps): JSX.Element {
  const { desk, row, field, label, hint, marks, wide, group, children } = props;
  const id = useOwnId();
  const frame = useRef<HTMLDivElement>(null);
  const key = row?.key ?? WHOLE;
  const problems = desk.problemsOf(key, field);
  const described = [
    hint ? `${id}-hint` : "",
    marks ? `${id}-marks` : "",
    ...problems.map((_, n) => `${id}-p${n}`),
  ];
  useSignalEffect(() => {
    const place = desk.goTo.value;
    if (place?.key !== key || place.field !== field) return;
    frame.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
    desk.goTo.value = null;
  });
  const tied: Tied = {
    id,
    "aria-describedby": described.filter(Boolean).join(" ") || undefined,
    "aria-invalid": problems.length > 0 || undefined,
  };
  const focus = (): void => {
    frame.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  };
  return (
    <div
      class={`plan-field ${wide ? `plan-${wide}` : ""}`}
      ref={frame}
      data-field={field}
      {...(group ? { role: "group", "aria-labelledby": `${id}-label` } : {})}
    >
      {group ? (
        <span class="plan-label" id={`${id}-label`}>
          {label}
        </span>
      ) : (
        <label class="plan-label" for={id}>
          {label}
        </label>
      )}
      {children(tied)}
      {problems.map((problem, n) => (
        <Wrong
          id={`${id}-p${n}`}
          key={`${n} ${problem.text}`}
          desk={desk}
          row={row}
          problem={problem}
          onDone={focus}
        />
      ))}
      {marks && (
        <span class="plan-wrong" id={`${id}-marks`}>
          <Icon {...LOOK} />
          <span>
            There are marks in it that cannot be seen or that turn text round. Written out:{" "}
            <code>{marks}</code>
          </span>
        </span>
      )}
      {hint && (
        <span class="quiet" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  );
}

interface WrongProps {
  id?: string;
  desk: PlanDesk;
  row: Row | null;
  problem: Problem;
  /** Called when another value was put in. */
  onDone: () => void;
}

/** One problem in words, with what would be right. */
export function Wrong({ id, ...props }: WrongProps): JSX.Element {
  return (
    <span class="plan-wrong" id={id}>
      <Icon {...WRONG} />
      <span>
        {shown(props.problem.text, 600)} <Instead {...props} />
      </span>
    </span>
  );
}

/** The value that would be right, to be put in by pressing it. */
function Instead({ desk, row, problem, onDone }: WrongProps): JSX.Element | null {
  const text = insteadText(problem);
  if (text === null) return null;
  return (
    <button
      type="button"
      class="link"
      onClick={() => {
        putIn(desk, row, problem);
        onDone();
      }}
    >
      Put in {text === "" ? "nothing" : <code>{line(text)}</code>}
    </button>
  );
}

/** As the field would show it; null where there is nothing to put in. */
function insteadText({ field, instead: value }: Problem): string | null {
  if (typeof value === "number") return SECONDS.has(field) ? minutesText(value) : String(value);
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((each) => typeof each === "string"))
    return value.join(", ");
  return null;
}

const SECONDS: ReadonlySet<string> = new Set(["timeout_s", "deadline_s"]);
const LISTS: ReadonlySet<string> = new Set(["needs", "scope", "hosts", "resources", "tools"]);

function putIn(desk: PlanDesk, row: Row | null, { field, instead }: Problem): void {
  const named = field === "work" ? "tools" : field;
  const value = LISTS.has(named) && typeof instead === "string" ? [instead] : instead;
  desk.putUnread({ key: row?.key ?? WHOLE, field: named }, null);
  if (row === null) desk.editPlan({ [named]: value });
  else if (named !== "tools") desk.edit(row, { [named]: value });
  else if (row.now.work.kind !== "python" && Array.isArray(value))
    desk.edit(row, { work: withTools(row.now.work, value as string[]) });
}

interface TextFieldProps<Value> extends Omit<FrameProps, "children" | "group"> {
  value: Value;
  toText: (value: Value) => string;
  read: (text: string) => Reading<Value>;
  onValue: (value: Value) => void;
  mono?: boolean;
  lines?: number;
  /** Names that complete what stands after the last comma. */
  names?: () => Iterable<string>;
  /** What an empty field means. */
  empty?: string;
}

/**
 * A field whose value is typed. What is typed stays as typed while one is at it; a text that is
 * no value is kept beside the draft, with the reason.
 */
export function TextField<Value>(props: TextFieldProps<Value>): JSX.Element {
  const { desk, row, field, value, toText, read, onValue, mono, lines, names, empty } = props;
  const typed = useSignal<{ text: string; value: Value } | null>(null);
  const listId = useOwnId();
  const place = { key: row?.key ?? WHOLE, field };
  const unread = desk.unread.value.get(unreadKey(place));
  const own = typed.value !== null && same(typed.value.value, value) ? typed.value.text : null;
  const text = unread?.text ?? own ?? toText(value);
  const take = (now: string): void => {
    const reading = read(now);
    if ("problem" in reading) {
      desk.putUnread(place, { text: now, problem: reading.problem });
      return;
    }
    typed.value = { text: now, value: reading.value };
    desk.putUnread(place, null);
    onValue(reading.value);
  };
  // A field shows its text as it is, so what plays tricks with the eye is told beside it.
  const marks = shown(text, text.length) === text ? undefined : shown(text, MARKS_SHOWN);
  return (
    <Frame {...props} marks={marks}>
      {(tied) => {
        const common = {
          ...tied,
          class: mono ? "plan-mono" : "",
          value: text,
          placeholder: empty,
          spellcheck: !mono,
          onBlur: () => {
            typed.value = null;
          },
        };
        if (lines) {
          return (
            <textarea
              {...common}
              rows={lines}
              onInput={(event) => take(event.currentTarget.value)}
            />
          );
        }
        return (
          <>
            <input
              {...common}
              type="text"
              autocomplete="off"
              list={names ? listId : undefined}
              onInput={(event) => take(event.currentTarget.value)}
            />
            {names && (
              <datalist id={listId}>
                {completions(text, names()).map((each) => (
                  <option key={each.name} value={each.value}>
                    {line(each.name)}
                  </option>
                ))}
              </datalist>
            )}
          </>
        );
      }}
    </Frame>
  );
}

interface ChoiceFieldProps extends Omit<FrameProps, "children" | "group"> {
  value: string;
  options: readonly (readonly [string, string])[];
  onValue: (value: string) => void;
}

/** One of several; a value that is none of them stays to be seen. */
export function ChoiceField(props: ChoiceFieldProps): JSX.Element {
  const { value, options, onValue } = props;
  const known = options.some(([each]) => each === value);
  return (
    <Frame {...props}>
      {(tied) => (
        <select
          {...tied}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {!known && <option value={value}>{`${line(value)} (not here)`}</option>}
          {options.map(([each, said]) => (
            <option key={each} value={each}>
              {line(said)}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

interface TicksFieldProps extends Omit<FrameProps, "children" | "group"> {
  all: readonly string[];
  ticked: readonly string[];
  onValue: (ticked: string[]) => void;
}

export function TicksField(props: TicksFieldProps): JSX.Element {
  const { all, ticked, onValue } = props;
  const unknown = ticked.filter((each) => !all.includes(each));
  return (
    <Frame {...props} group>
      {(tied) => (
        <span class="plan-ticks">
          {[...all, ...unknown].map((each) => (
            <label key={each}>
              <input
                type="checkbox"
                aria-describedby={tied["aria-describedby"]}
                checked={ticked.includes(each)}
                onChange={(event) =>
                  onValue(
                    event.currentTarget.checked
                      ? [...ticked, each]
                      : ticked.filter((one) => one !== each),
                  )
                }
              />
              {line(each)}
              {unknown.includes(each) && " (not here)"}
            </label>
          ))}
          {all.length + unknown.length === 0 && <span class="quiet">There are no tools.</span>}
        </span>
      )}
    </Frame>
  );
}
