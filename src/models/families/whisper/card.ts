import { attentionWeights, type ComponentSpec, type ModelCard, partOf } from "../../model/card.ts";
import {
  attentionParts,
  type LayerPart,
  mlpParts,
  prefixedParts,
  SELF_ATTENTION,
} from "../../parts/layer-components.ts";
import type { WhisperConfig } from "./config.ts";

type CrossPart =
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_weight"
  | "cross_attention_output"
  | "cross_attention_addition"
  | "cross_attention_input";

/** Components of a Whisper's layers; those without `decoder.` are the encoder's. */
export type WhisperComponent =
  LayerPart | `encoder.${LayerPart}` | `decoder.${LayerPart | CrossPart}`;

/** Those of the encoder. */
export type WhisperEncoderComponent = LayerPart | `encoder.${LayerPart}`;

type Spec = ComponentSpec<WhisperConfig>;
type Tower = "encoder" | "decoder";

const at = (path: string, side: "input" | "output"): Spec => ({
  path,
  side,
  dimension: ({ dModel }) => dModel,
});

const headsOf = (config: WhisperConfig, tower: Tower): number =>
  tower === "encoder" ? config.encoderAttentionHeads : config.decoderAttentionHeads;

const MLP = {
  input: ".fc1",
  output: ".fc2",
  addition: ".mlp_addition",
  activation: ".activation_fn",
};
const ATTENTION = { ...SELF_ATTENTION, addition: ".attention_addition" };

function componentsOf(tower: Tower): { readonly [K in LayerPart]: Spec } {
  const layer = `${tower}.layers.{layer}`;
  const sizes = {
    width: ({ dModel }: WhisperConfig) => dModel,
    inner: (c: WhisperConfig) => (tower === "encoder" ? c.encoderFfnDim : c.decoderFfnDim),
    heads: (config: WhisperConfig) => headsOf(config, tower),
  };
  return { ...attentionParts(layer, ATTENTION, sizes), ...mlpParts(layer, MLP, sizes) };
}

const crossMixed = at("decoder.layers.{layer}.encoder_attn.out_proj", "input");

const CROSS: Record<CrossPart, Spec> = {
  cross_attention_value_output: crossMixed,
  head_cross_attention_value_output: {
    ...crossMixed,
    heads: ({ decoderAttentionHeads }) => decoderAttentionHeads,
    dimension: ({ dModel, decoderAttentionHeads }) => dModel / decoderAttentionHeads,
  },
  cross_attention_weight: attentionWeights("decoder.layers.{layer}.encoder_attn.dropout", "other"),
  cross_attention_addition: at("decoder.layers.{layer}.cross_attention_addition", "output"),
  cross_attention_output: at("decoder.layers.{layer}.encoder_attn", "output"),
  cross_attention_input: at("decoder.layers.{layer}.encoder_attn", "input"),
};

/** Where the components of a Whisper are, within the model without a head. */
export const whisperCard: ModelCard<WhisperConfig, WhisperComponent> = {
  layers: ({ encoderLayers, decoderLayers }) => Math.max(encoderLayers, decoderLayers),
  // Frames of sound, of which there is no mask.
  counts: {
    "": "target",
    encoder: "other",
    "decoder.layers.{layer}.encoder_attn.k_proj": "other",
    "decoder.layers.{layer}.encoder_attn.v_proj": "other",
  },
  components: {
    ...componentsOf("encoder"),
    ...prefixedParts("encoder", componentsOf("encoder")),
    ...prefixedParts("decoder", { ...componentsOf("decoder"), ...CROSS }),
  },
};

/** Where the components of a Whisper are that has no decoder. */
export const whisperEncoderCard: ModelCard<WhisperConfig, WhisperEncoderComponent> = {
  ...partOf<WhisperEncoderComponent, WhisperConfig>("encoder", whisperCard),
  layers: ({ encoderLayers }) => encoderLayers,
};
