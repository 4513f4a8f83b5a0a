import { attentionWeights, type ComponentSpec, type ModelCard } from "../card.ts";
import { cardWithin } from "../card-within.ts";
import { llamaCard, type LlamaComponent } from "../decoder/card.ts";
import type { MllamaConfig, MllamaVisionConfig } from "./config.ts";

type VisionPart =
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

/** Components of an Mllama. Layers that look at the image have no `self_attn`. */
export type MllamaComponent = `language.${LlamaComponent}` | `${"vision" | "global"}.${VisionPart}`;

type Spec = ComponentSpec<MllamaVisionConfig>;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `layers.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ attentionHeads }) => attentionHeads,
  dimension: ({ hiddenSize, attentionHeads }) => hiddenSize / attentionHeads,
});

const mixed = at(".self_attn.o_proj", "input");
const query = at(".self_attn.q_proj", "output");
const key = at(".self_attn.k_proj", "output");
const value = at(".self_attn.v_proj", "output");

const visionCard: ModelCard<MllamaVisionConfig, VisionPart> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: at("", "input"),
    block_output: at("", "output"),
    mlp_activation: {
      ...at(".mlp.activation_fn", "output"),
      dimension: ({ intermediateSize }) => intermediateSize,
    },
    mlp_output: at(".mlp", "output"),
    mlp_input: at(".mlp", "input"),
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: attentionWeights(at(".self_attn.attn_dropout", "input").path),
    attention_output: at(".self_attn", "output"),
    attention_input: at(".self_attn", "input"),
    query_output: query,
    key_output: key,
    value_output: value,
    head_query_output: ofHeads(query),
    head_key_output: ofHeads(key),
    head_value_output: ofHeads(value),
  },
};

function named(
  prefix: string,
  card: ModelCard<MllamaConfig>,
): [string, ComponentSpec<MllamaConfig>][] {
  return Object.entries(card.components).map(([name, spec]) => [`${prefix}.${name}`, spec]);
}

const language = cardWithin("language_model.model", llamaCard, (c: MllamaConfig) => c.textConfig);
const ofVision = (path: string): ModelCard<MllamaConfig, VisionPart> =>
  cardWithin(`vision_model.${path}`, visionCard, (c: MllamaConfig) => c.visionConfig);

/** Where the components of an Mllama are; layers are counted in each of its three parts. */
export const mllamaCard: ModelCard<MllamaConfig, MllamaComponent> = {
  layers: ({ textConfig, visionConfig }) =>
    Math.max(
      textConfig.numHiddenLayers,
      visionConfig.numHiddenLayers,
      visionConfig.numGlobalLayers,
    ),
  counts: {
    vision_model: "other",
    multi_modal_projector: "other",
    "language_model.model.layers.{layer}.cross_attn.k_proj": "other",
    "language_model.model.layers.{layer}.cross_attn.v_proj": "other",
  },
  components: Object.fromEntries([
    ...named("language", language),
    ...named("vision", ofVision("transformer")),
    ...named("global", ofVision("global_transformer")),
  ]) as Record<MllamaComponent, ComponentSpec<MllamaConfig>>,
};
