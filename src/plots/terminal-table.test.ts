import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { rampColor } from "./color-ramp.ts";
import { terminalTable } from "./terminal-table.ts";

const ESCAPE = "\u001b[";
const ROWS = ["layer 0", "layer 10"];
const COLUMNS = ["The", " capital", "首都"];
const VALUES = [
  [0, 0.255, 1],
  [-0.001, NaN, 0.5],
];

const PLAIN = [
  "Where it lives",
  "          The   capital  首都",
  "layer 0   0.00   0.26    1.00",
  "layer 10  0.00     –     0.50",
];

describe("terminalTable", () => {
  test("is plain text without colours", () => {
    const text = terminalTable(VALUES, {
      rows: ROWS,
      columns: COLUMNS,
      title: "Where it lives",
      valueTitle: "p",
      colors: "none",
    });
    expect(text.split("\n")).toEqual(PLAIN);
  });

  test("has the same text under its colours", () => {
    const options = { rows: ROWS, columns: COLUMNS, title: "Where it lives", valueTitle: "p" };
    for (const colors of ["24bit", "256"] as const) {
      const text = terminalTable(VALUES, { ...options, colors });
      const plain = stripVTControlCharacters(text).split("\n");
      expect(plain.slice(0, 4).map((line) => line.trimEnd())).toEqual(PLAIN);
      expect(plain.slice(4)).toEqual(["", `          0.00 ${" ".repeat(24)} 1.00 p`]);
    }
  });

  test("goes on below where the terminal is too narrow", () => {
    const options = { rows: ROWS, columns: COLUMNS, colors: "none" as const };
    const text = terminalTable(VALUES, { ...options, width: 26 });
    expect(text.split("\n")).toEqual([
      "          The   capital",
      "layer 0   0.00   0.26",
      "layer 10  0.00     –",
      "",
      "          首都",
      "layer 0   1.00",
      "layer 10  0.50",
    ]);
    expect(terminalTable(VALUES, { ...options, width: 1 }).split("\n")).toHaveLength(11);
  });

  test("colours each cell by its number", () => {
    const text = terminalTable([[0, 1]], { rows: ["a"], columns: ["b", "c"], colors: "24bit" });
    const ground = (t: number): string => rampColor("sequential", "terminal", t).join(";");
    expect(text.split("\n")[1]).toBe(
      `a ${ESCAPE}48;2;${ground(0)};38;2;255;255;255m 0.00 ${ESCAPE}0m` +
        `${ESCAPE}48;2;${ground(1)};38;2;16;18;22m 1.00 ${ESCAPE}0m`,
    );
  });

  test("takes the nearest of 256 colours", () => {
    const text = terminalTable([[0, 1]], { rows: ["a"], columns: ["b", "c"], colors: "256" });
    expect(text.split("\n")[1]).toBe(
      `a ${ESCAPE}48;5;17;38;5;231m 0.00 ${ESCAPE}0m${ESCAPE}48;5;221;38;5;16m 1.00 ${ESCAPE}0m`,
    );
  });

  test("writes controls in names as escapes", () => {
    const options = { rows: [`${ESCAPE}2J`], columns: ["a\nb"], colors: "none" as const };
    const lines = terminalTable([[1]], options).split("\n");
    expect(lines).toEqual(["           a\\nb", "\\u001b[2J  1.00"]);
  });

  test("refuses what does not fit, by its own name", () => {
    expect(() => terminalTable([[1, 2]], { rows: ["a"], columns: ["b"] })).toThrow(
      /terminalTable: row 0 has 2 values/,
    );
    const options = { rows: ["a"], columns: ["b"], colors: "rainbow" as "none" };
    expect(() => terminalTable([[1]], options)).toThrow(
      /colors must be one of "24bit", .*"none"; got "rainbow"/,
    );
  });
});
