import { sitesOf } from "../../intervenable/grid/grid-axes.ts";
import {
  type Axis,
  type AxisName,
  type GridSite,
  siteKey,
  valueText,
} from "../../intervenable/grid/site-grid.ts";
import type { AlignmentScore } from "./alignment-score.ts";
import type { AlignmentTableFields } from "./alignment-table.ts";
import { numberText } from "./score-text.ts";

/** A part of a table with two axes: what is one heat map. */
export interface TableGrid {
  /** What the other axes are there. */
  readonly site: GridSite;
  readonly rowAxis: Axis | undefined;
  readonly columnAxis: Axis | undefined;
  /** Row by row; undefined for sites that have not been evaluated. */
  readonly scores: readonly (readonly (AlignmentScore | undefined)[])[];
}

/** The axes that a table is drawn by: those with several values, the last one across. */
export function drawnAxes(
  { axes }: Pick<AlignmentTableFields, "axes">,
  wanted: { readonly rows?: AxisName | undefined; readonly columns?: AxisName | undefined } = {},
): { readonly rows: Axis | undefined; readonly columns: Axis | undefined } {
  const long = axes.filter(({ values }) => values.length > 1);
  const find = (name: AxisName | undefined): Axis | undefined =>
    axes.find((axis) => axis.name === name);
  const columns = find(wanted.columns) ?? long.findLast(({ name }) => name !== wanted.rows);
  const rows = find(wanted.rows) ?? long.findLast(({ name }) => name !== columns?.name);
  return { rows, columns };
}

/** One part for each choice of the axes that are not drawn. */
export function gridsOf(
  table: Pick<AlignmentTableFields, "axes" | "rows">,
  { rows: rowAxis, columns: columnAxis }: ReturnType<typeof drawnAxes>,
): readonly TableGrid[] {
  const scores = new Map(table.rows.map(({ site, score }) => [siteKey(site), score]));
  const others = table.axes.filter(
    ({ name }) => name !== rowAxis?.name && name !== columnAxis?.name,
  );
  return sitesOf(others).map((site) => ({
    site,
    rowAxis,
    columnAxis,
    scores: sitesOf(rowAxis === undefined ? [] : [rowAxis]).map((row) =>
      sitesOf(columnAxis === undefined ? [] : [columnAxis]).map((column) =>
        scores.get(siteKey({ ...site, ...row, ...column })),
      ),
    ),
  }));
}

/** Values of an axis as they are written beside a table. */
export function axisNames(axis: Axis | undefined): string[] {
  return axis === undefined ? [""] : axis.values.map(valueText);
}

/** The same where no title says what they are: "layer 0". */
export function longNames(axis: Axis | undefined): string[] {
  const isNumber = axis?.values.every((value) => typeof value === "number");
  return axisNames(axis).map((name) => (isNumber ? `${axis?.name} ${name}` : name));
}

/** A site as words: "sum, layer 1, block_output". */
export function siteText(site: GridSite): string {
  return Object.entries(site)
    .map(([name, value]) => (typeof value === "string" ? value : `${name} ${valueText(value)}`))
    .join(", ");
}

/** What a table's numbers are, in words. */
export function metricText({
  metric,
  lowerIsBetter,
}: Pick<AlignmentTableFields, "metric" | "lowerIsBetter">): string {
  const isAccuracy = metric === "argmax" || metric === "pairwise";
  const name = isAccuracy ? `interchange accuracy (${metric})` : metric;
  return lowerIsBetter ? `${name}, lower is better` : name;
}

/** What scores are to be compared with, in words: "500 examples, no edit 0.094, full swap 0.07 to 0.998". */
export function controlsText(scores: readonly AlignmentScore[]): string {
  const of = (pick: (score: AlignmentScore) => number | undefined): number[] =>
    scores.flatMap((score) => pick(score) ?? []);
  const ranges: [string, number[]][] = [
    ["examples", of(({ n }) => n)],
    ["no edit", of(({ controls }) => controls.noEdit)],
    ["majority", of(({ controls }) => controls.majority)],
    ["full swap", of(({ controls }) => controls.fullSwap)],
    ["random", of(({ controls }) => controls.random?.mean)],
  ];
  return ranges
    .flatMap(([name, values]) => (values.length === 0 ? [] : rangeText(name, values)))
    .join(", ");
}

function rangeText(name: string, values: readonly number[]): string {
  const text = (value: number): string =>
    name === "examples" ? value.toLocaleString("en") : numberText(value);
  const [least, most] = [Math.min(...values), Math.max(...values)].map(text);
  const range = least === most ? least : `${least} to ${most}`;
  return name === "examples" ? `${range} examples` : `${name} ${range}`;
}
