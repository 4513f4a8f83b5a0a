import type { DimensionRange } from "../../interventions/subspaces.ts";

/** One value along an axis, or several. */
export type AxisValues<T> = T | readonly T[];

/**
 * The axes of a grid of sites, each with its values: plain data, which JSON keeps. A site is one value of
 * each; the last axis varies fastest.
 */
export interface SiteGrid {
  /** Numbers of layers, or all. */
  readonly layer?: AxisValues<number> | "all";
  /** Names of components, as in a configuration. @default "block_output" */
  readonly component?: AxisValues<string>;
  /** Module paths in place of components, such as `"cell.output"`. */
  readonly path?: AxisValues<string>;
  /**
   * Positions, `"last"`, or `"all"`; names of positions, where the data is a function of these.
   * @default those of the data
   */
  readonly position?: AxisValues<number | string>;
  /** Heads, of components that have some, or all. */
  readonly head?: AxisValues<number> | "all";
  /** Time steps of a module that runs several times. */
  readonly step?: AxisValues<number>;
  /** Which dimensions of a unit: ranges, `{ from: 0, to: 8 }`, or lists of them. @default all */
  readonly dimensions?: readonly (DimensionRange | readonly number[])[];
}

/** Names of axes, in their order. */
export const AXES = [
  "variable",
  "component",
  "path",
  "layer",
  "step",
  "position",
  "head",
  "dimensions",
] as const;

/** The name of an axis; of a search for variables, one is the variable. */
export type AxisName = (typeof AXES)[number];

/** A value along an axis: plain data. */
export type AxisValue = number | string | DimensionRange | readonly number[];

/** An axis with its values, in order. */
export interface Axis {
  /** What it is called. */
  readonly name: AxisName;
  /** Its values, in the order of the grid. */
  readonly values: readonly AxisValue[];
}

/** A site of a grid: a value of each axis. */
export type GridSite = { readonly [K in AxisName]?: AxisValue };

/** A value as tables write it. */
export function valueText(value: AxisValue): string {
  if (typeof value !== "object") return String(value);
  if ("from" in value) return `${value.from} to ${value.to - 1}`;
  return value.join(" ");
}

/** A site as text, the same for equal sites only. */
export function siteKey(site: GridSite): string {
  return JSON.stringify(AXES.map((name) => site[name] ?? null));
}
