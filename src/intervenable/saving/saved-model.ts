import { fail } from "../../interventions/errors.ts";
import { FunctionIntervention } from "../../interventions/function.ts";
import {
  type AnyInterventionClass,
  Intervention,
  type InterventionClass,
} from "../../interventions/intervention.ts";
import { interventionName } from "../../interventions/names.ts";
import { registeredIntervention } from "../../interventions/registry.ts";
import type { Module } from "../../nn/module.ts";
import { withoutInit } from "../../nn/without-init.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { About } from "../config/about.ts";
import type { IntervenableConfig, Mode } from "../config/config.ts";
import type { InterventionDict } from "../config/intervention-dict.ts";
import type { Target, WaitingTarget } from "../sites/target.ts";
import type { Representation } from "../config/representation-config.ts";

/** What is written: interventions and their places, all built. */
export interface SavedModel {
  readonly model: Module;
  readonly mode: Mode;
  readonly about: About | undefined;
  readonly places: readonly {
    readonly representation: Representation;
    readonly intervention: Intervention;
    readonly unitDim: number | undefined;
  }[];
}

/** What a model with interventions consists of. */
export interface IntervenableContent {
  /** The model that is intervened on. */
  readonly model: Module;
  /** Where is intervened, and with what. */
  readonly config: IntervenableConfig;
  /** The interventions by key. */
  readonly interventions: InterventionDict;
  /** Each representation with its site. */
  readonly targets: readonly (Target | WaitingTarget)[];
}

/** @throws InterventionError for an intervention that has no parameters yet. */
export function savedModel(content: IntervenableContent): SavedModel {
  const { model, config, interventions, targets } = content;
  const places = targets.map((target, i) => {
    // Representations that were added later are not of this model.
    const representation = config.representations[i];
    if (representation === undefined) throw new Error("internal: a target without representation");
    const unitDim = target.intervention === undefined ? undefined : target.unitDim;
    return { representation, intervention: interventions.get(target.name), unitDim };
  });
  return { model, mode: config.mode, about: config.about, places };
}

/** The class of an intervention. */
export function classOf(intervention: Intervention): AnyInterventionClass {
  return intervention.constructor as AnyInterventionClass;
}

/** @throws InterventionError for the first intervention that could not be loaded again. */
export function requireStorable(op: string, { places }: SavedModel): void {
  for (const { representation, intervention } of places) {
    const where = `${op}: ${representation.name}`;
    if (intervention instanceof FunctionIntervention) refuseFunction(where, intervention);
    const kind = classOf(intervention);
    requireRegistered(where, kind);
    if (typeof representation.intervention !== "function") requireSameAgain(where, intervention);
  }
}

function refuseFunction(where: string, { function: { name } }: FunctionIntervention): never {
  return fail(
    where,
    `the function${name === "" ? "" : ` ${name}`} cannot be stored; make it a class that extends ` +
      "Intervention, and call registerIntervention with it, so that files have it by name",
  );
}

function requireRegistered(where: string, kind: AnyInterventionClass): void {
  const name = interventionName(kind);
  if (registeredIntervention(name) === kind) return;
  fail(
    where,
    `files have a class by name, and ${name} is not known by one; call registerIntervention(${name}) ` +
      "before saving, and before loading",
  );
}

/** An intervention that was given as such is made again of what its class was given. */
function requireSameAgain(where: string, intervention: Intervention): void {
  const { name } = classOf(intervention);
  const advice =
    `give the constructor of ${name} one object of options, and pass all of them on: super(options); or ` +
    `say the class in the configuration, with ${name}.with({ ... })`;
  try {
    const again = remade(classOf(intervention), Intervention.optionsOf(intervention));
    const [own, other] = [intervention, again].map(
      (one) => new Map(Object.entries(one.stateDict())),
    );
    own?.delete("interchange_dim");
    other?.delete("interchange_dim");
    const isSame = [...(own ?? [])].every(([key, { shape }]) => {
      const found = other?.get(key);
      return found !== undefined && sameShape(found.shape, shape);
    });
    if (isSame && own?.size === other?.size) return;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fail(where, `it could not be made again of its options (${reason}); ${advice}`);
  }
  fail(where, `made again of its options, it would have other parameters; ${advice}`);
}

/** An intervention of a class, whose parameters are yet to come. */
export function remade(
  kind: AnyInterventionClass,
  options: Readonly<Record<string, unknown>> | object,
): Intervention {
  const Kind = kind as InterventionClass;
  return withoutInit(() => new Kind(options));
}
