import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { type Link, Refusal } from "../link";
import type { Action } from "../protocol";
import { shown } from "../words";

interface Props {
  action: Action;
  link: Link;
  small?: boolean;
  /** Called with the kernel's answer. */
  onDone?: (value: unknown) => void;
  /** More arguments, read when the button is pressed. */
  more?: () => Record<string, unknown>;
  disabled?: boolean;
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
}: Props): JSX.Element {
  const twinId = useId();
  const asking = useSignal(false);
  const busy = useSignal(false);
  const twin = useSignal(false);
  const refused = useSignal("");
  const reason = useSignal("");
  const dead = link.liveness.value !== "live";

  const act = async (): Promise<void> => {
    busy.value = true;
    refused.value = "";
    try {
      const given = action.confirm?.reason ? { reason: reason.value } : {};
      const value = await link.ask(action.verb, { ...action.args, ...given, ...more?.() });
      asking.value = false;
      onDone?.(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.value = `${error.message} ${error.hint}`.trim();
    } finally {
      busy.value = false;
    }
  };
  const press = (): void => {
    if (busy.value) return;
    if (action.confirm && !asking.value) asking.value = true;
    else void act();
  };

  return (
    <div class="act">
      <button
        type="button"
        class={`btn ${action.kind === "primary" ? "primary" : ""} ${small ? "small" : ""}`}
        aria-describedby={action.twin ? twinId : undefined}
        aria-expanded={action.confirm ? asking.value : undefined}
        aria-busy={busy.value || undefined}
        disabled={dead || disabled}
        onClick={press}
        onMouseEnter={() => {
          twin.value = true;
        }}
        onMouseLeave={() => {
          twin.value = false;
        }}
        onFocus={() => {
          twin.value = true;
        }}
        onBlur={() => {
          twin.value = false;
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            twin.value = false;
            asking.value = false;
          }
        }}
      >
        {action.label}
      </button>
      {action.twin && (
        <span class={`twin ${twin.value ? "" : "vh"}`} id={twinId} role="tooltip">
          The same by <code>{shown(action.twin)}</code>
        </span>
      )}
      {asking.value && action.confirm && (
        <fieldset class="confirm" aria-label={action.confirm.question}>
          <span>{action.confirm.question}</span>
          {action.confirm.reason && (
            <label>
              {action.confirm.reason}
              <input
                type="text"
                value={reason.value}
                onInput={(event) => {
                  reason.value = event.currentTarget.value;
                }}
              />
            </label>
          )}
          <button type="button" class="btn small" disabled={dead} onClick={() => void act()}>
            {action.confirm.button}
          </button>
          <button
            type="button"
            class="btn small"
            onClick={() => {
              asking.value = false;
            }}
          >
            Leave it as it is
          </button>
        </fieldset>
      )}
      {refused.value && (
        <span class="refused" role="alert">
          {shown(refused.value)}
        </span>
      )}
    </div>
  );
}
