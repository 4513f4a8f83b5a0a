import type { TopLevelSpec } from "vega-lite";
import { fail } from "../../base/errors.ts";
import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import { didYouMean } from "../../base/nearest.ts";
import {
  type Axis,
  type AxisName,
  type AxisValue,
  type GridSite,
} from "../../intervenable/grid/site-grid.ts";
import { AlignmentScore, type AlignmentScoreFields } from "./alignment-score.ts";
import { tablePlot, type TablePlotOptions } from "./table-plot.ts";
import { tableLines } from "./table-text.ts";

/** A site of a grid with what was found there. */
export interface TableRow {
  /** A value of each axis. */
  readonly site: GridSite;
  /** How well the variable is there. */
  readonly score: AlignmentScore;
}

/** The fields of an {@link AlignmentTable}. */
export interface AlignmentTableFields {
  /** The axes of the grid with all their values. */
  readonly axes: readonly Axis[];
  /** Name of the metric. */
  readonly metric: string;
  /** Whether less of it is better. */
  readonly lowerIsBetter: boolean;
  /** The sites that have been evaluated, in the grid's order. */
  readonly rows: readonly TableRow[];
}

/** A table as JSON has it. */
export interface AlignmentTableJSON extends Omit<AlignmentTableFields, "rows"> {
  /** Each site with what was found there. */
  readonly rows: readonly {
    readonly site: GridSite;
    readonly score: AlignmentScoreFields;
  }[];
}

/** Values of some axes: one, or several of which any will do. */
export type SiteSelection = {
  readonly [K in AxisName]?: AxisValue | readonly AxisValue[];
};

const OP = "AlignmentTable";

/**
 * What was found at the sites of a grid, by named axes. `String(table)` is a table for the terminal, and
 * `plot()` a heat map.
 */
export class AlignmentTable implements AlignmentTableFields {
  readonly axes: readonly Axis[];
  readonly metric: string;
  readonly lowerIsBetter: boolean;
  readonly rows: readonly TableRow[];

  constructor({ axes, metric, lowerIsBetter, rows }: AlignmentTableFields) {
    this.axes = axes;
    this.metric = metric;
    this.lowerIsBetter = lowerIsBetter;
    this.rows = rows;
  }

  /** The sites from the best to the worst. */
  ranked(): readonly TableRow[] {
    const sign = this.lowerIsBetter ? 1 : -1;
    return this.rows.toSorted((a, b) => sign * (a.score.iia - b.score.iia));
  }

  /**
   * The part of the table with these values, such as `at({ layer: 1 })` or `at({ layer: [0, 1] })`.
   * @throws TsveneError for axes and values that the table does not have.
   */
  at(selection: SiteSelection): AlignmentTable {
    for (const name of Object.keys(selection)) {
      const names = this.axes.map((axis) => axis.name);
      if (names.some((known) => known === name)) continue;
      fail(OP, `there is no axis ${name}; ${didYouMean(name, names)}`);
    }
    const axes = this.axes.map((axis) => selected(axis, selection[axis.name]));
    const isIn = ({ site }: TableRow): boolean =>
      axes.every(({ name, values }) => values.some((value) => isSame(value, site[name])));
    return new AlignmentTable({ ...this.#fields(), axes, rows: this.rows.filter(isIn) });
  }

  /**
   * The score at one site: a value of each axis that has several.
   * @throws TsveneError where the values leave several sites, and for one that has not been evaluated.
   */
  scoreAt(selection: SiteSelection): AlignmentScore {
    const { rows } = this.at(selection);
    const [row] = rows;
    if (row !== undefined && rows.length === 1) return row.score;
    return fail(OP, `${rows.length} sites have ${JSON.stringify(selection)}; one was wanted`);
  }

  /**
   * A heat map as a Vega-Lite specification, for `saveSvg`. What there is without an alignment stands
   * under its title. Axes that are not drawn need one value: choose it with {@link at}.
   *
   * @throws TsveneError for more than two axes with several values.
   */
  plot(options: TablePlotOptions = {}): TopLevelSpec {
    return tablePlot(this, options);
  }

  /** Plain data: what {@link fromJSON} takes. */
  toJSON(): AlignmentTableJSON {
    const rows = this.rows.map(({ site, score }) => ({ site, score: score.toJSON() }));
    return { ...this.#fields(), rows };
  }

  /**
   * The table that {@link toJSON} gave, or a text of it.
   * @throws TsveneError for what is no table.
   */
  static fromJSON(json: AlignmentTableJSON | string): AlignmentTable {
    const { axes, metric, lowerIsBetter, rows } = (
      typeof json === "string" ? JSON.parse(json) : json
    ) as AlignmentTableJSON;
    if (!Array.isArray(axes) || !Array.isArray(rows)) {
      fail(OP, "this is no table: axes and rows were expected, as toJSON gives them");
    }
    return new AlignmentTable({
      axes,
      metric,
      lowerIsBetter,
      rows: rows.map(({ site, score }) => ({ site, score: new AlignmentScore(score) })),
    });
  }

  /** The accuracies by the two axes with the most values, and what they are to be compared with. */
  toString(): string {
    return tableLines(this).join("\n");
  }

  #fields(): AlignmentTableFields {
    const { axes, metric, lowerIsBetter, rows } = this;
    return { axes, metric, lowerIsBetter, rows };
  }
}

printsItself(AlignmentTable.prototype);
showsInNotebooks(AlignmentTable.prototype, (one) => one.plot());

/** An axis with the values of a selection. */
function selected(axis: Axis, wanted: AxisValue | readonly AxisValue[] | undefined): Axis {
  if (wanted === undefined) return axis;
  // A list may be one value, as dimensions are.
  const one = axis.values.find((value) => isSame(value, wanted as AxisValue));
  const list = one === undefined ? ([wanted].flat() as readonly AxisValue[]) : [one];
  for (const value of list) {
    if (axis.values.some((known) => isSame(known, value))) continue;
    const known = axis.values.map((each) => JSON.stringify(each)).join(", ");
    fail(OP, `${axis.name} has no value ${JSON.stringify(value)}; it has ${known}`);
  }
  return {
    ...axis,
    values: axis.values.filter((value) => list.some((each) => isSame(value, each))),
  };
}

function isSame(a: AxisValue | undefined, b: AxisValue | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
