import { describe, expect, test } from "vitest";
import { terminalColumns, wrapText } from "./terminal-columns.ts";
import { terminalWidth } from "./text-width.ts";

const TEXT = "One morning, a little girl 首都の人 was at theveryverylongschool.\n\nThe end";

describe("wrapText", () => {
  test("breaks at spaces, and words that are too long", () => {
    expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrapText("abcdefghij kl", 4)).toEqual(["abcd", "efgh", "ij", "kl"]);
    expect(wrapText("a\n\nb", 4)).toEqual(["a", "", "b"]);
    expect(wrapText("", 4)).toEqual([""]);
  });

  test("keeps all characters, and no line is too wide", () => {
    for (const width of [8, 9, 13, 40]) {
      const lines = wrapText(TEXT, width);
      expect(lines.join("").replaceAll(" ", "")).toBe(TEXT.replaceAll(/\s/g, ""));
      expect(Math.max(...lines.map(terminalWidth))).toBeLessThanOrEqual(width);
    }
  });

  test("changes only the last line when more text comes", () => {
    let before: string[] = [];
    for (let end = 1; end <= TEXT.length; end++) {
      const lines = wrapText(TEXT.slice(0, end), 11);
      expect(lines.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      before = lines;
    }
  });

  test("lets no control through", () => {
    expect(wrapText("a\u001b[2Jb\tc\r", 40)).toEqual(["a�[2Jb    c�"]);
  });
});

test("terminalColumns sets texts side by side", () => {
  const columns = [
    { title: "as it is", text: "one two three" },
    { title: "with", text: "four" },
  ];
  expect(terminalColumns(columns, { width: 21, colors: "none" }).split("\n")).toEqual([
    "as it is    with",
    "one two     four",
    "three",
  ]);
});
