import type { Module } from "../nn/module.ts";
import { cardOf } from "../models/registry.ts";
import type { Intervention, InterventionClass } from "../interventions/intervention.ts";
import { VanillaIntervention } from "../interventions/vanilla.ts";
import { fail } from "../tensor/errors.ts";
import { PLAIN, resolveSite, type Site, widthAt } from "./address.ts";
import { axesOf, type UnitAxes } from "./axes.ts";
import type { IntervenableConfig, Representation } from "./config.ts";

/** One intervention with its place in the model: what a configuration means for a model. */
export interface Target {
  readonly key: string;
  readonly intervention: Intervention;
  /** What it edits. */
  readonly site: Site;
  readonly axes: UnitAxes;
  /** What it reads in the source run. */
  readonly sourceSite: Site;
  readonly sourceAxes: UnitAxes;
  /** Number of the group, from 0: which source it reads. */
  readonly group: number;
}

const OP = "IntervenableModel";

/**
 * Finds the place of each representation and builds the interventions that are given as classes.
 * @throws TensorError for places that the model does not have and groups that contradict.
 */
export function resolveTargets(model: Module, config: IntervenableConfig): readonly Target[] {
  const card = cardOf(model);
  const groups = groupsOf(config.representations);
  const linked = new Map<number | string, Intervention>();
  return config.representations.map((representation, i) => {
    const { key, unit, interventionLinkKey: link } = representation;
    const site = resolveSite(model, card, representation);
    const axes = axesOf(unit, site);
    const shared = link === undefined ? undefined : linked.get(link);
    const intervention = shared ?? build(representation, site.width ?? widthAt(model, card, site));
    if (link !== undefined) linked.set(link, intervention);
    const group = groups[i] ?? 0;
    const sourceSite = sourceSiteOf(intervention, site, key);
    const sourceAxes = sourceSite === site ? axes : axesOf(unit, sourceSite);
    return { key, intervention, site, axes, sourceSite, sourceAxes, group };
  });
}

function build(representation: Representation, unitDim: number | undefined): Intervention {
  const { intervention: kind = VanillaIntervention, options, maxNumberOfUnits } = representation;
  if (typeof kind !== "function") return kind;
  const embedDim = unitDim === undefined ? undefined : unitDim * maxNumberOfUnits;
  const Kind: InterventionClass = kind;
  return new Kind({ ...options, embedDim, unitDim });
}

function sourceSiteOf(intervention: Intervention, site: Site, key: string): Site {
  if (intervention.sourceSite === "same") return site;
  const { part, heads, headsFirst } = site.layout;
  if (site.side !== "output" || part !== undefined || heads !== undefined || headsFirst) {
    fail(
      OP,
      `${key}: ${intervention.constructor.name} puts a module's input in the place of its output; ` +
        `place it at the output of a whole module, such as mlp_output`,
    );
  }
  return { ...site, side: "input", layout: PLAIN };
}

/** The number of each representation's group: all keys are given, ascending, or none is. */
function groupsOf(representations: readonly Representation[]): readonly number[] {
  const keys = representations.map(({ groupKey }) => groupKey);
  if (keys.every((key) => key === undefined)) return keys.map((_, i) => i);
  let group = -1;
  let last = -Infinity;
  return representations.map(({ key, groupKey }) => {
    if (groupKey === undefined) fail(OP, `${key} has no groupKey, but others have; give each one`);
    if (groupKey < last) {
      fail(OP, `${key}: groupKey ${groupKey} stands behind ${last}; group keys must ascend`);
    }
    if (groupKey > last) group++;
    last = groupKey;
    return group;
  });
}
