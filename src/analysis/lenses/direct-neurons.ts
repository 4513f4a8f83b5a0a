import { fail } from "../../base/errors.ts";
import { shown } from "../../base/describe-value.ts";
import { isCount } from "../../base/is-count.ts";
import { range } from "../../base/lists.ts";
import { grad } from "../../tensor/autograd.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import {
  linearBefore,
  normBefore,
  type TracedLinear,
  type TracedNorm,
} from "../residual/graph-reading.ts";
import type { ResidualStream, TracedResidual } from "../residual/residual-stream.ts";

/** What each neuron of an MLP writes along a direction at one position. */
export interface NeuronWrites {
  readonly layer: number;
  /** [neurons] */
  readonly neurons: Tensor;
  /** What the MLP adds beside them: biases of its projection and of a norm after it. */
  readonly bias: Tensor;
}

/** The layers whose MLPs are taken apart. @throws TsveneError for one that is not there. */
export function neuronLayers(
  op: string,
  { layers }: ResidualStream,
  asked: boolean | readonly number[] = false,
): readonly number[] {
  if (typeof asked === "boolean") return asked ? range(layers.length) : [];
  const isList = Array.isArray(asked) && asked.length > 0;
  const wrong = isList ? asked.find((layer) => !isCount(layer) || layer >= layers.length) : asked;
  if (isList && wrong === undefined) return asked;
  return fail(
    op,
    `neurons must be true or layers from 0 to ${layers.length - 1} whose MLPs are taken apart, got ${shown(wrong)}`,
  );
}

/**
 * Takes an MLP apart by its neurons, which are what its last projection is given: each writes its value times
 * its column, and where a norm is taken of that, what the norm makes of it with the scale that it had.
 *
 * @param along - What is written at the position that counts, [1, position, width], along the direction: a number.
 * @throws TsveneError for an MLP that is no linear function of neurons, as where experts are mixed.
 */
export function neuronWrites(
  op: string,
  {
    model,
    pass,
    at,
  }: { readonly model: string; readonly pass: TracedResidual; readonly at: number },
  layer: number,
  along: (written: Tensor) => Tensor,
): NeuronWrites {
  const { mlp } = pass.layers[layer]?.at ?? fail(op, `internal: there is no layer ${layer}`);
  const { projection, norm } = lastProjection(mlp);
  if (projection === undefined) {
    return fail(
      op,
      `the MLP of layer ${layer} of ${model} is no linear function of neurons, as where experts are mixed; leave ` +
        "out neurons, or name layers without experts: neurons: [0, 1]",
    );
  }
  const { of, weight, bias } = projection;
  const through = (part: Tensor): Tensor => along(norm === undefined ? part : norm.linear(part));
  const nothing = zeros(mlp.shape);
  const [gradient] = grad(through(nothing), [nothing]);
  const direction = gradient.detach().select(1, at).squeeze(0);
  const values = of.reshape([mlp.size(1), -1]).select(0, at);
  const own = bias === undefined ? direction.mul(0) : direction.mul(bias);
  const ofNorm = norm?.bias === undefined ? 0 : along(norm.bias.expand(mlp.shape));
  return {
    layer,
    neurons: values.mul(direction.matmul(weight)),
    bias: own.sum().add(ofNorm),
  };
}

/** The projection whose output, or a norm of it, is what an MLP adds; shapes are looked through. */
function lastProjection(mlp: Tensor): {
  readonly projection: TracedLinear | undefined;
  readonly norm: TracedNorm | undefined;
} {
  const norm = normBefore(mlp);
  let y = norm?.of ?? mlp;
  while (y.origin?.op === "reshape" && y.origin.inputs[0] !== undefined) [y] = y.origin.inputs;
  return { projection: linearBefore(y), norm };
}
