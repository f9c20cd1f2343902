/** Where the card of a task stands, so that it hides as little of the graph as may be. */
import type { Rect } from "./scene";

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Corner {
  readonly left: number;
  readonly top: number;
}

/** So near that the pointer comes from the box to the card without leaving both. */
const NEAR_PX = 6;

const STEPS = 24;
/** Among more boxes than this, a free place is neither likely nor cheap to find. */
const SEARCHED_AMONG = 60;

/**
 * The left upper corner of a card for `box`, within `room` where it fits.
 *
 * A card that the pointer has to reach touches its box. Any other stands where it hides least,
 * and of such places in the one nearest to its box; null if it would hide a box everywhere, and
 * so belongs below the drawing.
 */
export function cardPlace(
  box: Rect,
  card: Size,
  room: Size,
  others: readonly Rect[],
  reachable: boolean,
): Corner | null {
  const right = Math.max(room.width - card.width - 4, 0);
  const bottom = Math.max(room.height - card.height - 4, 0);
  const within = (at: number, most: number): number =>
    Math.min(Math.max(at, Math.min(4, most)), most);
  const beside = within(box.y + box.height / 2 - card.height / 2, bottom);
  const along = within(box.x, right);
  const near = [
    { left: box.x + box.width + NEAR_PX, top: beside },
    { left: box.x - card.width - NEAR_PX, top: beside },
    { left: along, top: box.y + box.height + NEAR_PX },
    { left: along, top: box.y - card.height - NEAR_PX },
  ];
  const corners = [
    { left: right, top: bottom },
    { left: right, top: 4 },
    { left: 4, top: bottom },
    { left: 4, top: 4 },
  ];
  const tried = reachable ? near : [...near, ...corners];
  const hidden = (at: Corner): number => {
    const area = { x: at.left, y: at.top, ...card };
    const outside = card.width * card.height - common(area, { x: 0, y: 0, ...room });
    const own = common(area, box);
    const over = others.reduce((sum, other) => sum + common(area, other), 0);
    return over + own * 10 + outside * 20;
  };
  const best = tried.reduce((one, at) => (hidden(at) < hidden(one) ? at : one));
  if (reachable || hidden(best) === 0 || others.length > SEARCHED_AMONG) return best;
  return nearestFree(box, card, { right, bottom }, [box, ...others]);
}

/** The place nearest to a box where a card hides no box at all; null if there is none. */
function nearestFree(
  box: Rect,
  card: Size,
  most: { right: number; bottom: number },
  taken: readonly Rect[],
): Corner | null {
  let found: Corner | null = null;
  let nearest = Infinity;
  for (let row = 0; row <= STEPS; row += 1) {
    for (let column = 0; column <= STEPS; column += 1) {
      const at = { left: (most.right * column) / STEPS, top: (most.bottom * row) / STEPS };
      const far = Math.hypot(
        at.left + card.width / 2 - box.x - box.width / 2,
        at.top + card.height / 2 - box.y - box.height / 2,
      );
      if (far >= nearest) continue;
      const area = { x: at.left, y: at.top, ...card };
      if (taken.some((one) => common(area, one) > 0)) continue;
      found = at;
      nearest = far;
    }
  }
  return found;
}

/** The area that two rectangles share. */
function common(one: Rect, other: Rect): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height =
    Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return Math.max(width, 0) * Math.max(height, 0);
}
