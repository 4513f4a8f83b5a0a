import { range } from "../../base/lists.ts";
import { fail } from "../../base/errors.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ResidualNode } from "./residual-nodes.ts";
import type { ResidualStream, TracedLayer, TracedResidual } from "./residual-stream.ts";

/** What a node wrote to the residual stream. */
export interface ResidualWrite {
  readonly node: ResidualNode;
  /** [batch, position, width] */
  readonly value: Tensor;
}

/**
 * All that was written to the residual stream in a traced pass, in order: the input, each head, what each
 * attention adds beside its heads (`a0.bias`), each MLP. The sum is what the last layer gave. Where a norm is
 * taken of the attention's output, a head wrote what that norm, with the scale it had, makes of the head's
 * part.
 */
export function residualWrites(
  stream: ResidualStream,
  pass: TracedResidual,
): readonly ResidualWrite[] {
  const inLayers = pass.layers.flatMap((traced, layer): ResidualWrite[] => {
    const results = throughNorm(traced, headResults(traced, stream.mixed(pass, layer)));
    const heads = range(results.size(0)).map((head): ResidualWrite => ({
      node: { name: `a${layer}.h${head}`, kind: "head", layer, head },
      value: results.select(0, head),
    }));
    const bias = { name: `a${layer}.bias`, kind: "bias", layer } as const;
    const mlp = { name: `m${layer}`, kind: "mlp", layer } as const;
    return [
      ...heads,
      { node: bias, value: biasWritten(traced) },
      { node: mlp, value: traced.at.mlp },
    ];
  });
  return [{ node: { name: "input", kind: "input" }, value: pass.input }, ...inLayers];
}

/**
 * What the output projection makes of each head's values by itself, without bias.
 *
 * @param mixed - [batch, position, heads, width of a head]
 * @returns [heads, batch, position, width]
 */
export function headResults({ output: { weight } }: TracedLayer, mixed: Tensor): Tensor {
  const [batch = 1, positions = 1, heads = 1, width = 1] = mixed.shape;
  const byHead = mixed.permute([2, 0, 1, 3]).reshape([heads, batch * positions, width]);
  const results = byHead.matmul(headColumns(weight, heads, width));
  return results.reshape([heads, batch, positions, weight.size(0)]);
}

/** The columns of an output projection, [out, heads * width], that each head has: [heads, width, out]. */
export function headColumns(weight: Tensor, heads: number, width: number): Tensor {
  if (weight.size(1) !== heads * width) {
    fail(
      "residualWrites",
      `the output projection takes ${weight.size(1)} numbers, not ${heads} heads of ${width}`,
    );
  }
  return weight.reshape([weight.size(0), heads, width]).permute([1, 2, 0]);
}

/** Parts of the attention's output as they are added, with the scale that its norm had. */
function throughNorm({ norm }: TracedLayer, parts: Tensor): Tensor {
  return norm === undefined ? parts : norm.linear(parts);
}

function biasWritten({ output: { bias }, norm, at: { attention } }: TracedLayer): Tensor {
  const shape = attention.shape;
  const own = bias?.expand(shape) ?? zeros(shape);
  const written = norm === undefined ? own : norm.linear(own);
  return norm?.bias === undefined ? written : written.add(norm.bias);
}
