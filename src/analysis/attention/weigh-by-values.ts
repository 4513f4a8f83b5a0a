import type { Module } from "../../nn/module.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ResidualStream } from "../residual/residual-stream.ts";

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
  return pass.layers.map(({ at, output }, layer) => {
    const heads = stream.layers[layer]?.heads ?? 1;
    const values = stream.readAt(layer, "v", at.v);
    const lengths = writtenLengths(values, output.weight, heads);
    const written = at.weights.mul(lengths.unsqueeze(2));
    return { layer, weights: written.div(written.sum({ dim: -1, keepdim: true })) };
  });
}

/**
 * Lengths of values, [batch, position, own heads, features], times each head's columns of the output's
 * matrix, [width, heads * features]: [batch, heads, position].
 */
function writtenLengths(values: Tensor, weight: Tensor, heads: number): Tensor {
  const [batch = 1, positions = 1, own = 1, features = 1] = values.shape;
  const shared = values
    .unsqueeze(3)
    .expand([batch, positions, own, heads / own, features])
    .reshape([batch, positions, heads, features]);
  // [heads, features, width]
  const columns = weight.reshape([weight.size(0), heads, features]).permute([1, 2, 0]);
  const written = shared.permute([0, 2, 1, 3]).matmul(columns.unsqueeze(0));
  return written.square().sum({ dim: -1 }).sqrt();
}
