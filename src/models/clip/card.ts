import { attentionWeights, type ComponentSpec, type ModelCard } from "../card.ts";
import type { CLIPConfig, CLIPTowerConfig } from "./config.ts";

type Tower = "text" | "vision";

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

/** Components of the layers of a CLIP's two encoders. */
export type CLIPComponent = `${Tower}.${Part}`;

type Spec = ComponentSpec<CLIPConfig>;

function towerOf(config: CLIPConfig, tower: Tower): CLIPTowerConfig {
  return tower === "text" ? config.textConfig : config.visionConfig;
}

function componentsOf(tower: Tower): Record<Part, Spec> {
  const at = (path: string, side: "input" | "output"): Spec => ({
    path: `${tower}_model.encoder.layers.{layer}${path}`,
    side,
    dimension: (config) => towerOf(config, tower).hiddenSize,
  });
  const heads = (config: CLIPConfig): number => towerOf(config, tower).numAttentionHeads;
  const ofHeads = (spec: Spec): Spec => ({
    ...spec,
    heads,
    dimension: (config) => towerOf(config, tower).hiddenSize / heads(config),
  });
  const mixed = at(".self_attn.out_proj", "input");
  const [query, key, value] = [
    at(".self_attn.q_proj", "output"),
    at(".self_attn.k_proj", "output"),
    at(".self_attn.v_proj", "output"),
  ];
  return {
    block_input: at("", "input"),
    block_output: at("", "output"),
    mlp_activation: {
      ...at(".mlp.activation_fn", "output"),
      dimension: (config) => towerOf(config, tower).intermediateSize,
    },
    mlp_output: at(".mlp", "output"),
    mlp_input: at(".mlp", "input"),
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
  };
}

function named(tower: Tower): [string, Spec][] {
  return Object.entries(componentsOf(tower)).map(([part, spec]) => [`${tower}.${part}`, spec]);
}

/** Where the components of a CLIP are; layers are counted in each encoder. */
export const clipCard: ModelCard<CLIPConfig, CLIPComponent> = {
  layers: ({ textConfig, visionConfig }) =>
    Math.max(textConfig.numHiddenLayers, visionConfig.numHiddenLayers),
  counts: { vision_model: "other", visual_projection: "other" },
  components: Object.fromEntries([...named("text"), ...named("vision")]) as Record<
    CLIPComponent,
    Spec
  >,
};
