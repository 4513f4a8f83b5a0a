import { fixed } from "../base/fixed.ts";
import { describeValue } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { rampColor, type RampKind, type Rgb, type Surface } from "./color-ramp.ts";

/** How the numbers of a table are named and coloured. */
export interface GridOptions {
  /** Names of the rows, from the top. */
  readonly rows: readonly string[];
  /** Names of the columns, from the left. */
  readonly columns: readonly string[];
  /** Text above the plot. @default none */
  readonly title?: string;
  /** What the numbers are, such as "probability". */
  readonly valueTitle?: string;
  /** Numbers at the ends of the colours; beyond them the end's colour. @default the values' own */
  readonly domain?: readonly [least: number, most: number];
  /**
   * The number at the middle of a diverging colour scale, such as 0 for differences. The scale then
   * reaches equally far to both sides.
   * @default none: colours run one way, from least to most
   */
  readonly center?: number;
  /** Digits after the point. @default 2 */
  readonly digits?: number;
  /** What is written in the cells, row by row. @default the numbers */
  readonly texts?: readonly (readonly string[])[];
}

/** A table of numbers that was checked, with the scale of its colours. */
export interface Grid {
  readonly values: readonly (readonly number[])[];
  readonly kind: RampKind;
  readonly domain: readonly [least: number, most: number];
  readonly digits: number;
  readonly texts?: readonly (readonly string[])[];
}

/**
 * Checks a table of numbers and settles its scale. NaN means that a number is missing.
 * @throws TsveneError when names and numbers do not fit, or a number is infinite.
 */
export function readGrid(
  op: string,
  values: readonly (readonly number[])[],
  options: GridOptions,
): Grid {
  requireRows(op, values);
  const word = values.flat().find((value) => typeof value !== "number");
  if (word !== undefined) fail(op, `expected rows of numbers, got ${describeValue(word)} in them`);
  const { rows, columns, center, digits = 2, texts } = options ?? {};
  if (!Array.isArray(rows) || !Array.isArray(columns)) {
    fail(op, "expected the names of rows and columns: { rows: [...], columns: [...] }");
  }
  if (rows.length === 0 || columns.length === 0) fail(op, "expected at least one row and column");
  if (values.length !== rows.length) {
    fail(op, `${values.length} rows of values, but ${rows.length} names in rows`);
  }
  for (const [i, row] of values.entries()) {
    if (row.length === columns.length) continue;
    fail(op, `row ${i} has ${row.length} values, but there are ${columns.length} names in columns`);
  }
  const isTold = texts === undefined || sizesOf(texts) === sizesOf(values);
  if (!isTold) fail(op, "texts must be as many as values, row by row");
  const infinite = values.flat().find((value) => Math.abs(value) === Infinity);
  if (infinite !== undefined) fail(op, `cannot colour ${infinite}; use NaN for what is missing`);
  if (center !== undefined && !Number.isFinite(center)) fail(op, `center must be finite`);
  if (!Number.isInteger(digits) || digits < 0 || digits > 20) {
    fail(op, `digits must be a whole number from 0 to 20, got ${digits}`);
  }
  const domain = center === undefined ? options.domain : around(center, values, options.domain);
  return {
    values,
    kind: center === undefined ? "sequential" : "diverging",
    domain: checkDomain(op, domain ?? extent(values)),
    digits,
    ...(texts && { texts }),
  };
}

function sizesOf(rows: readonly (readonly unknown[])[]): string {
  return rows.map(({ length }) => length).join();
}

/** Values come from JavaScript too: rows of numbers, not one row, a tensor or a promise. */
function requireRows(op: string, values: unknown): void {
  const isRows = Array.isArray(values) && values.every((row) => Array.isArray(row));
  if (isRows) return;
  const advice = Array.isArray(values)
    ? "put one row into a list: [values]"
    : "of a tensor [rows, columns], pass await tensor.toArray(2)";
  fail(op, `expected rows of numbers, got ${describeValue(values)}; ${advice}`);
}

/** The colour of a number on the grid's scale; undefined for one that is missing. */
export function colorOf(
  { kind, domain: [least, most] }: Grid,
  surface: Surface,
  value: number,
): Rgb | undefined {
  if (Number.isNaN(value)) return undefined;
  return rampColor(kind, surface, (value - least) / (most - least));
}

/** What is written where a number is missing. */
export const MISSING = "–";

/** A number as it is written in a cell. */
export function textOf({ digits }: Pick<Grid, "digits">, value: number): string {
  return Number.isNaN(value) ? MISSING : fixed(value, digits);
}

/** What is written in each cell: a text of its own, or the number. */
export function cellTexts(grid: Grid): readonly (readonly string[])[] {
  return grid.texts ?? grid.values.map((line) => line.map((value) => textOf(grid, value)));
}

function checkDomain(op: string, [least, most]: Grid["domain"]): Grid["domain"] {
  if (Number.isFinite(least) && Number.isFinite(most) && least <= most) {
    return least === most ? [least - 0.5, most + 0.5] : [least, most];
  }
  return fail(op, `domain must be two numbers [least, most], got [${least}, ${most}]`);
}

function extent(values: readonly (readonly number[])[]): Grid["domain"] {
  const known = values.flat().filter((value) => !Number.isNaN(value));
  if (known.length === 0) return [0, 1];
  return known.reduce<Grid["domain"]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  );
}

function around(
  center: number,
  values: readonly (readonly number[])[],
  given: Grid["domain"] | undefined,
): Grid["domain"] {
  const [least, most] = given ?? extent(values);
  const reach = Math.max(Math.abs(least - center), Math.abs(most - center));
  return [center - reach, center + reach];
}
