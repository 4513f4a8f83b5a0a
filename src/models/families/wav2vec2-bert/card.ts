import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { type AttentionPart, attentionParts } from "../../parts/layer-components.ts";
import type { Wav2Vec2BertConfig } from "./config.ts";

/**
 * Components of a Wav2Vec2-BERT's layers. Those of the inner convolutions, `conv_glu_output` and
 * `conv_depth_output`, are [batch, width, frames].
 */
export type Wav2Vec2BertComponent =
  | AttentionPart
  | `ffn${1 | 2}_${"activation" | "output" | "addition" | "input"}`
  | "conv_output"
  | "conv_addition"
  | "conv_input"
  | "conv_glu_output"
  | "conv_depth_output";

type Spec = ComponentSpec<Wav2Vec2BertConfig>;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `encoder.layers.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
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

const ATTENTION = {
  input: ".self_attn",
  output: ".self_attn",
  addition: ".self_attn_dropout",
  mixed: ".self_attn.linear_out",
  weight: ".self_attn.dropout",
  query: ".self_attn.linear_q",
  key: ".self_attn.linear_k",
  value: ".self_attn.linear_v",
};

/** Where the components of a Wav2Vec2-BERT are, within the model without a head. */
export const wav2Vec2BertCard: ModelCard<Wav2Vec2BertConfig, Wav2Vec2BertComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts("encoder.layers.{layer}", ATTENTION, {
      width: ({ hiddenSize }) => hiddenSize,
      heads: ({ numAttentionHeads }) => numAttentionHeads,
    }),
    ffn1_activation: activationOf("ffn1"),
    ffn1_output: at(".ffn1", "output"),
    ffn1_addition: at(".ffn1_addition", "output"),
    ffn1_input: at(".ffn1", "input"),
    ffn2_activation: activationOf("ffn2"),
    ffn2_output: at(".ffn2", "output"),
    ffn2_addition: at(".ffn2_addition", "output"),
    ffn2_input: at(".ffn2", "input"),
    conv_output: at(".conv_module", "output"),
    conv_addition: at(".conv_module", "output"),
    conv_input: at(".conv_module", "input"),
    conv_glu_output: inConvolution(".glu"),
    conv_depth_output: inConvolution(".depthwise_conv"),
  },
};
