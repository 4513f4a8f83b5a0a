import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { heatMap, type HeatMapOptions } from "../../plots/heat-map.ts";
import { heatMaps } from "../../plots/heat-maps.ts";
import { terminalTable, type TerminalTableOptions } from "../../plots/terminal-table.ts";
import type { NamedArray } from "./named-array.ts";
import { labelsOf, type NamedAxis } from "./named-axis.ts";

/** How a {@link NamedArray} is drawn. */
export interface ArrayPlotOptions extends Pick<
  HeatMapOptions,
  "title" | "subtitle" | "domain" | "digits" | "showValues" | "valueTitle"
> {
  /** The axis from top to bottom. @default the last but one with several values */
  readonly rows?: string;
  /** The axis from left to right. @default the last one with several values */
  readonly columns?: string;
  /** The number at the middle of the colours. @default 0 where a number is below it */
  readonly center?: number;
  /** The first row at the bottom, as lenses are drawn. @default false */
  readonly upwards?: boolean;
}

const OP = "plot";
const OPTIONS: OptionNames<ArrayPlotOptions> = {
  rows: true,
  columns: true,
  title: true,
  subtitle: true,
  domain: true,
  center: true,
  digits: true,
  showValues: true,
  valueTitle: true,
  upwards: true,
};

/** How many axes with several values tables can have: rows, columns, and one table for each value of another. */
const DRAWN = 3;

/** A table of numbers with its names. */
interface Panel {
  readonly title: string;
  readonly values: number[][];
  readonly rows: NamedAxis | undefined;
  readonly columns: NamedAxis | undefined;
}

/** A heat map, or one for each value of the axis that is not drawn. */
export function arrayPlot(array: NamedArray, options: ArrayPlotOptions): TopLevelSpec {
  requireKnownOptions(OP, options, OPTIONS);
  const { rows: _, columns: __, upwards = false, subtitle, ...rest } = options;
  const panels = panelsOf(array, options);
  const [first] = panels;
  if (first === undefined) return fail(OP, "there is nothing to draw");
  const look = { ...colorsOf(array), title: array.name, valueTitle: array.name, ...rest };
  const drawn = panels.map(({ title, values, rows, columns }) => {
    const names = { rows: namesOf(rows), columns: namesOf(columns) };
    const isTurned = upwards && values.length > 1;
    return {
      values: isTurned ? values.toReversed() : values,
      options: {
        ...look,
        ...(panels.length === 1 ? { ...(subtitle && { subtitle }) } : { title }),
        rows: isTurned ? names.rows.toReversed() : names.rows,
        columns: names.columns,
        ...(rows && { rowTitle: rows.name }),
        ...(columns && { columnTitle: columns.name }),
      },
    };
  });
  const [only, ...others] = drawn;
  if (only !== undefined && others.length === 0) return heatMap(only.values, only.options);
  return heatMaps(drawn, { title: look.title, ...(subtitle && { subtitle }) });
}

/** The same as tables for the terminal. */
export function arrayText(
  array: NamedArray,
  { title = array.name, ...options }: Partial<TerminalTableOptions> = {},
): string {
  if (array.axes.length === 0) return `${title}: ${String(array.values[0])}`;
  const long = array.axes.filter(({ values }) => values.length > 1);
  if (long.length > DRAWN) {
    // Printing must not fail, as a debugger does it unasked.
    const sizes = array.axes.map(({ name, values }) => `${values.length} ${name}`);
    return `${title}: ${sizes.join(" x ")}`;
  }
  const panels = panelsOf(array, {}).map(({ title: part, values, rows, columns }) => {
    const table = terminalTable(values, {
      digits: 3,
      ...colorsOf(array),
      ...options,
      rows: longNamesOf(rows),
      columns: longNamesOf(columns),
    });
    // Names of an axis that is not drawn are none, and so is a heading of these.
    const named = table.replace(/^ *\n/, "");
    return part === "" ? named : `${part}\n${named}`;
  });
  return `${title}\n${panels.join("\n\n")}`;
}

/** Differences are coloured around 0; numbers of one sign from least to most. */
function colorsOf({ values }: NamedArray): { readonly center?: number } {
  return values.some((value) => value < 0) ? { center: 0 } : {};
}

function panelsOf(
  array: NamedArray,
  wanted: Pick<ArrayPlotOptions, "rows" | "columns">,
): readonly Panel[] {
  const long = array.axes.filter(({ values }) => values.length > 1);
  const named = (name: string | undefined): NamedAxis | undefined =>
    name === undefined ? undefined : array.axis(name);
  const columns = named(wanted.columns) ?? long.findLast(({ name }) => name !== wanted.rows);
  const rows = named(wanted.rows) ?? long.findLast(({ name }) => name !== columns?.name);
  const others = long.filter((axis) => axis !== rows && axis !== columns);
  const [panels, ...more] = others;
  if (more.length > 0) {
    const names = long.map(({ name }) => name).join(", ");
    fail(OP, `${names} have several values; choose one of a few: at({ ${more[0]?.name}: ... })`);
  }
  return choicesOf(panels).map(({ title, selection }) => {
    const part = array.at({ ...singles(array, rows, columns, panels), ...selection });
    return { title, values: table(part, rows, columns), rows, columns };
  });
}

/** Axes of one value that are not drawn, with that value. */
function singles(
  { axes }: NamedArray,
  ...drawn: readonly (NamedAxis | undefined)[]
): Record<string, NamedAxis["values"][number]> {
  return Object.fromEntries(
    axes
      .filter((axis) => !drawn.includes(axis))
      .flatMap(({ name, values: [value] }) => (value === undefined ? [] : [[name, value]])),
  );
}

function choicesOf(
  axis: NamedAxis | undefined,
): readonly { readonly title: string; readonly selection: Record<string, never> | object }[] {
  if (axis === undefined) return [{ title: "", selection: {} }];
  const names = longNamesOf(axis);
  return axis.values.map((value, i) => ({
    title: names[i] ?? "",
    selection: { [axis.name]: value },
  }));
}

function table(
  part: NamedArray,
  rows: NamedAxis | undefined,
  columns: NamedAxis | undefined,
): number[][] {
  return (rows?.values ?? [undefined]).map((row) => {
    const line = rows === undefined || row === undefined ? part : part.at({ [rows.name]: row });
    return (columns?.values ?? [undefined]).map((column) =>
      columns === undefined || column === undefined
        ? line.valueAt({})
        : line.valueAt({ [columns.name]: column }),
    );
  });
}

function namesOf(axis: NamedAxis | undefined): readonly string[] {
  return axis === undefined ? [""] : labelsOf(axis);
}

/** Names where no title says what they are: "layer 0". */
function longNamesOf(axis: NamedAxis | undefined): readonly string[] {
  if (axis === undefined) return [""];
  return labelsOf(axis).map((label, i) => {
    const isBare = typeof axis.values[i] === "number" && label === String(axis.values[i]);
    return isBare ? `${axis.name} ${label}` : label;
  });
}
