import { attentionWeights, type ComponentSpec, type ModelCard } from "../../model/card.ts";
import type { T5Config } from "./config.ts";

/** Components of a T5's encoder and decoder. */
export type T5Component =
  | "encoder.block_input"
  | "encoder.block_output"
  | "encoder.attention_input"
  | "encoder.attention_output"
  | "encoder.attention_addition"
  | "encoder.attention_weight"
  | "encoder.self_attention_raw_output"
  | "encoder.attention_value_output"
  | "encoder.head_attention_value_output"
  | "encoder.mlp_input"
  | "encoder.mlp_output"
  | "encoder.mlp_addition"
  | "encoder.mlp_activation"
  | "decoder.block_input"
  | "decoder.block_output"
  | "decoder.attention_input"
  | "decoder.attention_output"
  | "decoder.attention_addition"
  | "decoder.attention_weight"
  | "decoder.attention_value_output"
  | "decoder.head_attention_value_output"
  | "decoder.cross_attention_input"
  | "decoder.cross_attention_output"
  | "decoder.cross_attention_addition"
  | "decoder.cross_attention_weight"
  | "decoder.cross_attention_value_output"
  | "decoder.head_cross_attention_value_output"
  | "decoder.mlp_input"
  | "decoder.mlp_output"
  | "decoder.mlp_addition"
  | "decoder.mlp_activation";

type Spec = ComponentSpec<T5Config>;

const width = ({ dModel }: T5Config): number => dModel;

const at = (path: string, side: "input" | "output"): Spec => ({ path, side, dimension: width });

const inner = (path: string): Spec => ({
  ...at(path, "input"),
  dimension: ({ numHeads, dKv }) => numHeads * dKv,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ numHeads }) => numHeads,
  dimension: ({ dKv }) => dKv,
});

const cross = "decoder.block.{layer}.layer.1.EncDecAttention";

const activated = (path: string): Spec => ({ ...at(path, "output"), dimension: ({ dFf }) => dFf });

const encoder = "encoder.block.{layer}";
const decoder = "decoder.block.{layer}";
const encoderMixed = inner(`${encoder}.layer.0.SelfAttention.o`);
const decoderMixed = inner(`${decoder}.layer.0.SelfAttention.o`);
const crossMixed = inner(`${cross}.o`);

/** Where the components of T5 are. Layers are those of the deeper half. */
export const t5Card: ModelCard<T5Config, T5Component> = {
  layers: ({ numLayers, numDecoderLayers }) => Math.max(numLayers, numDecoderLayers ?? numLayers),
  counts: {
    "": "target",
    encoder: "source",
    [`${cross}.k`]: "source",
    [`${cross}.v`]: "source",
  },
  components: {
    "encoder.block_input": at(encoder, "input"),
    "encoder.block_output": at(encoder, "output"),
    "encoder.attention_input": at(`${encoder}.layer.0`, "input"),
    "encoder.attention_addition": at(`${encoder}.layer.0.dropout`, "output"),
    "encoder.attention_output": at(`${encoder}.layer.0`, "output"),
    "encoder.attention_weight": attentionWeights(`${encoder}.layer.0.SelfAttention.dropout`),
    "encoder.self_attention_raw_output": at(`${encoder}.layer.0.SelfAttention`, "output"),
    "encoder.attention_value_output": encoderMixed,
    "encoder.head_attention_value_output": ofHeads(encoderMixed),
    "encoder.mlp_input": at(`${encoder}.layer.1`, "input"),
    "encoder.mlp_addition": at(`${encoder}.layer.1.dropout`, "output"),
    "encoder.mlp_output": at(`${encoder}.layer.1`, "output"),
    "encoder.mlp_activation": activated(`${encoder}.layer.1.DenseReluDense.act`),
    "decoder.block_input": at(decoder, "input"),
    "decoder.block_output": at(decoder, "output"),
    "decoder.attention_input": at(`${decoder}.layer.0`, "input"),
    "decoder.attention_addition": at(`${decoder}.layer.0.dropout`, "output"),
    "decoder.attention_output": at(`${decoder}.layer.0`, "output"),
    "decoder.attention_weight": attentionWeights(`${decoder}.layer.0.SelfAttention.dropout`),
    "decoder.attention_value_output": decoderMixed,
    "decoder.head_attention_value_output": ofHeads(decoderMixed),
    "decoder.cross_attention_input": at(`${decoder}.layer.1`, "input"),
    "decoder.cross_attention_addition": at(`${decoder}.layer.1.dropout`, "output"),
    "decoder.cross_attention_output": at(`${decoder}.layer.1`, "output"),
    "decoder.cross_attention_weight": attentionWeights(`${cross}.dropout`, "source"),
    "decoder.cross_attention_value_output": crossMixed,
    "decoder.head_cross_attention_value_output": ofHeads(crossMixed),
    "decoder.mlp_input": at(`${decoder}.layer.2`, "input"),
    "decoder.mlp_addition": at(`${decoder}.layer.2.dropout`, "output"),
    "decoder.mlp_output": at(`${decoder}.layer.2`, "output"),
    "decoder.mlp_activation": activated(`${decoder}.layer.2.DenseReluDense.act`),
  },
};
