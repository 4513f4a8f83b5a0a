import { expect, test } from "vitest";
import { terminalTokens, tokenStrip, tokenStripHtml } from "./token-strip.ts";
import { toSvg } from "./to-svg.ts";

const TOKENS = ["The", " <cat>", " sat", "\n", "here"];
const VALUES = [0, 2, -2, NaN, 1];

test("draws each token once, on lines that are broken where they are full or the text says so", async () => {
  const spec = tokenStrip(TOKENS, VALUES, { center: 0, title: "Cats", width: 100 });
  const data = (spec as { data: { values: { token: string; y: number; x: number }[] } }).data
    .values;
  expect(data.map(({ token }) => token)).toEqual(["The", "<cat>", "sat", "↵", "here"]);
  expect(data.at(-1)).toMatchObject({ x: 0 });
  expect(data.at(-1)?.y).toBeGreaterThan(data[3]?.y ?? NaN);
  const svg = await toSvg(spec);
  for (const text of ["&lt;cat&gt;", "Cats", "here"]) expect(svg).toContain(text);
});

test("writes the same as HTML and for the terminal", () => {
  const html = tokenStripHtml(TOKENS, VALUES, { center: 0, title: "A < B" });
  expect(html).toContain("A &lt; B");
  expect(html).toContain('title="−2.00"> sat</span>');
  expect(terminalTokens(["a", " b"], [1, NaN], { colors: "none" })).toBe("a[1.00] b[–]");
  expect(terminalTokens(["a", " b"], [1, 2], { colors: "24bit" })).toContain("[48;2;");
});

test("refuses tokens and numbers that are not as many", () => {
  expect(() => tokenStrip(TOKENS, [1])).toThrow(/row 0 has 1 values/);
  expect(() => tokenStrip([], [])).toThrow(/at least one row and column/);
});
