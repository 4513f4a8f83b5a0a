import { fail } from "../../base/errors.ts";
import type { About } from "../../intervenable/config/about.ts";
import type { RepresentationConfig } from "../../intervenable/config/representation-config.ts";
import type { GridSite } from "../../intervenable/grid/site-grid.ts";
import { AdditionIntervention } from "../../interventions/addition.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { SiteVector } from "./steering.ts";

/** What a strength of 1 means: the vector, its direction, or one standard deviation along it. */
export type Scale = "raw" | "unit" | "sd";

/** All of them. */
export const SCALES: readonly Scale[] = ["raw", "unit", "sd"];

/** How vectors are added. */
export interface AdditionOptions {
  /** How many of them; below 0 the other way. @default 1 */
  readonly strength?: number;
  /**
   * What one of them is: `"raw"`, the vector as it was found; `"unit"`, its direction; `"sd"`, one standard
   * deviation of the states along it. @default "raw"
   */
  readonly scale?: Scale;
  /** What else there is to know of it: plain data, which is saved. @default nothing */
  readonly about?: About;
}

/** Vectors with one place, as one. */
interface Addition {
  readonly place: Pick<RepresentationConfig, "layer" | "component">;
  readonly sum: Float64Array;
  /** Where vectors of it were read. */
  readonly filled: Set<number>;
}

/** An addition for each place, of all its heads. */
export function additions(
  op: string,
  model: Module,
  vectors: readonly SiteVector[],
  { strength, scale }: Required<Pick<AdditionOptions, "strength" | "scale">>,
): readonly RepresentationConfig[] {
  const byPlace = new Map<string, Addition>();
  for (const one of vectors) {
    const { place, start, width } = placeOf(op, model, one);
    const key = JSON.stringify(place);
    const addition = byPlace.get(key) ?? { place, sum: new Float64Array(width), filled: new Set() };
    if (addition.filled.has(start)) {
      fail(op, `several vectors are at ${key}; choose one, such as with at({ position: ... })`);
    }
    addition.filled.add(start);
    const factor = strength * factorOf(op, one, scale);
    numbersOf(one.vector).forEach((value, i) => (addition.sum[start + i] = factor * value));
    byPlace.set(key, addition);
  }
  return [...byPlace.values()].map(({ place, sum }) => ({
    ...place,
    intervention: AdditionIntervention.with({ sourceRepresentation: tensor([...sum]) }),
  }));
}

/** The tensor that a site is in without its heads, and where its numbers are in that. */
function placeOf(
  op: string,
  model: Module,
  { site, vector }: SiteVector,
): {
  readonly place: Addition["place"];
  readonly start: number;
  readonly width: number;
} {
  const place = componentOf(site);
  if (site.head === undefined) return { place, start: 0, width: vector.numel };
  const component = place.component?.replace(/(^|\.)head_/, "$1");
  const components = cardOf(model)?.components;
  const heads = components?.get(place.component ?? "")?.heads;
  if (component === undefined || heads === undefined || !components?.has(component)) {
    return fail(op, `${place.component} has no component without heads that its vectors go into`);
  }
  const start = Number(site.head) * vector.numel;
  return { place: { ...place, component }, start, width: heads * vector.numel };
}

function componentOf({ layer, component, path }: GridSite): Addition["place"] {
  const name = path ?? component;
  return {
    ...(layer !== undefined && { layer: Number(layer) }),
    ...(typeof name === "string" && { component: name }),
  };
}

function factorOf(op: string, { site, vector, sd }: SiteVector, scale: Scale): number {
  if (scale === "raw") return 1;
  const length = lengthOf(vector);
  if (length === 0) {
    fail(
      op,
      `the texts do not differ at ${JSON.stringify(site)}: a vector of no length has no direction`,
    );
  }
  return (scale === "sd" ? sd : 1) / length;
}

/** Length of a vector that is evaluated. */
export function lengthOf(vector: Tensor): number {
  return Math.sqrt(numbersOf(vector).reduce((sum, value) => sum + value * value, 0));
}

/** The numbers of a vector that is evaluated. */
export function numbersOf({ values }: Tensor): readonly number[] {
  return Array.from<number | bigint, number>(values ?? [], Number);
}
