import { attentionWeights, type ComponentSpec, type ModelCard } from "../card.ts";
import type { WhisperConfig } from "./config.ts";

type Part =
  | "block_input"
  | "block_output"
  | "mlp_activation"
  | "mlp_output"
  | "mlp_input"
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
  | "head_value_output";

type CrossPart =
  | "cross_attention_value_output"
  | "head_cross_attention_value_output"
  | "cross_attention_weight"
  | "cross_attention_output"
  | "cross_attention_input";

/** Components of a Whisper's layers; those without `decoder.` are the encoder's. */
export type WhisperComponent = Part | `encoder.${Part}` | `decoder.${Part | CrossPart}`;

type Spec = ComponentSpec<WhisperConfig>;
type Tower = "encoder" | "decoder";

const at = (path: string, side: "input" | "output"): Spec => ({
  path,
  side,
  dimension: ({ dModel }) => dModel,
});

const headsOf = (config: WhisperConfig, tower: Tower): number =>
  tower === "encoder" ? config.encoderAttentionHeads : config.decoderAttentionHeads;

const ofHeads = (spec: Spec, tower: Tower): Spec => ({
  ...spec,
  heads: (config) => headsOf(config, tower),
  dimension: (config) => config.dModel / headsOf(config, tower),
});

function componentsOf(tower: Tower): Record<Part, Spec> {
  const layer = `${tower}.layers.{layer}`;
  const mixed = at(`${layer}.self_attn.out_proj`, "input");
  const query = at(`${layer}.self_attn.q_proj`, "output");
  const key = at(`${layer}.self_attn.k_proj`, "output");
  const value = at(`${layer}.self_attn.v_proj`, "output");
  return {
    block_input: at(layer, "input"),
    block_output: at(layer, "output"),
    mlp_activation: {
      ...at(`${layer}.activation_fn`, "output"),
      dimension: (c) => (tower === "encoder" ? c.encoderFfnDim : c.decoderFfnDim),
    },
    mlp_output: at(`${layer}.fc2`, "output"),
    mlp_input: at(`${layer}.fc1`, "input"),
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed, tower),
    attention_weight: attentionWeights(`${layer}.self_attn.dropout`),
    attention_output: at(`${layer}.self_attn`, "output"),
    attention_input: at(`${layer}.self_attn`, "input"),
    query_output: query,
    key_output: key,
    value_output: value,
    head_query_output: ofHeads(query, tower),
    head_key_output: ofHeads(key, tower),
    head_value_output: ofHeads(value, tower),
  };
}

const crossMixed = at("decoder.layers.{layer}.encoder_attn.out_proj", "input");

const CROSS: Record<CrossPart, Spec> = {
  cross_attention_value_output: crossMixed,
  head_cross_attention_value_output: ofHeads(crossMixed, "decoder"),
  cross_attention_weight: attentionWeights("decoder.layers.{layer}.encoder_attn.dropout", "other"),
  cross_attention_output: at("decoder.layers.{layer}.encoder_attn", "output"),
  cross_attention_input: at("decoder.layers.{layer}.encoder_attn", "input"),
};

function prefixed(tower: Tower, specs: Readonly<Record<string, Spec>>): Record<string, Spec> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [`${tower}.${name}`, spec]),
  );
}

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
    ...prefixed("encoder", componentsOf("encoder")),
    ...prefixed("decoder", { ...componentsOf("decoder"), ...CROSS }),
  } as Record<WhisperComponent, Spec>,
};
