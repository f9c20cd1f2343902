import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useRef } from "preact/hooks";
import { useHere } from "../here";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Options } from "../parts/options";
import { useOwnId } from "../parts/own-id";
import { Quiet } from "../parts/quiet";
import type { AgentFacts, AgentWork, Problem } from "../protocol";
import { line, shown } from "../words";
import { keyOf, type PlanDesk } from "./plan-desk";
import { modelOf, type Row, same, toolsOf, withTools } from "./plan-draft";
import { heldIn } from "./plan-facts";
import { defaultOf, type FieldSpec, ON_FAILURE, specOf } from "./plan-fields";
import { WRONG } from "./plan-problems";
import { completions, read, readList, textOf, type Value } from "./plan-values";

const LOOK = { shape: "awaiting", role: "attention" } as const;
const MARKS_SHOWN = 600;
const RESULTS_AT_MOST = 300;

interface Props {
  desk: PlanDesk;
  /** Null for the plan itself. */
  row: Row | null;
}

/** All fields that can be changed. */
export function Fields({ desk, row }: Props): JSX.Element {
  return (
    <>
      {desk.fieldsOf(row).map((field) => {
        const spec = specOf(row, field);
        if (!spec) return null;
        const Control =
          spec.kind === "choice" ? ChoiceField : spec.kind === "ticks" ? TicksField : TextField;
        return <Control key={field} {...{ desk, row, field, spec }} />;
      })}
    </>
  );
}

interface FieldProps extends Props {
  field: string;
  spec: FieldSpec;
}

/** What a control has to carry so that its label, its hint and its problems belong to it. */
interface Tied {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

interface FrameProps extends FieldProps {
  hint?: string | undefined;
  /** The text with its hidden marks written out, where it has any. */
  marks?: string;
  /** A group of controls instead of one: the label is then that of the group. */
  group?: boolean;
  children: (tied: Tied) => ComponentChildren;
}

/** A label, a control, and below it what is wrong with its value and what would be right. */
function Frame(props: FrameProps): JSX.Element {
  const { desk, row, field, spec, hint = spec.hint, marks, group, children } = props;
  const id = useOwnId();
  const frame = useRef<HTMLDivElement>(null);
  const key = keyOf(row);
  const problems = desk.problemsOf(key, field);
  const described = [
    hint && `${id}-hint`,
    marks && `${id}-marks`,
    ...problems.map((_, n) => `${id}-p${n}`),
  ];
  const focus = (): void => {
    frame.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  };
  useSignalEffect(() => {
    const place = desk.goTo.value;
    if (place?.key !== key || place.field !== field) return;
    focus();
    desk.goTo.value = null;
  });
  const Label = group ? "span" : "label";
  return (
    <div
      class={`plan-field ${spec.wide ? `plan-${spec.wide}` : ""}`}
      ref={frame}
      data-field={field}
      {...(group && { role: "group", "aria-labelledby": `${id}-label` })}
    >
      <Label class="plan-label" {...(group ? { id: `${id}-label` } : { for: id })}>
        {spec.label}
        {spec.more}
      </Label>
      {children({
        id,
        "aria-describedby": described.filter(Boolean).join(" ") || undefined,
        "aria-invalid": problems.length > 0 || undefined,
      })}
      {problems.map((problem, n) => (
        <Wrong
          id={`${id}-p${n}`}
          key={`${n} ${problem.text}`}
          {...{ desk, row, problem }}
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
      {hint && <Quiet id={`${id}-hint`}>{hint}</Quiet>}
    </div>
  );
}

interface WrongProps extends Props {
  id?: string;
  problem: Problem;
  /** Called when another value was put in. */
  onDone: () => void;
}

/** One problem in words, with what would be right, to be put in by pressing it. */
function Wrong({ id, desk, row, problem, onDone }: WrongProps): JSX.Element {
  const text = insteadText(row, problem);
  return (
    <span class="plan-wrong" id={id}>
      <Icon {...WRONG} />
      <span>
        {shown(problem.text, 600)}{" "}
        {text !== null && (
          <Button
            class="link"
            onClick={() => {
              putIn(desk, row, problem);
              onDone();
            }}
          >
            Put in {text === "" ? "nothing" : <code>{line(text)}</code>}
          </Button>
        )}
      </span>
    </span>
  );
}

/** Problems that no field can show: all of them while there is no form. */
export function OtherProblems({
  desk,
  row,
  onDone,
}: Omit<WrongProps, "id" | "problem">): JSX.Element {
  const fields = desk.editing.value && !row?.dropped ? desk.fieldsOf(row) : [];
  const all = desk.problemsByRow.value.get(keyOf(row)) ?? [];
  return (
    <>
      {all
        .filter(({ field }) => !fields.includes(field))
        .map((problem) => (
          <Wrong key={`${problem.field} ${problem.text}`} {...{ desk, row, problem, onDone }} />
        ))}
    </>
  );
}

/** As the field would show it; null where there is nothing to put in. */
function insteadText(row: Row | null, { field, instead: value }: Problem): string | null {
  const known =
    ["number", "string"].includes(typeof value) ||
    (Array.isArray(value) && value.every((each) => typeof each === "string"));
  return known ? textOf(specOf(row, field)?.kind, value) : null;
}

function putIn(desk: PlanDesk, row: Row | null, { field, instead }: Problem): void {
  const isList = Array.isArray(defaultOf(specOf(row, field)));
  const value = isList && typeof instead === "string" ? [instead] : instead;
  if (field !== "tools") desk.edit(row, { [field]: value });
  else if (Array.isArray(value)) putTools(desk, row, value);
}

/** A field whose value is typed. What is typed stays as typed while one is at it. */
function TextField(props: FieldProps): JSX.Element {
  const { desk, row, field, spec } = props;
  const { kind, lines } = spec;
  const value = heldIn(desk, row, field);
  const typed = useSignal<{ text: string; value: Value } | null>(null);
  const listId = useOwnId();
  const own = typed.value !== null && same(typed.value.value, value) ? typed.value.text : null;
  const text = own ?? textOf(kind, value);
  const mono = spec.mono ?? kind === "list";
  const take = (now: string): void => {
    typed.value = { text: now, value: valueIn(now, props) };
    desk.edit(row, { [field]: typed.value.value });
  };
  return (
    // A field shows its text as it is, so what plays tricks with the eye is told beside it.
    <Frame
      {...props}
      {...(shown(text, text.length) !== text && { marks: shown(text, MARKS_SHOWN) })}
    >
      {(tied) => {
        const common = {
          ...tied,
          class: mono ? "plan-mono" : "",
          value: text,
          placeholder: spec.empty,
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
        const names = field === "needs";
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
                <Options
                  of={completions(text, others(props)).map((each) => [each.value, each.name])}
                />
              </datalist>
            )}
          </>
        );
      }}
    </Frame>
  );
}

/** The value of what was typed. */
function valueIn(text: string, { desk, row, field, spec }: FieldProps): Value {
  if (text.trim() === "" && defaultOf(spec) === null) return null;
  if (field !== "needs") {
    const stored: object = (row ? row.stored : desk.stored.value) ?? {};
    return read(spec.kind, text, (stored as Record<string, string[] | undefined>)[field]);
  }
  const names = desk.byName.value;
  return readList(text, new Set(names.keys())).map((ref) =>
    names.has(ref) || !/^t\d+$/.test(ref)
      ? ref
      : (desk.rows.value[Number(ref.slice(1)) - 1]?.now.name ?? ref),
  );
}

/** Names of all other tasks. */
function* others({ desk, row }: Props): Iterable<string> {
  for (const each of desk.rows.value) {
    if (each.key !== row?.key && !each.dropped) yield each.now.name;
  }
}

/** One of several; a value that is none of them stays to be seen. */
function ChoiceField(props: FieldProps): JSX.Element {
  const { desk, row, field } = props;
  const { agents } = useHere().mission;
  const value = String(heldIn(desk, row, field));
  const options = optionsOf(props, agents);
  const isHere = options.some(([each]) => each === value);
  return (
    <Frame
      {...props}
      hint={
        field === "agent"
          ? agents.find(({ name }) => name === value)?.role
          : field === "model"
            ? options.find(([name]) => name === value)?.[1]
            : undefined
      }
    >
      {(tied) => (
        <select
          {...tied}
          value={value}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            if (field === "model") putWork(desk, row, (work) => ({ ...work, model: value }));
            else desk.edit(row, { [field]: value });
          }}
        >
          <Options of={isHere ? options : [[value, `${line(value)} (not here)`], ...options]} />
        </select>
      )}
    </Frame>
  );
}

function optionsOf(
  { desk, row, field, spec }: FieldProps,
  agents: readonly AgentFacts[],
): readonly (readonly [value: string, said: string])[] {
  if (field === "on_failure") return ON_FAILURE;
  const named = ({ name }: { name: string }) => [name, name] as const;
  if (row === null) {
    const tasks = desk.plan.value.tasks.slice(0, RESULTS_AT_MOST);
    return [["", spec.empty ?? ""], ...tasks.map(named)];
  }
  const isModel = field === "model";
  const mayBeNone = isModel
    ? !modelOf(row.stored ?? row.now)
    : row.now.work.kind === "python" || !row.now.agent;
  return [
    ...(mayBeNone ? [["", "none"] as const] : []),
    ...(isModel ? desk.models.value : agents.map(named)),
  ];
}

function TicksField(props: FieldProps): JSX.Element {
  const { desk, row } = props;
  const all = useHere().mission.tools;
  const ticked = heldIn(desk, row, "tools") as readonly string[];
  const unknown = ticked.filter((each) => !all.includes(each));
  return (
    <Frame
      {...props}
      group
      hint={row?.stored ? undefined : "With none, it gets those of its agent's role card."}
    >
      {(tied) => (
        <span class="plan-ticks">
          {[...all, ...unknown].map((each) => (
            <label key={each}>
              <input
                type="checkbox"
                aria-describedby={tied["aria-describedby"]}
                checked={ticked.includes(each)}
                onChange={(event) => {
                  const others = ticked.filter((one) => one !== each);
                  putTools(desk, row, event.currentTarget.checked ? [...others, each] : others);
                }}
              />
              {line(each)}
              {unknown.includes(each) && " (not here)"}
            </label>
          ))}
          {all.length + unknown.length === 0 && <Quiet>There are no tools.</Quiet>}
        </span>
      )}
    </Frame>
  );
}

/** Other tools; in another order they are as before. */
function putTools(desk: PlanDesk, row: Row | null, tools: readonly string[]): void {
  const stored = row?.stored;
  const asStored = stored && same([...tools].sort(), [...toolsOf(stored)].sort());
  putWork(desk, row, (work) => {
    const other = asStored ? (stored.work as AgentWork) : withTools(work, tools);
    return work.model === undefined ? other : { ...other, model: work.model };
  });
}

function putWork(
  desk: PlanDesk,
  row: Row | null,
  changed: (work: AgentWork) => AgentWork,
): void {
  const work = row?.now.work;
  if (work && work.kind !== "python") desk.edit(row, { work: changed(work) });
}
