import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { focusedBeside } from "../lost-focus";
import type { EventFacts } from "../protocol";
import { Row } from "./feed-row";
import { RowWindow } from "./feed-window";

/** What others may ask of the list. */
export interface RowsHandle {
  toEnd(): void;
  /** Take the focus, when what had it goes. */
  focus(): void;
}

interface Props {
  items: readonly EventFacts[];
  /** How many of the items are shown. */
  count: number;
  generation: number;
  /** Told whether one is at the end. */
  atEnd: Signal<boolean>;
  handle: { current: RowsHandle | null };
}

// Rows that stand as grids are no rows any more to some screen readers, so all say what they
// are. Said this way because each is what its element would be by itself.
const TABLE = { role: "table" } as const;
const GROUP = { role: "rowgroup" } as const;
const ROW = { role: "row" } as const;
const HEAD = { role: "columnheader" } as const;
const SEQ = "Seq, JSON";
const HEADS = ["Time", "Event", "Task", "What happened", SEQ];
// A box that scrolls has to be reached by keyboard, or its rows cannot be scrolled by it.
const REACHED = { tabIndex: 0 } as const;
/** Where nothing is laid out, so many pixels are taken for granted. */
const UNSEEN_HEIGHT = 600;

/** The events as a table of which only what can be seen is drawn. */
export function Rows({ items, count, generation, atEnd, handle }: Props): JSX.Element {
  const box = useRef<HTMLElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const list = useMemo(() => new RowWindow(), []);
  const again = useSignal(0);
  const open = useSignal<ReadonlySet<number>>(new Set());
  const lastTop = useRef(0);
  void again.value;

  const seen = box.current;
  // The wheel may have moved the box before its event has told so.
  if (seen && Math.abs(seen.scrollTop - lastTop.current) > 1) {
    lastTop.current = seen.scrollTop;
    list.scrolled(seen.scrollTop);
  }
  const held = seen !== null && holdsFocus(body.current);
  if (list.height === 0) list.height = UNSEEN_HEIGHT;
  list.take(items, count, generation);
  const [from, to] = list.range;
  const drawn = items.slice(from, to);

  const settle = (): void => {
    if (box.current === null || body.current === null) return;
    list.height = seenHeight(box.current) || UNSEEN_HEIGHT;
    list.measure(heightsOf(body.current, from));
    place(body.current, list, from, to);
    const { top } = list;
    if (Math.abs(box.current.scrollTop - top) > 0.5) box.current.scrollTop = top;
    lastTop.current = box.current.scrollTop;
    list.rest();
    atEnd.value = list.stick;
    const wanted = list.range;
    if (wanted[0] < from || wanted[1] > to) again.value += 1;
  };
  useLayoutEffect(settle);
  useLayoutEffect(() => {
    // A row that had the focus is gone: the list keeps it, so that keys go on working.
    if (held && !holdsFocus(box.current)) box.current?.focus({ preventScroll: true });
  });
  useEffect(() => {
    const focus = (): void => box.current?.focus({ preventScroll: true });
    handle.current = {
      focus,
      toEnd() {
        list.stick = true;
        again.value += 1;
        focus();
      },
    };
    return watchSize(box.current, (turned) => {
      if (turned) list.forget();
      again.value += 1;
    });
  }, []);

  const scroll = (): void => {
    if (box.current === null || Math.abs(box.current.scrollTop - lastTop.current) < 1) return;
    lastTop.current = box.current.scrollTop;
    list.scrolled(lastTop.current);
    atEnd.value = list.stick;
    const wanted = list.range;
    if (wanted[0] !== from || wanted[1] !== to) again.value += 1;
  };
  const toggle = useMemo(
    () => (event: EventFacts) => {
      const next = new Set(open.peek());
      if (!next.delete(event.seq)) next.add(event.seq);
      // What is unfolded above the end must not be pushed away by it.
      list.stay();
      open.value = next;
    },
    [],
  );

  return (
    <section class="fd-box" aria-label="Events" ref={box} onScroll={scroll} {...REACHED}>
      <table
        class="t"
        hidden={count === 0}
        aria-rowcount={count + 1}
        aria-label="Events, newest last"
        {...TABLE}
      >
        <thead {...GROUP}>
          <tr aria-rowindex={1} {...ROW}>
            {HEADS.map((head) => (
              <th key={head} scope="col" class={head === SEQ ? "num" : undefined} {...HEAD}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} {...GROUP}>
          {drawn.map((event, index) => (
            <Row
              key={event.seq}
              event={event}
              place={from + index}
              open={open.value.has(event.seq)}
              onToggle={toggle}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What is left for rows below the head, which stays where it is. */
function seenHeight(box: HTMLElement): number {
  const head = box.querySelector("thead")?.offsetHeight ?? 0;
  return Math.max(0, box.clientHeight - head);
}

function heightsOf(body: HTMLTableSectionElement, from: number): [number, number][] {
  const heights: [number, number][] = [];
  for (const [index, row] of [...body.children].entries()) {
    const { height } = row.getBoundingClientRect();
    if (height > 0) heights.push([from + index, height]);
  }
  return heights;
}

/** Room above and below the drawn rows, in the place of all the others. */
function place(body: HTMLElement, list: RowWindow, from: number, to: number): void {
  body.style.paddingTop = `${list.offset(from)}px`;
  body.style.paddingBottom = `${list.total - list.offset(to)}px`;
}

const holdsFocus = (element: HTMLElement | null): boolean =>
  element?.contains(focusedBeside(element)) ?? false;

/** Call back when the box has another size; `turned` if it has another width. */
function watchSize(box: HTMLElement | null, changed: (turned: boolean) => void): () => void {
  if (box === null) return () => {};
  let width = box.clientWidth;
  let height = box.clientHeight;
  const observer = new ResizeObserver(() => {
    const turned = box.clientWidth !== width;
    if (!turned && box.clientHeight === height) return;
    width = box.clientWidth;
    height = box.clientHeight;
    changed(turned);
  });
  observer.observe(box);
  return () => observer.disconnect();
}
