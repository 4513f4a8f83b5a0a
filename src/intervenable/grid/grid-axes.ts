import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { requireKnownOptions, type OptionNames } from "../../base/known-options.ts";
import { type BoundCard, cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { batchOf } from "../units/batch-rows.ts";
import {
  AXES,
  type Axis,
  type AxisName,
  type AxisValue,
  type GridSite,
  type SiteGrid,
} from "./site-grid.ts";

const SITES: OptionNames<SiteGrid> = {
  layer: true,
  component: true,
  path: true,
  position: true,
  head: true,
  step: true,
  dimensions: true,
};

/** What the values of axes are taken from. */
export interface AxesOf {
  /** Who asks, for errors. */
  readonly op: string;
  /** The model, whose card says how many layers and heads there are. */
  readonly model: Module;
  /** What the model takes, which says how many positions there are. */
  readonly inputs: unknown;
}

/** What "all" means along an axis: how many values there are. */
type Counted = (given: {
  readonly sites: SiteGrid;
  readonly card: BoundCard | undefined;
  readonly inputs: unknown;
}) => number | undefined;

const ALL: { readonly [K in AxisName]?: Counted } = {
  layer: ({ card }) => card?.layers,
  head: ({ card, sites: { component } }) => mostHeads(card, component),
  position: ({ inputs }) => lengthOf(inputs),
};

/**
 * The axes of a grid in the order of {@link AXES}, those of a single value too.
 *
 * @param variable - Names of variables, which are an axis as well.
 * @throws TsveneError for axes that are unknown, that have no values, or that contradict each other.
 */
export function axesOf(
  given: AxesOf,
  sites: SiteGrid,
  variable?: string | readonly string[],
): readonly Axis[] {
  const { op } = given;
  if (typeof sites !== "object" || sites === null) {
    fail(op, `sites must be axes by name, such as { layer: "all" }, got ${shown(sites)}`);
  }
  requireKnownOptions(`${op}: sites`, sites, SITES);
  if (sites.path !== undefined && (sites.component !== undefined || sites.layer !== undefined)) {
    fail(op, "sites: a path says the whole place; leave layer and component out");
  }
  const byName: Readonly<Record<string, unknown>> = { ...sites, variable };
  return AXES.flatMap((name): Axis[] => {
    const values = byName[name];
    return values === undefined ? [] : [{ name, values: valuesOf(name, values, sites, given) }];
  });
}

function valuesOf(
  name: AxisName,
  asked: unknown,
  sites: SiteGrid,
  given: AxesOf,
): readonly AxisValue[] {
  const { op } = given;
  if (asked === "all") return everyOf(name, sites, given);
  const values = (Array.isArray(asked) ? asked : [asked]) as readonly AxisValue[];
  if (values.length === 0) fail(op, `${name} has no values, so that the grid has no cells`);
  const keys = new Set(values.map((value) => JSON.stringify(value)));
  if (keys.size < values.length) fail(op, `${name} has a value twice: ${shown(asked)}`);
  return values;
}

function everyOf(
  name: AxisName,
  sites: SiteGrid,
  { op, model, inputs }: AxesOf,
): readonly number[] {
  const count = ALL[name]?.({ sites, card: cardOf(model), inputs });
  if (count !== undefined) return Array.from({ length: count }, (_, i) => i);
  return fail(op, `sites: how many values of ${name} there are is not known here; list them`);
}

/** How many heads the component has that has the most of them. */
function mostHeads(
  card: BoundCard | undefined,
  component: SiteGrid["component"],
): number | undefined {
  const counts = [component ?? []]
    .flat()
    .flatMap((name) => card?.components.get(name)?.heads ?? []);
  return counts.length === 0 ? undefined : Math.max(...counts);
}

/** Size of dimension 1 of the first input. */
function lengthOf(inputs: unknown): number | undefined {
  batchOf(inputs, "the base");
  const tensors = inputs instanceof Tensor ? [inputs] : Object.values(inputs ?? {});
  const first = tensors.find((value) => value instanceof Tensor);
  return first instanceof Tensor ? first.shape[1] : undefined;
}

/** All sites of a grid, the last axis varying fastest. */
export function sitesOf(
  axes: readonly { readonly name: string; readonly values: readonly AxisValue[] }[],
): readonly GridSite[] {
  return axes.reduce<readonly GridSite[]>(
    (sites, { name, values }) =>
      sites.flatMap((site) => values.map((value) => ({ ...site, [name]: value }))),
    [{}],
  );
}
