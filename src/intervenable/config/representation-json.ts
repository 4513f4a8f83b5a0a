import { fail } from "../../interventions/errors.ts";
import { FunctionIntervention } from "../../interventions/function.ts";
import { Intervention } from "../../interventions/intervention.ts";
import { ConfiguredIntervention } from "../../interventions/configured-intervention.ts";
import { interventionName } from "../../interventions/names.ts";
import type { NamedIntervention } from "./intervention-kind.ts";
import type { Representation, RepresentationConfig } from "./representation-config.ts";

/** A representation as JSON has it: a configuration is read back from it. */
export interface RepresentationJSON extends RepresentationConfig {
  readonly intervention: NamedIntervention;
}

/** @throws InterventionError for what JSON cannot say: functions, instances, and options that are tensors. */
export function representationJson(representation: Representation): RepresentationJSON {
  // Keys are made of the others, and so are names that were not given.
  const { key: _key, name, isNamed, intervention, options, ...places } = representation;
  const fields = isNamed ? { name, ...places } : places;
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(said), intervention: named({ intervention, options }) };
}

function named({
  intervention,
  options,
}: Pick<Representation, "intervention" | "options">): NamedIntervention {
  if (intervention instanceof FunctionIntervention) {
    fail(
      "IntervenableConfig",
      "JSON cannot say a function; make it a class that extends Intervention, and call " +
        "registerIntervention with it, so that JSON has it by name",
    );
  }
  if (intervention instanceof Intervention) return intervention.toJSON();
  const isPlain = Object.keys(options).length === 0;
  if (isPlain) return interventionName(intervention);
  return new ConfiguredIntervention(intervention, options).toJSON();
}
