import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { Guarded } from "./guarded";
import { useOwnId } from "./own-id";

export interface TabItem<Name extends string> {
  readonly name: Name;
  readonly label: string;
  readonly part: () => JSX.Element;
}

interface Props<Name extends string> {
  label: string;
  items: readonly TabItem<Name>[];
  chosen: Name;
  choose: (name: Name) => void;
}

/** Tabs as https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ has them: arrow keys choose. */
export function Tabs<Name extends string>({
  label,
  items,
  chosen,
  choose,
}: Props<Name>): JSX.Element {
  const id = useOwnId();
  const list = useRef<HTMLDivElement>(null);
  const place = Math.max(
    items.findIndex((item) => item.name === chosen),
    0,
  );
  const current = items[place] as TabItem<Name>;
  const go = (to: number): void => {
    const item = items[(to + items.length) % items.length] as TabItem<Name>;
    choose(item.name);
    list.current?.querySelector<HTMLElement>(`[data-tab="${item.name}"]`)?.focus();
  };
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    Home: 0,
    End: items.length - 1,
  };
  return (
    <>
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={(event) => {
          const to = steps[event.key];
          if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          go(to);
        }}
      >
        {items.map((item) => (
          <button
            key={item.name}
            type="button"
            role="tab"
            class="tab"
            id={`${id}-${item.name}`}
            data-tab={item.name}
            aria-selected={item === current}
            aria-controls={item === current ? `${id}-panel` : undefined}
            tabIndex={item === current ? 0 : -1}
            onClick={() => choose(item.name)}
          >
            {item.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current.name}`}>
        <Guarded key={current.name}>
          <current.part />
        </Guarded>
      </div>
    </>
  );
}
