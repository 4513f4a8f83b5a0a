import { fail } from "../../interventions/errors.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";

/** What is noted of the model that interventions were made for. */
export interface ModelFacts {
  /** Name of its class. */
  readonly class: string;
  /** Hugging Face's `model_type`, where its class has a family. */
  readonly family?: string;
  /** How many layers it has, where its class says it. */
  readonly layers?: number;
  /** Width of what goes from layer to layer, where its class says it. */
  readonly width?: number;
}

/** What an artefact notes of its model. */
export function factsOf(model: Module): ModelFacts {
  const { name, family } = model.constructor as unknown as {
    readonly name: string;
    readonly family?: { readonly modelType?: string };
  };
  const card = cardOf(model);
  const width = card?.components.get("block_output")?.dimension;
  return {
    class: name,
    ...(family?.modelType === undefined ? {} : { family: family.modelType }),
    ...(card === undefined ? {} : { layers: card.layers }),
    ...(width === undefined ? {} : { width }),
  };
}

/** A model in a few words. */
function inWords({ class: name, family, layers, width }: ModelFacts): string {
  const said = [
    ...(family === undefined ? [] : [`family ${family}`]),
    ...(layers === undefined ? [] : [`${layers} layers`]),
    ...(width === undefined ? [] : [`width ${width}`]),
  ];
  return said.length === 0 ? `a ${name}` : `a ${name} (${said.join(", ")})`;
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** @throws InterventionError for a model of another family or width than what was stored was made for. */
export function requireSameKind(op: string, made: ModelFacts, model: Module): void {
  const own = factsOf(model);
  if (!differ(made.family, own.family) && !differ(made.width, own.width)) return;
  fail(
    op,
    `the interventions were made for ${inWords(made)}, and this is ${inWords(own)}; load them with a model of ` +
      "that family and width",
  );
}
