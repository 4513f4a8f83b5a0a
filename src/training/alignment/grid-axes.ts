import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions, type OptionNames } from "../../base/known-options.ts";
import { batchOf } from "../../intervenable/units/batch-rows.ts";
import { type BoundCard, cardOf } from "../../models/model/bound-card.ts";
import { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";
import {
  type AlignmentGrid,
  type AlignmentSites,
  AXES,
  type Axis,
  type AxisName,
  type AxisValue,
  type GridSite,
} from "./alignment-grid.ts";

const OP = "evalAlignment";

const GRID: OptionNames<AlignmentGrid> = {
  model: true,
  variable: true,
  sites: true,
  intervention: true,
  unit: true,
};

const SITES: OptionNames<AlignmentSites> = {
  layer: true,
  component: true,
  path: true,
  position: true,
  head: true,
  step: true,
  dimensions: true,
};

/** What "all" means along an axis: how many values there are. */
type Counted = (given: {
  readonly grid: AlignmentGrid;
  readonly card: BoundCard | undefined;
  readonly inputs: unknown;
}) => number | undefined;

const ALL: { readonly [K in AxisName]?: Counted } = {
  layer: ({ card }) => card?.layers,
  head: ({ card, grid: { sites } }) =>
    typeof sites.component === "string" ? card?.components.get(sites.component)?.heads : undefined,
  position: ({ inputs }) => lengthOf(inputs),
};

/**
 * The axes of a grid, those of a single value too.
 *
 * @param inputs - What the model takes, which says how many positions there are.
 * @throws TsveneError for axes that are unknown, that have no values, or that contradict each other.
 */
export function axesOf(grid: AlignmentGrid, inputs: unknown): readonly Axis[] {
  requireKnownOptions(OP, grid, GRID);
  if (!(grid.model instanceof Module)) {
    fail(OP, `model must be a model (a Module), got ${describeValue(grid.model)}`);
  }
  const { variable, sites } = grid;
  if (typeof sites !== "object" || sites === null) {
    fail(OP, `sites must be axes by name, such as { layer: "all" }, got ${shown(sites)}`);
  }
  requireKnownOptions(`${OP}: sites`, sites, SITES);
  if (sites.path !== undefined && (sites.component !== undefined || sites.layer !== undefined)) {
    fail(OP, "sites: a path says the whole place; leave layer and component out");
  }
  const given: Readonly<Record<string, unknown>> = { ...sites, variable };
  const axes = AXES.flatMap((name): Axis[] => {
    const values = given[name];
    return values === undefined ? [] : [{ name, values: valuesOf(name, values, grid, inputs) }];
  });
  if (axes.some(({ name }) => name === "variable")) return axes;
  return fail(OP, "variable is missing: the name of the variable that is looked for");
}

function valuesOf(
  name: AxisName,
  given: unknown,
  grid: AlignmentGrid,
  inputs: unknown,
): readonly AxisValue[] {
  if (given === "all") return everyOf(name, grid, inputs);
  const values = (Array.isArray(given) ? given : [given]) as readonly AxisValue[];
  if (values.length === 0) fail(OP, `${name} has no values, so that the grid has no cells`);
  const keys = new Set(values.map((value) => JSON.stringify(value)));
  if (keys.size < values.length) fail(OP, `${name} has a value twice: ${shown(given)}`);
  return values;
}

function everyOf(name: AxisName, grid: AlignmentGrid, inputs: unknown): readonly number[] {
  const count = ALL[name]?.({ grid, card: cardOf(grid.model), inputs });
  if (count !== undefined) return Array.from({ length: count }, (_, i) => i);
  return fail(OP, `sites: how many values of ${name} there are is not known here; list them`);
}

/** Size of dimension 1 of the first input. */
function lengthOf(inputs: unknown): number | undefined {
  batchOf(inputs, "the base");
  const tensors = inputs instanceof Tensor ? [inputs] : Object.values(inputs ?? {});
  const first = tensors.find((value) => value instanceof Tensor);
  return first instanceof Tensor ? first.shape[1] : undefined;
}

/** All sites of a grid, the last axis varying fastest. */
export function sitesOf(axes: readonly Axis[]): readonly GridSite[] {
  return axes.reduce<readonly GridSite[]>(
    (sites, { name, values }) =>
      sites.flatMap((site) => values.map((value) => ({ ...site, [name]: value }))),
    [{}],
  );
}
