import { Tensor } from "../../tensor/tensor.ts";
import type { Module } from "../../nn/module.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import {
  type AnyInterventionClass,
  type Intervention,
  type InterventionClass,
  type InterventionOptions,
  UnknownWidthError,
} from "../../interventions/intervention.ts";
import { FunctionIntervention } from "../../interventions/function.ts";
import { fail } from "../../interventions/errors.ts";
import { type Address, PLAIN, resolveSite, type Site, widthAt } from "./address.ts";
import { isSame } from "../../base/same-value.ts";
import { axesOf, isDivided, type UnitAxes } from "./axes.ts";
import type { IntervenableConfig } from "../config/config.ts";
import type { Named } from "../config/names.ts";
import type { Representation } from "../config/representation-config.ts";

/** One intervention with its place in the model: what a configuration means for a model. */
export interface Target extends Named {
  /** What is done there. */
  readonly intervention: Intervention;
  /** What it edits. */
  readonly site: Site;
  /** Width of one unit there, where the model's card or the module says it. */
  readonly unitDim: number | undefined;
  /** How its unit reads the tensor at the site. */
  readonly axes: UnitAxes;
  /** What it reads in the source run. */
  readonly sourceSite: Site;
  /** How its unit reads the tensor in the source run. */
  readonly sourceAxes: UnitAxes;
  /** Number of the group, from 0: which source it reads. */
  readonly group: number;
}

/** A place whose intervention cannot be built yet: its class needs a width that nothing says. */
export interface WaitingTarget extends Named {
  /** Not built yet. */
  readonly intervention: undefined;
  /** Name of the class. */
  readonly kind: string;
  /** What it will edit. */
  readonly site: Site;
  /** How its unit reads the tensor at the site. */
  readonly axes: UnitAxes;
  /** Number of the group, from 0. */
  readonly group: number;
}

/** What is known once a model has been traced. */
export interface TracedTargets {
  /** Width of one unit, by name, where a trace said it. */
  readonly widths: ReadonlyMap<string, number>;
  /** What has been built before, by name. */
  readonly interventions: ReadonlyMap<string, Intervention>;
}

const OP = "IntervenableModel";
const NOTHING: TracedTargets = { widths: new Map(), interventions: new Map() };

/**
 * Finds the place of each representation and builds the interventions that are given as classes.
 * @throws InterventionError for places that the model does not have and groups that contradict.
 */
export function resolveTargets(
  model: Module,
  config: IntervenableConfig,
  traced: TracedTargets = NOTHING,
): readonly (Target | WaitingTarget)[] {
  const card = cardOf(model);
  const groups = groupsOf(config.representations);
  const linked = new Map<number | string, Linked>();
  return config.representations.map((representation, i) => {
    const { name, key, unit, source, interventionLinkKey: link } = representation;
    const site = resolveSite(model, card, representation);
    const axes = axesOf(unit, site);
    const unitDim =
      site.width ??
      widthAt(model, card, site) ??
      site.module.widthAt(site.side) ??
      traced.widths.get(name);
    const group = groups[i] ?? 0;
    const shared = link === undefined ? undefined : linked.get(link);
    if (shared !== undefined) checkLink(shared, representation, unitDim);
    const known = shared?.intervention ?? traced.interventions.get(name);
    const intervention = known ?? (shared ? undefined : buildOrWait(representation, unitDim));
    if (link !== undefined && shared === undefined) {
      linked.set(link, { name, intervention, representation, unitDim });
    }
    const read = source === undefined ? site : resolveSite(model, card, sourceOf(representation));
    if (intervention === undefined) {
      return { name, key, intervention, kind: kindOf(representation).name, site, axes, group };
    }
    const sourceSite = sourceSiteOf(intervention, read, name);
    const sourceAxes = sourceSite === site ? axes : axesOf(source?.unit ?? unit, sourceSite);
    if (source !== undefined) checkSource(name, intervention);
    if (intervention.readsOwnRun) checkOwnSource(name, intervention, source, [axes, sourceAxes]);
    return { name, key, intervention, site, unitDim, axes, sourceSite, sourceAxes, group };
  });
}

/** The class of a representation's intervention. */
function kindOf({ intervention }: Representation): AnyInterventionClass {
  if (typeof intervention === "function") return intervention;
  return intervention.constructor as AnyInterventionClass;
}

/** The first of the interventions with one link key. */
interface Linked {
  /** Name of the first one. */
  readonly name: string;
  /** Undefined while it waits for its width. */
  readonly intervention: Intervention | undefined;
  readonly representation: Representation;
  readonly unitDim: number | undefined;
}

/** Linked interventions are the first one, so that the others must not ask for something else. */
function checkLink(first: Linked, other: Representation, unitDim: number | undefined): void {
  const { name, intervention: kind, options } = other;
  const ownKind = kindOf(first.representation);
  const isSame = typeof kind === "function" ? kind === ownKind : isShared(first, kind);
  if (!isSame) {
    fail(
      OP,
      `${name} is linked with ${first.name}, which is ${ownKind.name}, but says another intervention; link ` +
        `interventions of one class, or the same instance`,
    );
  }
  for (const [option, value] of Object.entries(options)) {
    const own: unknown = first.representation.options[option];
    if (value === undefined || isSameOption(value, own)) continue;
    fail(OP, `${name} is linked with ${first.name}, so its ${option} has no effect; leave it out`);
  }
  const units = first.representation.maxNumberOfUnits;
  if (first.intervention?.embedDim === undefined || unitDim === undefined) return;
  const [one, two] = [(first.unitDim ?? 0) * units, unitDim * other.maxNumberOfUnits];
  if (first.unitDim === undefined || one === two) return;
  fail(
    OP,
    `${name} works on vectors of ${two}, but ${first.name}, which it is linked with, on ${one}`,
  );
}

function isShared({ intervention }: Linked, kind: Intervention): boolean {
  const areFunctions =
    kind instanceof FunctionIntervention && intervention instanceof FunctionIntervention;
  return kind === intervention || (areFunctions && kind.function === intervention.function);
}

/** The intervention, or undefined where its class needs to know a width that is not known. */
function buildOrWait(
  representation: Representation,
  known: number | undefined,
): Intervention | undefined {
  try {
    return build(representation, known);
  } catch (error) {
    if (error instanceof UnknownWidthError) return undefined;
    throw error;
  }
}

function build(representation: Representation, known: number | undefined): Intervention {
  const { intervention: kind, maxNumberOfUnits, name } = representation;
  if (typeof kind !== "function") return fitting(kind, name, known);
  const options: InterventionOptions = representation.options;
  const { embedDim = known === undefined ? undefined : known * maxNumberOfUnits } = options;
  if (known !== undefined && embedDim !== known * maxNumberOfUnits) {
    fail(
      OP,
      `${name}: embedDim ${embedDim} is not the width there, which is ${known * maxNumberOfUnits} for ` +
        `maxNumberOfUnits ${maxNumberOfUnits}; leave embedDim out`,
    );
  }
  if (embedDim !== undefined && embedDim % maxNumberOfUnits !== 0) {
    fail(OP, `${name}: embedDim ${embedDim} does not split into ${maxNumberOfUnits} units`);
  }
  const unitDim = embedDim === undefined ? undefined : embedDim / maxNumberOfUnits;
  // The options were checked when they were given.
  const Kind = kind as InterventionClass;
  const intervention = new Kind({ ...options, embedDim, unitDim });
  const isIdle = intervention.sourceUse === "none" && options.sourceRepresentation !== undefined;
  if (!isIdle) return intervention;
  fail(OP, `${name}: sourceRepresentation would have no effect on ${kind.name}; leave it out`);
}

/** An instance, which must be made for the width that there is, or for several units of it. */
function fitting(
  intervention: Intervention,
  name: string,
  known: number | undefined,
): Intervention {
  const { embedDim } = intervention;
  if (known === undefined || embedDim === undefined || embedDim % known === 0) return intervention;
  fail(
    OP,
    `${name}: the ${intervention.constructor.name} is made for vectors of ${embedDim}, but those there are ${known} wide; make it ` +
      `for these, with interchangeDim to change some dimensions only`,
  );
}

/** The place of a source, as an address. */
function sourceOf({ layer, component, moeKey, source }: Representation): Address {
  return {
    layer: source?.layer ?? layer,
    component: source?.component ?? component,
    // Another component need not have experts.
    moeKey: source?.moeKey ?? (source?.component === undefined ? moeKey : undefined),
  };
}

function checkSource(name: string, intervention: Intervention): void {
  const takesNone = intervention.sourceUse === "none";
  if (intervention.readsOwnRun) return;
  if (!takesNone && intervention.sourceRepresentation === undefined) return;
  const kind = intervention.constructor.name;
  fail(
    OP,
    `${name}: ${kind} ${takesNone ? "takes no source" : "has a constant source"}, so that no place of a ` +
      `source is read; leave source out`,
  );
}

/** What reads the run that it edits needs a place there whose units are those that it edits. */
function checkOwnSource(
  name: string,
  intervention: Intervention,
  source: Representation["source"],
  [axes, sourceAxes]: readonly [UnitAxes, UnitAxes],
): void {
  const kind = intervention.constructor.name;
  if (source === undefined) {
    fail(
      OP,
      `${name}: ${kind} has a transcoder, which reads another place than it writes; say which, as ` +
        `source: { component: "mlp_input" }; autoencoderSite(model, transcoder) says both`,
    );
  }
  const isWhole = ![axes, sourceAxes].some((own) => own.steps === true || isDivided(own));
  if (isWhole && isSame(axes.selected, sourceAxes.selected)) return;
  fail(
    OP,
    `${name}: ${kind} reads its source in the run that it edits, at the same units, so that both places must ` +
      "have whole rows for the same positions",
  );
}

function sourceSiteOf(intervention: Intervention, site: Site, name: string): Site {
  if (intervention.sourceSite === "same") return site;
  const { part, heads, headsFirst } = site.layout;
  if (site.side !== "output" || part !== undefined || heads !== undefined || headsFirst) {
    fail(
      OP,
      `${name}: ${intervention.constructor.name} puts a module's input in the place of its output; ` +
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
  return representations.map(({ name, groupKey }) => {
    if (groupKey === undefined) fail(OP, `${name} has no groupKey, but others have; give each one`);
    if (groupKey < last) {
      fail(OP, `${name}: groupKey ${groupKey} comes after ${last}; group keys must ascend`);
    }
    if (groupKey > last) group++;
    last = groupKey;
    return group;
  });
}

function isSameOption(a: unknown, b: unknown): boolean {
  const tensors = a instanceof Tensor || b instanceof Tensor;
  return a === b || (!tensors && JSON.stringify(a) === JSON.stringify(b));
}
