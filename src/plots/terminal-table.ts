import {
  cellTexts,
  colorOf,
  type Grid,
  type GridOptions,
  MISSING,
  readGrid,
  textOf,
} from "./grid.ts";
import { needsLightText, type Rgb, rampColor } from "./color-ramp.ts";
import { type Painter, painter, type TerminalOptions } from "./terminal-colors.ts";
import { alignCenter, alignLeft, oneLine, widest } from "./terminal-text.ts";

/** How a table in the terminal looks. */
export interface TerminalTableOptions extends GridOptions, TerminalOptions {
  /** Columns of the terminal: what does not fit beside the rest comes below it. @default any */
  readonly width?: number;
}

const LIGHT: Rgb = [255, 255, 255];
const DARK: Rgb = [16, 18, 22];
const LEGEND_CELLS = 24;

/**
 * A table of numbers for the terminal, every cell on the colour of its number. Where colours are not
 * shown, the numbers are shown alone.
 *
 * @param values - Numbers, row by row from the top; NaN leaves a cell empty.
 * @returns Lines without a line break at the end.
 * @throws TsveneError when values and names do not fit.
 *
 * @example
 * ```ts
 * import { terminalTable } from "tsvene";
 * const rows = ["layer 0", "layer 1"];
 * console.log(terminalTable([[0, 0.25], [0.5, 1]], { rows, columns: ["The", " capital"] }));
 * ```
 */
export function terminalTable(
  values: readonly (readonly number[])[],
  options: TerminalTableOptions,
): string {
  const grid = readGrid("terminalTable", values, options);
  const pen = painter("terminalTable", options);
  const { title = options.valueTitle, width: most = Infinity } = options;
  const rows = options.rows.map((name) => oneLine(name.trim()));
  const columns = options.columns.map((name) => oneLine(name.trim()));
  const written = cellTexts(grid).map((line) => line.map((text) => oneLine(text.trim())));
  const width = widest(written.flat());
  const texts = written.map((line) =>
    line.map((text) => (text === MISSING || grid.texts ? text : text.padStart(width))),
  );
  const margin = widest(rows);
  const widths = columns.map(
    (name, j) => widest([name, ...texts.map((line) => line[j] ?? "")]) + 2,
  );
  const parts = fitting(widths, most - margin - 1);
  const lines = parts.flatMap(([from, to], part) => {
    const header = columns
      .slice(from, to)
      .map((name, j) => alignCenter(name, widths[from + j] ?? 0));
    const body = grid.values.map((line, i) => {
      const cells = line.slice(from, to).map((value, j) => {
        const text = alignCenter(texts[i]?.[from + j] ?? "", widths[from + j] ?? 0);
        return cell(grid, pen, value, text);
      });
      return `${alignLeft(rows[i] ?? "", margin)} ${cells.join("")}`;
    });
    return [...(part === 0 ? [] : [""]), `${" ".repeat(margin)} ${header.join("")}`, ...body];
  });
  return [
    ...(title === undefined ? [] : [pen.bold(title)]),
    ...lines,
    ...legend(grid, pen, margin, options.valueTitle),
  ]
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Ranges of columns that fit into a width side by side; one at least is in each. */
function fitting(widths: readonly number[], most: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  let used = Infinity;
  for (const [j, width] of widths.entries()) {
    used += width;
    const open = ranges.at(-1);
    if (open !== undefined && used <= most) open[1] = j + 1;
    else {
      ranges.push([j, j + 1]);
      used = width;
    }
  }
  return ranges;
}

function cell(grid: Grid, pen: Painter, value: number, text: string): string {
  const color = colorOf(grid, "terminal", value);
  return color === undefined ? text : pen.on(color, inkOn(color), text);
}

function inkOn(color: Rgb): Rgb {
  return needsLightText(color) ? LIGHT : DARK;
}

/** What the colours mean, where there are colours. */
function legend(grid: Grid, pen: Painter, margin: number, title: string | undefined): string[] {
  if (pen.mode === "none") return [];
  const [least, most] = grid.domain;
  const ramp = Array.from({ length: LEGEND_CELLS }, (_, i) => {
    const color = rampColor(grid.kind, "terminal", i / (LEGEND_CELLS - 1));
    return pen.on(color, color, " ");
  });
  const name = title === undefined ? "" : ` ${title}`;
  const text = `${textOf(grid, least)} ${ramp.join("")} ${textOf(grid, most)}${pen.dim(name)}`;
  return ["", pad(margin, text)];
}

function pad(margin: number, text: string): string {
  return `${" ".repeat(margin + 2)}${text}`;
}
