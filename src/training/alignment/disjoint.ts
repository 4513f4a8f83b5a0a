import { fail } from "../../base/errors.ts";
import type { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import type { Representation } from "../../intervenable/config/representation-config.ts";
import { entriesOf } from "../../intervenable/units/each.ts";
import type { Intervention } from "../../interventions/intervention.ts";
import { resolveSubspaces } from "../../interventions/subspaces.ts";
import type { AlignmentBatch } from "../data/alignment-data.ts";

/** An intervention with what a batch says of it. */
interface Aligned {
  readonly place: Representation;
  readonly intervention: Intervention;
  readonly group: number;
  /** Where it works, as text. */
  readonly site: string;
  readonly subspaces: unknown;
}

/**
 * Two variables are kept apart only where they have no dimension in common.
 * @throws TsveneError for interventions of different variables that change the same dimensions of one place
 * in the same coordinates.
 */
export function requireDisjoint(
  op: string,
  aligned: IntervenableModel,
  batch: AlignmentBatch,
): void {
  const all = alignedOf(op, aligned, batch);
  for (const [i, one] of all.entries()) {
    for (const other of all.slice(i + 1)) requireApart(op, one, other);
  }
}

function requireApart(op: string, one: Aligned, other: Aligned): void {
  const areApart = one.group === other.group || one.site !== other.site;
  const shared = areApart || !haveOneBasis(one, other) ? [] : sharedDimensions(op, one, other);
  if (shared.length === 0) return;
  fail(
    op,
    `${one.place.name} and ${other.place.name} change the same dimensions of one place (${listed(shared)}), so ` +
      "that one undoes the other; give each its own, by subspaces of the data or interchangeDim",
  );
}

function alignedOf(op: string, aligned: IntervenableModel, batch: AlignmentBatch): Aligned[] {
  const { names, groups, config, interventions } = aligned;
  const stage = batch.unitLocations?.["sources->base"] ?? batch.unitLocations?.base;
  const locations = entriesOf(op, stage, "unitLocations", names);
  const subspaces = entriesOf(op, batch.subspaces, "subspaces", names);
  return config.representations.map((place, i) => ({
    place,
    intervention: interventions.get(place.name),
    group: groups.findIndex((group) => group.includes(place.name)),
    site: JSON.stringify([place.layer, place.component, place.unit, place.moeKey, locations[i]]),
    subspaces: subspaces[i],
  }));
}

/** Whether dimension 0 is the same direction for both: linked, or both as the model has it. */
function haveOneBasis({ intervention: one }: Aligned, { intervention: other }: Aligned): boolean {
  return one === other || (isPlain(one) && isPlain(other) && one.constructor === other.constructor);
}

/** Nothing in it but which dimensions it changes. */
function isPlain(intervention: Intervention): boolean {
  const names = Object.keys(intervention.stateDict());
  return names.every((name) => name === "embed_dim" || name === "interchange_dim");
}

function sharedDimensions(op: string, one: Aligned, other: Aligned): readonly number[] {
  const [own, others] = [dimensionsOf(op, one), dimensionsOf(op, other)];
  return own.filter((dim) => others.includes(dim));
}

function dimensionsOf(op: string, { intervention, subspaces }: Aligned): readonly number[] {
  const {
    embedDim: width = 0,
    interchangeDim = width,
    subspacePartition: partition,
  } = intervention;
  if (subspaces !== undefined && subspaces !== null) {
    return [...new Set(resolveSubspaces(op, subspaces, { width, partition }).flat())];
  }
  if (typeof interchangeDim !== "number") return interchangeDim;
  return Array.from({ length: interchangeDim }, (_, dim) => dim);
}

function listed(dims: readonly number[]): string {
  return dims.length > 6 ? `${dims.slice(0, 6).join(", ")}, ...` : dims.join(", ");
}
