import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { AttentionPart, MLPPart } from "../layer-components.ts";
import { type DecoderConfig, headDimOf, keyValueHeadsOf } from "./config.ts";

/** Components of every Llama-like layer, whatever its MLP is. */
export type AttentionComponent = AttentionPart;

/** Components of a gated MLP. */
export type MLPComponent = MLPPart;

/** Components of Llama-like decoders. */
export type LlamaComponent = AttentionComponent | MLPComponent;

type Spec = ComponentSpec<DecoderConfig>;

const width = ({ hiddenSize }: DecoderConfig): number => hiddenSize;
const queryHeads = ({ numAttentionHeads }: DecoderConfig): number => numAttentionHeads;
const queryWidth = (config: DecoderConfig): number => queryHeads(config) * headDimOf(config);
const keyWidth = (config: DecoderConfig): number => keyValueHeadsOf(config) * headDimOf(config);

const ofHeads = (spec: Spec, heads: Spec["heads"] & {}): Spec => ({
  ...spec,
  heads,
  dimension: headDimOf,
});

/** Paths of modules within a layer, where they are not Llama's. */
export interface AttentionPaths {
  /** @default "self_attn" */
  readonly attention?: string;
  /** Within the attention. @default "q_proj", "k_proj", "v_proj", "o_proj" */
  readonly query?: string;
  readonly key?: string;
  readonly value?: string;
  readonly output?: string;
}

/**
 * The components around the attention of layers `layers.{layer}`. Heads of keys and values are
 * counted as they are: one for each group of query heads.
 */
export function attentionComponents({
  attention = "self_attn",
  query = "q_proj",
  key = "k_proj",
  value = "v_proj",
  output = "o_proj",
}: AttentionPaths = {}): { readonly [K in AttentionComponent]: Spec } {
  const layer = "layers.{layer}";
  const inside = `${layer}.${attention}`;
  const projected = (name: string, dimension: Spec["dimension"] & {}): Spec => ({
    path: `${inside}.${name}`,
    side: "output",
    dimension,
  });
  const [q, k, v] = [
    projected(query, queryWidth),
    projected(key, keyWidth),
    projected(value, keyWidth),
  ] as const;
  const mixed: Spec = { path: `${inside}.${output}`, side: "input", dimension: queryWidth };
  return {
    block_input: { path: layer, side: "input", dimension: width },
    block_output: { path: layer, side: "output", dimension: width },
    attention_input: { path: inside, side: "input", dimension: width },
    attention_output: { path: inside, side: "output", dimension: width },
    attention_addition: { path: `${layer}.attention_addition`, side: "output", dimension: width },
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed, queryHeads),
    attention_weight: {
      path: `${inside}.attn_dropout`,
      side: "input",
      headsFirst: true,
      dimension: ({ maxPositionEmbeddings }) => maxPositionEmbeddings,
    },
    query_output: q,
    key_output: k,
    value_output: v,
    head_query_output: ofHeads(q, queryHeads),
    head_key_output: ofHeads(k, keyValueHeadsOf),
    head_value_output: ofHeads(v, keyValueHeadsOf),
  };
}

/** The components of the MLP of layers `layers.{layer}`. */
export function mlpComponents(activation = "act_fn"): { readonly [K in MLPComponent]: Spec } {
  const path = "layers.{layer}.mlp";
  return {
    mlp_input: { path, side: "input", dimension: width },
    mlp_activation: {
      path: `${path}.${activation}`,
      side: "output",
      dimension: ({ intermediateSize }) => intermediateSize,
    },
    mlp_output: { path, side: "output", dimension: width },
    mlp_addition: { path: "layers.{layer}.mlp_addition", side: "output", dimension: width },
  };
}

/** Where the components of Llama and those like it are, within the model without a head. */
export const llamaCard: ModelCard<DecoderConfig, LlamaComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: { ...attentionComponents(), ...mlpComponents() },
};
