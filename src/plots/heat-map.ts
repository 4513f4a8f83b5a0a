import { type OptionNames, requireKnownOptions } from "../base/known-options.ts";
import type { TopLevelSpec } from "vega-lite";
import { cellTexts, colorOf, type Grid, type GridOptions, readGrid, textOf } from "./grid.ts";
import { hexColor, needsLightText, rampColor } from "./color-ramp.ts";
import { INK, plotConfig } from "./theme.ts";
import { textWidth } from "./text-width.ts";

/** How a heat map looks. */
export interface HeatMapOptions extends GridOptions {
  /** A second, smaller line under the title. */
  readonly subtitle?: string;
  /** What the rows are, such as "layer". */
  readonly rowTitle?: string;
  /** What the columns are, such as "token". */
  readonly columnTitle?: string;
  /** What the picture shows, for those who cannot see it. @default from the titles and the values */
  readonly description?: string;
  /** Write each number into its cell. @default up to 400 cells */
  readonly showValues?: boolean;
  /** Width and height of a cell in pixels. @default enough for the labels */
  readonly cellSize?: readonly [width: number, height: number];
}

type Layer = Extract<TopLevelSpec, { readonly layer: unknown }>["layer"][number];

const OP = "heatMap";
const OPTIONS: OptionNames<HeatMapOptions> = {
  rows: true,
  columns: true,
  title: true,
  valueTitle: true,
  domain: true,
  center: true,
  digits: true,
  texts: true,
  subtitle: true,
  rowTitle: true,
  columnTitle: true,
  description: true,
  showValues: true,
  cellSize: true,
};
/** Colour of a cell without a number: grey, which no ramp on paper is. */
const MISSING = "#d3d6da";
const GRADIENT_STEPS = 21;
const MOST_WRITTEN = 400;

/**
 * A heat map of a table of numbers, as a Vega-Lite specification: plain data, for `toSvg`,
 * `saveSvg` or any page that shows Vega-Lite.
 *
 * @param values - Numbers, row by row from the top; NaN leaves a cell empty.
 * @throws TsveneError when values and names do not fit.
 *
 * @example
 * ```ts
 * import { heatMap, toSvg } from "tsvene";
 * const spec = heatMap([[0, 0.25], [0.5, 1]], {
 *   rows: ["layer 0", "layer 1"],
 *   columns: ["The", " capital"],
 *   title: "Probability of Rome",
 *   valueTitle: "probability",
 * });
 * console.log(await toSvg(spec));
 * ```
 */
export function heatMap(
  values: readonly (readonly number[])[],
  options: HeatMapOptions,
): TopLevelSpec {
  const grid = readGrid(OP, values, options);
  requireKnownOptions(OP, options, OPTIONS);
  const { rows, columns, title, subtitle } = options;
  const isSmall = rows.length * columns.length <= MOST_WRITTEN;
  const showValues = options.showValues ?? (isSmall || grid.texts !== undefined);
  const [width, height] = options.cellSize ?? cellSize(grid, columns, showValues);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: options.description ?? describe(grid, options),
    ...(title === undefined ? {} : { title: { text: title, ...(subtitle && { subtitle }) } }),
    width: width * columns.length,
    height: height * rows.length,
    // Names are looked up by number: two columns may have the same name, as tokens often do.
    params: [
      { name: "rowNames", value: [...rows] },
      { name: "columnNames", value: [...columns] },
    ],
    data: { values: cells(grid, options) },
    encoding: {
      x: { field: "column", type: "ordinal", axis: axis("columnNames", options.columnTitle) },
      y: { field: "row", type: "ordinal", axis: axis("rowNames", options.rowTitle) },
    },
    layer: showValues ? [rectangles(grid, options), texts(width)] : [rectangles(grid, options)],
    config: plotConfig(),
  };
}

/** One cell of the map, as the specification's data hold it. */
interface Cell {
  readonly row: number;
  readonly column: number;
  readonly value: number | null;
  readonly text: string;
  readonly ink: string;
  readonly label: string;
}

function cells(grid: Grid, { rows, columns }: HeatMapOptions): Cell[] {
  const written = cellTexts(grid);
  return grid.values.flatMap((line, row) =>
    line.map((value, column) => {
      const text = written[row]?.[column] ?? "";
      const number = grid.texts === undefined ? text : `${text}, ${textOf(grid, value)}`;
      const color = colorOf(grid, "paper", value);
      return {
        row,
        column,
        value: color === undefined ? null : value,
        text,
        ink: color !== undefined && needsLightText(color) ? "#ffffff" : INK,
        label: `${rows[row] ?? ""}, ${columns[column] ?? ""}: ${color === undefined ? "no value" : number}`,
      };
    }),
  );
}

function axis(names: string, title: string | undefined): object {
  return {
    title: title ?? null,
    labelExpr: `${names}[datum.value]`,
    labelAngle: 0,
    labelOverlap: false,
    ...(names === "columnNames" ? { orient: "bottom" } : { titleAngle: -90 }),
  };
}

function rectangles(grid: Grid, { valueTitle }: HeatMapOptions): Layer {
  const steps = Array.from({ length: GRADIENT_STEPS }, (_, i) => i / (GRADIENT_STEPS - 1));
  const range = steps.map((t) => hexColor(rampColor(grid.kind, "paper", t)));
  return {
    mark: { type: "rect", stroke: "#ffffff", strokeWidth: 1, tooltip: { content: "data" } },
    encoding: {
      color: {
        condition: { test: "datum.value === null", value: MISSING },
        field: "value",
        type: "quantitative",
        scale: { domain: [...grid.domain], range, clamp: true },
        legend: { title: valueTitle ?? null, gradientThickness: 10, tickCount: 5 },
      },
      description: { field: "label", type: "nominal" },
      tooltip: [{ field: "label", type: "nominal", title: valueTitle ?? "value" }],
    },
  };
}

function texts(width: number): Layer {
  const fill = { expr: "datum.ink" };
  return {
    mark: { type: "text", fontSize: 12, fill, aria: false, limit: width - 4 },
    encoding: { text: { field: "text", type: "nominal" } },
  };
}

/** Wide enough for names and numbers, as far as a name can be kept on one line. */
function cellSize(
  grid: Grid,
  columns: readonly string[],
  showValues: boolean,
): readonly [number, number] {
  const written = showValues ? cellTexts(grid).flat() : [];
  const longest = [...columns, ...written].reduce(
    (most, text) => Math.max(most, textWidth(text, 12)),
    0,
  );
  const most = showValues ? 96 : 48;
  return [
    Math.min(Math.max(Math.ceil(longest) + 14, showValues ? 44 : 18), most),
    showValues ? 30 : 18,
  ];
}

function describe(grid: Grid, options: HeatMapOptions): string {
  const { values } = grid;
  const { rows, columns, title, valueTitle } = options;
  const what = `Heat map${title === undefined ? "" : `: ${title}`}.`;
  const size = `${rows.length} rows by ${columns.length} columns${valueTitle === undefined ? "" : ` of ${valueTitle}`}.`;
  const known = values.flat().filter((value) => !Number.isNaN(value));
  if (known.length === 0) return `${what} ${size}`;
  const most = known.reduce((a, b) => Math.max(a, b));
  const row = values.findIndex((line) => line.includes(most));
  const column = values[row]?.indexOf(most) ?? 0;
  const at = `${rows[row] ?? ""}, ${columns[column] ?? ""}`;
  return `${what} ${size} The greatest value, ${textOf(grid, most)}, is at ${at}.`;
}
