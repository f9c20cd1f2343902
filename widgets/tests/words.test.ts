import { describe, expect, it } from "vitest";
import { line, money, shown } from "../src/words";

describe("text of strangers", () => {
  it("keeps joiners, without which Persian and emoji are written wrongly", () => {
    expect(shown("می\u200cخواهم")).toBe("می\u200cخواهم");
    expect(line("👩\u200d💻")).toBe("👩\u200d💻");
    expect(shown("\u0600١")).toBe("\u0600١");
  });

  it("writes out what hides or turns text", () => {
    expect(shown("a\u202eb\u200bc\u00add\u2060e\ufefff")).toBe(
      "a\\u202eb\\u200bc\\u00add\\u2060e\\ufefff",
    );
    expect(shown("\u001b[31m\u0085")).toBe("\\u001b[31m\\u0085");
    expect(shown("tag\u{e0041}")).toBe("tag\\ue0041");
  });

  it("writes out half a letter", () => {
    expect(shown("a\ud800b")).toBe("a\\ud800b");
    expect(shown("👩👩", 3)).toBe("👩…");
  });
});

it("writes an amount as Python does", () => {
  const amounts = [0, 0.3, 12.5, 0.0157, 0.02, 0.00042, 1234.5, 0.1];
  expect(amounts.map(money)).toEqual([
    ..."$0.00 $0.30 $12.50 $0.016 $0.02 $0.00042 $1,234.50 $0.10".split(" "),
  ]);
});
