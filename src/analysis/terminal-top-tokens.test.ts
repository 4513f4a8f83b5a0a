import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { terminalTopTokens } from "./terminal-top-tokens.ts";

const before = [
  { id: 1, token: " Madrid", probability: 0.75 },
  { id: 2, token: "\n", probability: 0.0625 },
];
const after = [{ id: 3, token: " Rome", probability: 1 }];

describe("terminalTopTokens", () => {
  test("sets lists side by side, with bars to an eighth of a cell", () => {
    const options = { title: "Next", barWidth: 4, colors: "none" as const };
    const text = terminalTopTokens({ before, "after it": after }, options);
    expect(text.split("\n")).toEqual([
      "Next",
      "before                    after it",
      '" Madrid"   75.0% ███     " Rome"  100.0% ████',
      '"\\n"         6.3% ▎',
    ]);
  });

  test("draws nothing for what cannot come, and tells it from what hardly does", () => {
    const rare = [
      { id: 1, token: "a", probability: 1e-9 },
      { id: 2, token: "b", probability: 0 },
    ];
    expect(terminalTopTokens({ rare }, { colors: "none" })).toBe('rare\n"a"   <0.1%\n"b"    0.0%');
  });

  test("has the same text under its colours", () => {
    const [plain, colored] = (["none", "24bit"] as const).map((colors) =>
      terminalTopTokens({ before, after }, { colors }),
    );
    expect(colored).toContain("\u001b[38;2;");
    expect(stripVTControlCharacters(colored ?? "")).toBe(plain);
  });

  test("refuses a bar without room", () => {
    expect(() => terminalTopTokens({ before }, { barWidth: 0 })).toThrow(/barWidth/);
  });
});
