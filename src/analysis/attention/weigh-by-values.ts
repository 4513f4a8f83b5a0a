import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ResidualStream } from "../residual/residual-stream.ts";
import { headResults } from "../residual/residual-writes.ts";

/**
 * What each key gives to what a head writes, by layer: [batch, heads, queries, keys]. The length of a key's
 * value as the head writes it, times its attention weight, as a share of the sum over the keys.
 *
 * @throws TsveneError for models without a residual stream that can be taken apart.
 */
export function traceWrittenShares(
  op: string,
  model: Module,
  inputs: unknown,
): readonly { readonly layer: number; readonly weights: Tensor }[] {
  const stream = new ResidualStream(op, model, inputs);
  const pass = stream.trace(inputs);
  return pass.layers.map((traced, layer) => {
    const { at } = traced;
    const heads = stream.layers[layer]?.heads ?? 1;
    const values = stream.readAt(layer, "v", at.v);
    const shared = values.repeatInterleave(heads / values.size(2), 2);
    const lengths = headResults(traced, shared).square().sum({ dim: -1 }).sqrt();
    const written = at.weights.mul(lengths.transpose(0, 1).unsqueeze(2));
    return { layer, weights: written.div(written.sum({ dim: -1, keepdim: true })) };
  });
}
