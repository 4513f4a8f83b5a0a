import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions, type OptionNames } from "../../base/known-options.ts";
import { heatMap } from "../../plots/heat-map.ts";
import type { Axis, AxisName } from "../../intervenable/grid/site-grid.ts";
import type { AlignmentTableFields } from "./alignment-table.ts";
import { axisNames, controlsText, drawnAxes, gridsOf, metricText, siteText } from "./table-grid.ts";

/** How a table of sites is drawn. */
export interface TablePlotOptions {
  /** The axis from top to bottom. @default the last but one of those with several values */
  readonly rows?: AxisName;
  /** The axis from left to right. @default the last one with several values */
  readonly columns?: AxisName;
  /** @default the metric, and the values of the axes that are not drawn */
  readonly title?: string;
  /** What values are called, by axis, such as the tokens at positions. @default the values */
  readonly names?: { readonly [K in AxisName]?: readonly string[] };
  /** Numbers at the ends of the colours. @default 0 and 1 for shares, and otherwise the values' own */
  readonly domain?: readonly [least: number, most: number];
}

const OP = "AlignmentTable.plot";
const OPTIONS: OptionNames<TablePlotOptions> = {
  rows: true,
  columns: true,
  title: true,
  names: true,
  domain: true,
};
/** Values of these metrics lie from 0 to 1. */
const SHARES = ["argmax", "pairwise"];

/** A heat map of a table, with what it is to be compared with under its title. */
export function tablePlot(table: AlignmentTableFields, options: TablePlotOptions): TopLevelSpec {
  requireKnownOptions(OP, options, OPTIONS);
  const [grid, ...others] = gridsOf(table, drawnAxes(table, options));
  if (grid === undefined || others.length > 0) {
    const long = table.axes.filter(({ values }) => values.length > 1).map(({ name }) => name);
    return fail(
      OP,
      `a heat map has two axes, but ${long.join(", ")} have several values; choose one of the others: ` +
        `table.at({ ${long[0] ?? "layer"}: ... }).plot()`,
    );
  }
  const { site, rowAxis, columnAxis, scores } = grid;
  const known = scores.flat().flatMap((score) => score ?? []);
  const { domain, names = {} } = options;
  const namesOf = (axis: Axis | undefined): readonly string[] =>
    (axis && names[axis.name]) ?? axisNames(axis);
  const ends = domain ?? (SHARES.includes(table.metric) ? ([0, 1] as const) : undefined);
  const what = metricText(table);
  return heatMap(
    scores.map((line) => line.map((score) => score?.iia ?? NaN)),
    {
      rows: namesOf(rowAxis),
      columns: namesOf(columnAxis),
      ...(rowAxis && { rowTitle: rowAxis.name }),
      ...(columnAxis && { columnTitle: columnAxis.name }),
      title:
        options.title ?? `${what.slice(0, 1).toUpperCase()}${what.slice(1)} of ${siteText(site)}`,
      subtitle: controlsText(known),
      valueTitle: table.lowerIsBetter ? "lower is better" : table.metric,
      ...(ends && { domain: ends }),
    },
  );
}
