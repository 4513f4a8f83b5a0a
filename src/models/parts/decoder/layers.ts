import { Identity } from "../../../nn/layers/identity.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { LayerOutput } from "./attend.ts";
import type { RotaryContext } from "./attention.ts";

/** A module from hidden states to hidden states, [batch, sequence, width]. */
export type Transform = Module & { readonly forward: (x: Tensor) => Tensor };

/** An attention with rotary embeddings. */
export type RotaryAttention = Module & {
  /** [batch, sequence, hidden] -> the same shape, with keys, values and weights. */
  readonly forward: (x: Tensor, context: RotaryContext) => LayerOutput;
};

/** Parts of a layer. */
export interface LayerParts {
  /** The attention. */
  readonly attention: RotaryAttention;
  /** The MLP. */
  readonly mlp: Transform;
  /** Makes one of the layer's norms. */
  readonly norm: () => Transform;
}

/** The layer of Llama and most others: a norm before the attention, and one before the MLP. */
export class PreNormLayer extends Module {
  /** The attention. */
  readonly self_attn: RotaryAttention;
  /** The MLP. */
  readonly mlp: Transform;
  /** The norm before the attention. */
  readonly input_layernorm: Transform;
  /** The norm before the MLP. */
  readonly post_attention_layernorm: Transform;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor({ attention, mlp, norm }: LayerParts) {
    super();
    this.self_attn = attention;
    this.mlp = mlp;
    this.input_layernorm = norm();
    this.post_attention_layernorm = norm();
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.self_attn.forward(normed, context);
    const middle = x.add(this.attention_addition.forward(attended));
    const added = this.mlp.forward(this.post_attention_layernorm.forward(middle));
    return [middle.add(this.mlp_addition.forward(added)), weights, cache];
  }
}

/** The layer of Gemma 2 and 3: norms before and after the attention, and before and after the MLP. */
export class SandwichNormLayer extends Module {
  /** The attention. */
  readonly self_attn: RotaryAttention;
  /** The MLP. */
  readonly mlp: Transform;
  /** The norm before the attention. */
  readonly input_layernorm: Transform;
  /** The norm after the attention. */
  readonly post_attention_layernorm: Transform;
  /** The norm before the MLP. */
  readonly pre_feedforward_layernorm: Transform;
  /** The norm after the MLP. */
  readonly post_feedforward_layernorm: Transform;
  /** Sites of what is added to the residual stream. */
  readonly attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor({ attention, mlp, norm }: LayerParts) {
    super();
    this.self_attn = attention;
    this.mlp = mlp;
    this.input_layernorm = norm();
    this.post_attention_layernorm = norm();
    this.pre_feedforward_layernorm = norm();
    this.post_feedforward_layernorm = norm();
  }

  override forward(x: Tensor, context: RotaryContext): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [attended, weights, cache] = this.self_attn.forward(normed, context);
    const normedBack = this.post_attention_layernorm.forward(attended);
    const middle = x.add(this.attention_addition.forward(normedBack));
    const fed = this.mlp.forward(this.pre_feedforward_layernorm.forward(middle));
    const added = this.mlp_addition.forward(this.post_feedforward_layernorm.forward(fed));
    return [middle.add(added), weights, cache];
  }
}
