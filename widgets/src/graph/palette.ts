/** Colours of the theme for a canvas, which cannot read the variables of a style sheet. */

/** What the drawing needs; names of tokens in theme.css. */
export const TOKENS = [
  "bg",
  "ink",
  "muted",
  "line",
  "edge",
  "active",
  "attention",
  "good",
  "bad",
  "attention-tint",
  "good-tint",
  "bad-tint",
] as const;

export type Token = (typeof TOKENS)[number];
export type Palette = Readonly<Record<Token, string>>;

/** Where the system sets all colours, it has one for the ground and one for the rest. */
const forcedColour = (token: Token): string =>
  token === "bg" || token.endsWith("-tint") ? "Canvas" : "CanvasText";

/**
 * The colours as they are at this moment below an element.
 *
 * Each is set on a child that is not shown and read back as computed, because the tokens are
 * mixtures of other variables.
 */
export function readPalette(probe: HTMLElement): Palette {
  const forced = globalThis.matchMedia?.("(forced-colors: active)").matches ?? false;
  while (probe.children.length < TOKENS.length)
    probe.append(probe.ownerDocument.createElement("i"));
  TOKENS.forEach((token, at) => {
    const child = probe.children[at] as HTMLElement;
    child.style.color = forced ? forcedColour(token) : `var(--${token})`;
  });
  const read = TOKENS.map((token, at): [Token, string] => {
    const child = probe.children[at];
    return [token, (child && getComputedStyle(child).color) || "#808080"];
  });
  return Object.fromEntries(read) as Record<Token, string>;
}

/** Call `changed` when the theme may have changed, until the function it returns is called. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  const attributes = { attributes: true };
  observer.observe(document.documentElement, attributes);
  observer.observe(document.body, attributes);
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    matchMedia(query),
  );
  for (const query of queries) query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", changed);
  };
}
