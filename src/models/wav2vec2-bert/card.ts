import { attentionWeights, type ComponentSpec, type ModelCard } from "../card.ts";
import type { Wav2Vec2BertConfig } from "./config.ts";

/**
 * Components of a Wav2Vec2-BERT's layers. Those of the inner convolutions, `conv_glu_output` and
 * `conv_depth_output`, are [batch, width, frames].
 */
export type Wav2Vec2BertComponent =
  | "block_input"
  | "block_output"
  | "ffn1_activation"
  | "ffn1_output"
  | "ffn1_input"
  | "ffn2_activation"
  | "ffn2_output"
  | "ffn2_input"
  | "attention_value_output"
  | "head_attention_value_output"
  | "attention_weight"
  | "attention_output"
  | "attention_input"
  | "query_output"
  | "key_output"
  | "value_output"
  | "head_query_output"
  | "head_key_output"
  | "head_value_output"
  | "conv_output"
  | "conv_input"
  | "conv_glu_output"
  | "conv_depth_output";

type Spec = ComponentSpec<Wav2Vec2BertConfig>;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `encoder.layers.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ numAttentionHeads }) => numAttentionHeads,
  dimension: ({ hiddenSize, numAttentionHeads }) => hiddenSize / numAttentionHeads,
});

const activationOf = (ffn: string): Spec => ({
  ...at(`.${ffn}.intermediate_act_fn`, "output"),
  dimension: ({ intermediateSize }) => intermediateSize,
});

// Its last dimension is the frames.
const inConvolution = (path: string): Spec => ({
  ...at(`.conv_module${path}`, "output"),
  dimension: () => undefined,
});

const mixed = at(".self_attn.linear_out", "input");
const query = at(".self_attn.linear_q", "output");
const key = at(".self_attn.linear_k", "output");
const value = at(".self_attn.linear_v", "output");

/** Where the components of a Wav2Vec2-BERT are, within the model without a head. */
export const wav2Vec2BertCard: ModelCard<Wav2Vec2BertConfig, Wav2Vec2BertComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: at("", "input"),
    block_output: at("", "output"),
    ffn1_activation: activationOf("ffn1"),
    ffn1_output: at(".ffn1", "output"),
    ffn1_input: at(".ffn1", "input"),
    ffn2_activation: activationOf("ffn2"),
    ffn2_output: at(".ffn2", "output"),
    ffn2_input: at(".ffn2", "input"),
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: attentionWeights(at(".self_attn.dropout", "input").path),
    attention_output: at(".self_attn", "output"),
    attention_input: at(".self_attn", "input"),
    query_output: query,
    key_output: key,
    value_output: value,
    head_query_output: ofHeads(query),
    head_key_output: ofHeads(key),
    head_value_output: ofHeads(value),
    conv_output: at(".conv_module", "output"),
    conv_input: at(".conv_module", "input"),
    conv_glu_output: inConvolution(".glu"),
    conv_depth_output: inConvolution(".depthwise_conv"),
  },
};
