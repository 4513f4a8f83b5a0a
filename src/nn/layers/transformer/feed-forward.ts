import { requireKnownOptions } from "../../../base/known-options.ts";
import { gelu, relu } from "../../functional/activations.ts";
import { shown } from "../../../base/describe-value.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { fail } from "../../errors.ts";
import { Activation } from "../activation.ts";
import type { Dropout } from "../dropout.ts";
import type { LayerNorm } from "../layer-norm.ts";
import type { Linear } from "../linear.ts";

/** Options of the layers of transformers, as PyTorch's. */
export interface TransformerLayerOptions {
  /** Width between the two linear layers. @default 2048 */
  readonly dimFeedforward?: number;
  /** Share of values that is zeroed in training mode. @default 0.1 */
  readonly dropout?: number;
  /** What is between the two linear layers. @default "relu" */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** Added to the variance in norms. @default 1e-5 */
  readonly layerNormEps?: number;
  /** See {@link MultiheadAttentionOptions}. @default true */
  readonly batchFirst?: boolean;
  /** Whether norms stand before attention and linear layers instead of after them. @default false */
  readonly normFirst?: boolean;
  /** Whether linear layers and norms have a bias. @default true */
  readonly bias?: boolean;
}

const OPTIONS: Readonly<Record<keyof TransformerLayerOptions, true>> = {
  dimFeedforward: true,
  dropout: true,
  activation: true,
  layerNormEps: true,
  batchFirst: true,
  normFirst: true,
  bias: true,
};

/** The options with PyTorch's defaults. */
export function layerOptions(
  name: string,
  given: TransformerLayerOptions,
): Required<TransformerLayerOptions> {
  requireKnownOptions(name, given, OPTIONS);
  return {
    dimFeedforward: 2048,
    dropout: 0.1,
    activation: "relu",
    layerNormEps: 1e-5,
    batchFirst: true,
    normFirst: false,
    bias: true,
    ...given,
  };
}

/** The two linear layers of a transformer's layer, and what stands between them. */
interface FeedForward {
  readonly linear1: Linear;
  readonly activation: Activation;
  readonly dropout: Dropout;
  readonly linear2: Linear;
}

/** `[..., width]`, in the shape of `x`: what the linear layers make of it. */
export function feedForward(
  { linear1, activation, dropout, linear2 }: FeedForward,
  x: Tensor,
): Tensor {
  return linear2.forward(dropout.forward(activation.forward(linear1.forward(x))));
}

/** A part of a layer, and the norm that stands before or after it. */
export type NormedPart = readonly [norm: LayerNorm, part: (x: Tensor) => Tensor];

/** What parts make of `x` in turn, each with a residual connection and its norm. */
export function throughParts(x: Tensor, parts: readonly NormedPart[], normFirst: boolean): Tensor {
  return parts.reduce(
    (y, [norm, part]) => (normFirst ? y.add(part(norm.forward(y))) : norm.forward(y.add(part(y)))),
    x,
  );
}

/** The activation that an option names. */
export function activationOf(
  name: string,
  activation: Required<TransformerLayerOptions>["activation"],
): Activation {
  if (typeof activation === "function") return new Activation(activation.name, activation);
  if (activation === "relu") return new Activation("relu", relu);
  if (activation === "gelu") return new Activation("gelu", (x) => gelu(x));
  const got = shown(activation);
  return fail(name, `activation must be "relu", "gelu" or a function of a tensor, got ${got}`);
}
