import { expect, test } from "vitest";
import { terminalRows } from "./terminal-rows.ts";

const HEADS = ["tensor", "shape", "bytes"];
const ROWS = [
  ["transformer.h.0.attn.weight", "2 x 3", "24 B"],
  ["b\n", "3", "1.5 KiB"],
];

test("aligns columns on either side, with controls as escapes", () => {
  expect(terminalRows(HEADS, ROWS, { right: [2], colors: "none" }).split("\n")).toEqual([
    "tensor                       shape    bytes",
    "transformer.h.0.attn.weight  2 x 3     24 B",
    "b\\n                          3      1.5 KiB",
  ]);
});

test("shortens the first column in its middle where the terminal is narrow", () => {
  const lines = terminalRows(HEADS, ROWS, { width: 34, colors: "none" }).split("\n");
  expect(lines[1]).toMatch(/^transfo\S*…\S*weight {2}2 x 3 {2}24 B$/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(34);
});
