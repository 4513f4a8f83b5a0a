import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions, type OptionNames } from "../../base/known-options.ts";
import type { InterventionKind } from "../../intervenable/config/intervention-kind.ts";
import type { Unit } from "../../intervenable/config/representation-config.ts";
import { axesOf } from "../../intervenable/grid/grid-axes.ts";
import type { Axis, AxisValues, GridSite, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import { Module } from "../../nn/module.ts";

/** A grid of sites in a model, each of which may be where a variable is. */
export interface AlignmentGrid<M extends Module = Module> {
  /** The model. */
  readonly model: M;
  /** The variable that is looked for, or several, one at a time: an axis of the table. */
  readonly variable: AxisValues<string>;
  /** Where it is looked for. */
  readonly sites: SiteGrid;
  /** What is done at each site: a class, or a class with options. @default VanillaIntervention */
  readonly intervention?: InterventionKind;
  /** What locations count, where the axes do not say it. @default "pos" */
  readonly unit?: Unit;
}

/** The variable that is looked for at a site. */
export function variableAt({ variable }: GridSite): string {
  return typeof variable === "string" ? variable : "";
}

const OP = "evalAlignment";

const GRID: OptionNames<AlignmentGrid> = {
  model: true,
  variable: true,
  sites: true,
  intervention: true,
  unit: true,
};

/**
 * The axes of a grid, the variables first.
 *
 * @param inputs - What the model takes, which says how many positions there are.
 * @throws TsveneError for what is no grid of a model.
 */
export function alignmentAxes(grid: AlignmentGrid, inputs: unknown): readonly Axis[] {
  requireKnownOptions(OP, grid, GRID);
  const { model, variable, sites } = grid;
  if (!(model instanceof Module)) {
    fail(OP, `model must be a model (a Module), got ${describeValue(model)}`);
  }
  if (variable !== undefined) return axesOf({ op: OP, model, inputs }, sites, variable);
  return fail(OP, "variable is missing: the name of the variable that is looked for");
}
