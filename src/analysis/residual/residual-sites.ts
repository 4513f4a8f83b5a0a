import { fail } from "../../base/errors.ts";
import { resolveSite, type Site } from "../../intervenable/sites/address.ts";
import { type BoundCard, cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { range } from "../../base/lists.ts";

/** The components that say what a layer does with a residual stream. */
const COMPONENTS = {
  input: "block_input",
  output: "block_output",
  q: "head_query_output",
  k: "head_key_output",
  v: "head_value_output",
  weights: "attention_weight",
  mixed: "head_attention_value_output",
  attention: "attention_addition",
  mlp: "mlp_addition",
} as const;

/** A place in a layer. */
export type LayerPlace = keyof typeof COMPONENTS;

/** All places. */
export const PLACES = Object.keys(COMPONENTS) as readonly LayerPlace[];

/** The places of a layer. */
export type LayerSites = { readonly [K in LayerPlace]: Site };

/** The places of each layer. @throws TsveneError for a model whose card does not say them. */
export function layerSites(op: string, model: Module): readonly LayerSites[] {
  const card = cardOf(model);
  const { name } = model.constructor;
  const missing = Object.values(COMPONENTS).filter((component) => !card?.components.has(component));
  if (card === undefined || missing.length > 0) {
    return fail(
      op,
      `${name} has no residual stream that layers of attention and MLP add to: it has no component ` +
        `${missing.join(", ")}; sweep() takes any component or module path`,
    );
  }
  return range(card.layers).map((layer) => sitesOf(model, card, layer));
}

function sitesOf(model: Module, card: BoundCard, layer: number): LayerSites {
  const entries = PLACES.map((place) => [
    place,
    resolveSite(model, card, { layer, component: COMPONENTS[place] }),
  ]);
  return Object.fromEntries(entries) as LayerSites;
}

/** The value of a place, with heads as a dimension of their own: [batch, position, heads, width]. */
export function readPlace(value: Tensor, { layout: { heads, part } }: Site): Tensor {
  const width = value.size(-1) / (part?.of ?? 1);
  const start = width * (part?.index ?? 0);
  const own = part === undefined ? value : value.slice(-1, start, start + width);
  return heads === undefined ? own : own.reshape([...own.shape.slice(0, -1), heads, width / heads]);
}

/** The tensor at a place with another value there: what {@link readPlace} gives of it is `own`. */
export function writePlace(value: Tensor, own: Tensor, { layout: { heads, part } }: Site): Tensor {
  const flat = heads === undefined ? own : own.flatten(-2, -1);
  if (part === undefined) return flat;
  const width = value.size(-1) / part.of;
  const parts = range(part.of).map((i) =>
    i === part.index ? flat : value.slice(-1, i * width, (i + 1) * width),
  );
  return cat(parts, -1);
}
