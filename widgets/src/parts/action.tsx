import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Link, reasonOf } from "../link";
import type { Action, Confirm } from "../protocol";
import { line, shown } from "../words";
import { Button } from "./button";
import { useOwnId } from "./own-id";
import { Refused } from "./refused";

interface Props {
  action: Action;
  link: Link;
  small?: boolean | undefined;
  /** Called with the kernel's answer. */
  onDone?: (value: unknown) => void;
  /** More arguments, read when the button is pressed. */
  more?: () => Record<string, unknown>;
  disabled?: boolean;
  /** Whether it is being done, for others to see, or shared by buttons that do the same. */
  busy?: Signal<boolean>;
}

/**
 * A button that asks the kernel for something. It shows the magic that does the same on hover
 * and on focus, asks first where that was said, and tells what came of it beside itself.
 */
export function ActionButton({
  action,
  link,
  small,
  onDone,
  more,
  disabled,
  busy: shared,
}: Props): JSX.Element {
  const twinId = useOwnId();
  const button = useRef<HTMLButtonElement>(null);
  const asking = useSignal(false);
  const own = useSignal(false);
  const busy = shared ?? own;
  const twin = useSignal(false);
  const refused = useSignal("");
  const reason = useSignal("");
  const dead = link.liveness.value !== "live" || disabled === true;

  const act = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    refused.value = "";
    try {
      const given = action.confirm?.reason ? { reason: reason.value } : {};
      const value = await link.ask(action.verb, { ...action.args, ...given, ...more?.() });
      asking.value = false;
      onDone?.(value);
    } catch (error) {
      refused.value = reasonOf(error);
    } finally {
      busy.value = false;
    }
  };
  const press = (): void => {
    if (busy.value) return;
    refused.value = "";
    if (action.confirm) asking.value = !asking.value;
    else void act();
  };
  const leave = (): void => {
    asking.value = false;
    button.current?.focus();
  };
  const show = (): void => {
    twin.value = true;
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
      </button>
      {action.twin && (
        <span
          class={`twin ${twin.value && !asking.value && !dead ? "" : "vh"}`}
          id={twinId}
          role="tooltip"
        >
          <span class="vh">The same by </span>
          <code>{line(action.twin)}</code>
        </span>
      )}
      {asking.value && action.confirm && (
        <Asked confirm={action.confirm} reason={reason} dead={dead} act={act} leave={leave} />
      )}
      <Refused why={refused.value} />
    </div>
  );
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
}

/** What is asked before something is done that cannot be taken back. */
function Asked({ confirm, reason, dead, act, leave }: AskedProps): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <fieldset class="confirm" aria-label={confirm.question}>
      <span>{shown(confirm.question)}</span>
      {confirm.reason && (
        <label>
          {line(confirm.reason)}
          <input
            ref={field}
            type="text"
            value={reason.value}
            onInput={(event) => {
              reason.value = event.currentTarget.value;
            }}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.isComposing || dead) return;
              event.preventDefault();
              void act();
            }}
          />
        </label>
      )}
      <Button small disabled={dead} onClick={() => void act()}>
        {line(confirm.button, 80)}
      </Button>
      <Button small onClick={leave}>
        Leave it as it is
      </Button>
    </fieldset>
  );
}
