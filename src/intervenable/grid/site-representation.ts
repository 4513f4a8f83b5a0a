import { fail } from "../../base/errors.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { expandPartition } from "../../interventions/subspaces.ts";
import { VanillaIntervention } from "../../interventions/vanilla.ts";
import { type InterventionKind, readKind } from "../config/intervention-kind.ts";
import type { RepresentationConfig } from "../config/representation-config.ts";
import type { AxisValue, GridSite } from "./site-grid.ts";

/** What is done at the sites of a grid. */
export interface AtSites {
  /** Who asks, for errors. */
  readonly op: string;
  /** Name of the intervention. */
  readonly name: string;
  /** A class, or a class with options. @default VanillaIntervention */
  readonly intervention?: InterventionKind | undefined;
  /** What locations count, where the axes do not say it. @default "pos" */
  readonly unit?: string | undefined;
}

/** The configuration of an intervention at a site. */
export function representationAt(
  { op, name, intervention = VanillaIntervention, unit = "pos" }: AtSites,
  site: GridSite,
): RepresentationConfig {
  const { layer, component, path } = site;
  return {
    name,
    ...(layer === undefined ? {} : { layer }),
    ...(path === undefined && component === undefined ? {} : { component: path ?? component }),
    unit: unitOf(site) ?? unit,
    intervention: interventionAt(op, intervention, site),
  } as RepresentationConfig;
}

/** What the axes of a site count; undefined where they do not say it. */
function unitOf({ step, head, position }: GridSite): string | undefined {
  if (step !== undefined) return "t";
  if (head === undefined) return undefined;
  return position === undefined ? "h" : "h.pos";
}

function interventionAt(
  op: string,
  kindOf: InterventionKind,
  { dimensions }: GridSite,
): ConfiguredIntervention {
  const { intervention: kind, options } = readKind(kindOf, "intervention");
  if (typeof kind !== "function") return fail(op, "intervention must be a class of interventions");
  if (dimensions === undefined) return new ConfiguredIntervention(kind, options ?? {});
  const [interchangeDim] = expandPartition(op, [dimensions as readonly number[]]);
  return new ConfiguredIntervention(kind, { ...options, interchangeDim });
}

/** Places in a tensor by what the axes of a site count, of its own axes alone. */
export function placesAt({ step, head }: GridSite, position: unknown): unknown {
  if (step !== undefined) return step;
  if (head === undefined) return position;
  return position === undefined ? head : { head, position };
}

/** What decides which tensor is edited, and how: sites that differ in their units only have one. */
export function placeKey({ head, step, position, ...place }: GridSite): string {
  const isWhole = (value: AxisValue | undefined): boolean => value === undefined;
  return JSON.stringify([place, isWhole(head), isWhole(step), isWhole(position)]);
}
