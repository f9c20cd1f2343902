import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Link, reasonOf } from "../link";
import type { Action, Confirm } from "../protocol";
import { into } from "../typed";
import { line, shown } from "../words";
import { Button } from "./button";
import { Options } from "./options";
import { useOwnId } from "./own-id";
import { QuietLine } from "./quiet";
import { Refused } from "./refused";

const FROM_EDGE_PX = 8;
/** Below the row of the button, above it, or in it. */
const TWIN_PLACES = [
  ["calc(100% + 4px)", "auto"],
  ["auto", "calc(100% + 4px)"],
  ["0", "auto"],
] as const;
const CONTROLS = "button, input, select, textarea, summary, a";

interface Props {
  action: Action;
  link: Link;
  small?: boolean | undefined;
  /** Does it here, where it is nothing that the kernel is asked for. */
  does?: () => void;
  /** Called with the kernel's answer. */
  onDone?: (value: unknown) => void;
  /** More arguments, read when the button is pressed. */
  more?: () => Record<string, unknown>;
  disabled?: boolean;
  /** Whether it is being done, for others to see, or shared by buttons that do the same. */
  busy?: Signal<boolean>;
  /** What it is about, for those who hear it among others of the same label. */
  about?: string;
  /** What else is to be said before it is done. */
  children?: ComponentChildren;
}

/**
 * A button that asks the kernel for something. It shows the magic that does the same on hover
 * and on focus, asks first where that was said, and tells what came of it beside itself.
 */
export function ActionButton({
  action,
  link,
  small,
  does,
  onDone,
  more,
  disabled,
  busy: shared,
  about,
  children,
}: Props): JSX.Element {
  const twinId = useOwnId();
  const button = useRef<HTMLButtonElement>(null);
  const asking = useSignal(false);
  const own = useSignal(false);
  const busy = shared ?? own;
  const twin = useSignal(false);
  const refused = useSignal("");
  const reason = useSignal("");
  const step = useSignal<Action | null>(null);
  const asked = step.value ?? action;
  const dead = link.liveness.value !== "live" || disabled === true;

  const act = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    refused.value = "";
    try {
      const given = asked.confirm?.reason ? { reason: reason.value } : {};
      const args = { ...asked.args, ...given, ...more?.() };
      const value = does ? does() : await link.ask(asked.verb, args);
      step.value = stepOf(value);
      if (step.value) return;
      asking.value = false;
      onDone?.(value);
    } catch (error) {
      refused.value = reasonOf(error);
    } finally {
      busy.value = false;
    }
  };
  const press = ({ detail }: MouseEvent): void => {
    // A double click is one press: Resume may already stand where Pause was pressed.
    if (busy.value || detail > 1) return;
    refused.value = "";
    step.value = null;
    if (action.confirm) asking.value = !asking.value;
    else void act();
  };
  const leave = (): void => {
    asking.value = false;
    step.value = null;
    button.current?.focus();
  };
  const show = (): void => {
    twin.value = action.twin !== "";
  };
  const hide = (): void => {
    twin.value = false;
  };
  const onEscape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !(twin.value || asking.value)) return;
    // One press of Escape takes back one thing, the nearest.
    event.stopPropagation();
    if (asking.value) leave();
    hide();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hides what the button shows.
    <div class="act" onMouseLeave={hide} onKeyDown={onEscape}>
      <button
        ref={button}
        type="button"
        class={`btn ${action.kind === "primary" ? "primary" : ""} ${small ? "small" : ""}`}
        aria-describedby={action.twin ? twinId : undefined}
        aria-expanded={action.confirm ? asking.value : undefined}
        aria-busy={busy.value || undefined}
        disabled={dead}
        onClick={press}
        onMouseEnter={show}
        onFocus={show}
        onBlur={hide}
      >
        {line(action.label, 80)}
        {about && <span class="vh"> {about}</span>}
      </button>
      {action.twin && (
        <Twin id={twinId} says={action.twin} visible={twin.value && !asking.value && !dead} />
      )}
      {asking.value && asked.confirm && (
        <Asked
          key={asked.confirm.question}
          confirm={asked.confirm}
          {...{ reason, dead, act, leave }}
        >
          {children}
        </Asked>
      )}
      {busy.value && link.pending.value && (
        <QuietLine role="status">{shown(link.pending.value)}</QuietLine>
      )}
      <Refused why={refused.value} />
    </div>
  );
}

/** What the kernel asks for before it does what was asked of it; null if it has done it. */
function stepOf(answer: unknown): Action | null {
  const step = (answer as { step?: Action } | null | undefined)?.step;
  return step?.confirm ? step : null;
}

interface TwinProps {
  id: string;
  says: string;
  visible: boolean;
}

/** The magic that does the same as a button: below the row that the button stands in. */
function Twin({ id, says, visible }: TwinProps): JSX.Element {
  const box = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const twin = box.current;
    const view = twin?.closest(".hypernb");
    if (!visible || !twin || !view) return;
    // It begins where the button does, or further left where it would run out of the view.
    twin.style.marginLeft = "";
    const over = twin.getBoundingClientRect().right - view.getBoundingClientRect().right;
    if (over > -FROM_EDGE_PX) twin.style.marginLeft = `${-over - FROM_EDGE_PX}px`;
    for (const [top, bottom] of TWIN_PLACES) {
      twin.style.top = top;
      twin.style.bottom = bottom;
      if (!coversControl(twin, view)) break;
    }
  }, [visible, says]);
  return (
    <span ref={box} class={visible ? "twin" : "twin vh"} id={id} role="tooltip">
      <span class="vh">The same by </span>
      <code>{line(says)}</code>
    </span>
  );
}

function coversControl(twin: Element, view: Element): boolean {
  const own = twin.getBoundingClientRect();
  return [...view.querySelectorAll(CONTROLS)].some((control) => {
    const { left, right, top, bottom } = control.getBoundingClientRect();
    return left < own.right && right > own.left && top < own.bottom && bottom > own.top;
  });
}

interface ActionsProps {
  of: readonly Action[] | undefined;
  link: Link;
  small?: boolean | undefined;
}

/** A button for each of some actions. */
export function Actions({ of, link, small }: ActionsProps): JSX.Element {
  return (
    <>
      {of?.map((action) => (
        <ActionButton
          key={`${action.verb} ${action.label}`}
          action={action}
          link={link}
          small={small}
        />
      ))}
    </>
  );
}

interface AskedProps {
  confirm: Confirm;
  reason: Signal<string>;
  dead: boolean;
  act: () => Promise<void>;
  leave: () => void;
  children: ComponentChildren;
}

/** What is asked before something is done that cannot be taken back. */
function Asked({ confirm, reason, dead, act, leave, children }: AskedProps): JSX.Element {
  const { choices = [] } = confirm;
  const field = useRef<HTMLInputElement>(null);
  const choice = useRef<HTMLSelectElement>(null);
  const typing = useSignal(choices.length === 0);
  useEffect(() => {
    if (!typing.value) reason.value = choices[0]?.[0] ?? "";
  }, []);
  useEffect(() => (field.current ?? choice.current)?.focus(), [typing.value]);
  return (
    <fieldset class="confirm" aria-label={confirm.question}>
      <span>{shown(confirm.question)}</span>
      {choices.length > 0 && (
        <select
          ref={choice}
          aria-label={confirm.button}
          value={typing.value ? "" : reason.value}
          onChange={({ currentTarget }) => {
            reason.value = currentTarget.value;
            typing.value = reason.value === "";
          }}
        >
          <Options of={[...choices, ["", "another one, by its name"]]} />
        </select>
      )}
      {confirm.reason && typing.value && (
        <label>
          {line(confirm.reason)}
          <input
            ref={field}
            type="text"
            value={reason.value}
            onInput={into(reason)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.isComposing || dead) return;
              event.preventDefault();
              void act();
            }}
          />
        </label>
      )}
      {children}
      <Button small disabled={dead} onClick={() => void act()}>
        {line(confirm.button, 80)}
      </Button>
      <Button small onClick={leave}>
        Leave it as it is
      </Button>
    </fieldset>
  );
}
