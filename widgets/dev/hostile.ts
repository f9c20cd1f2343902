import type { Picture } from "../src/protocol";

const TEXTS: readonly string[] = [
  "<script>window.caught=1</script>",
  '"><img src=x onerror=window.caught=2>',
  "[click](javascript:window.caught=3)",
  "\u001b[31mred\u001b[0m and \u202egpj.exe and zero\u200bwidth",
  "W".repeat(100_000),
  "a line\n".repeat(200),
];
const FIELDS: ReadonlySet<string> = new Set(["goal", "note", "error", "text", "role", "by"]);
const NAME = "prove-findings";

/** The same picture with the worst in each field that agents and people may fill. */
export function hostile(picture: Picture): Picture {
  let turn = 0;
  const worst = (key: string, value: unknown): unknown => {
    if (typeof value !== "string" || !FIELDS.has(key) || value === "") return value;
    turn += 1;
    return TEXTS[turn % TEXTS.length];
  };
  const longName = JSON.stringify(picture, worst).replaceAll(NAME, `${NAME}-${"w".repeat(90)}`);
  return JSON.parse(longName) as Picture;
}
