import { range } from "../../base/lists.ts";
import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { didYouMean } from "../../base/nearest.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { resolveSite, type Site } from "../../intervenable/sites/address.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Where a model's attention weights are, by layer. */
export interface AttentionSites {
  readonly model: Module;
  readonly component: string;
  readonly layers: readonly { readonly layer: number; readonly site: Site }[];
}

const COMPONENT = "attention_weight";

/**
 * Finds the attention weights of a model.
 *
 * @param component - @default the first of the card's that end so and are of a text that is written
 * @throws TsveneError for models without any.
 */
export function attentionSites(op: string, model: Module, component?: string): AttentionSites {
  if (!(model instanceof Module)) fail(op, `first a model, got ${describeValue(model)}`);
  const card = cardOf(model);
  const known = [...(card?.components.keys() ?? [])].filter((name) => name.endsWith(COMPONENT));
  const wanted = component ?? preferred(model, known);
  if (card === undefined || wanted === undefined) {
    return fail(op, `${model.constructor.name} has no ${COMPONENT} in its card: it has no heads`);
  }
  if (!known.includes(wanted)) {
    fail(op, `there is no attention ${JSON.stringify(wanted)}; ${didYouMean(wanted, known)}`);
  }
  const path = card.components.get(wanted)?.path ?? "";
  const paths = new Set([...model.namedModules()].map(([own]) => own));
  const layers = range(card.layers)
    .filter((layer) => paths.has(path.replaceAll("{layer}", String(layer))))
    .map((layer) => ({ layer, site: resolveSite(model, card, { layer, component: wanted }) }));
  return { model, component: wanted, layers };
}

function preferred(model: Module, known: readonly string[]): string | undefined {
  const card = cardOf(model);
  const written = known.find((component) => {
    const { counts } = resolveSite(model, card, { layer: 0, component });
    return counts === "text" || counts === "target";
  });
  return written ?? known[0];
}

/** Traces a run and reads its attention weights, by layer: [batch, heads, queries, keys]. */
export function traceAttention(
  op: string,
  { model, component, layers }: AttentionSites,
  inputs: unknown,
): readonly { readonly layer: number; readonly weights: Tensor }[] {
  const scope = new EditScope();
  const found = new Map<number, Tensor>();
  for (const { layer, site } of layers) {
    scope.on(site.module, site.side, (value) => {
      found.set(layer, value);
      return undefined;
    });
  }
  scope.run(() => callModel(model, inputs));
  const weights = layers.flatMap(({ layer }) => {
    const own = found.get(layer);
    return own === undefined ? [] : [{ layer, weights: own }];
  });
  if (weights.length > 0) return weights;
  return fail(op, `the run does not pass ${component}; is that part of the model used?`);
}
