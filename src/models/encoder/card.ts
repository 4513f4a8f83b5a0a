import type { ComponentSpec, ModelCard } from "../card.ts";

/** Components of the layers of BERT and of encoders like it. */
export type EncoderComponent =
  | "block_input"
  | "block_output"
  | "mlp_input"
  | "mlp_activation"
  | "mlp_output"
  | "attention_input"
  | "attention_output"
  | "attention_weight"
  | "attention_value_output"
  | "query_output"
  | "key_output"
  | "value_output"
  | "head_attention_value_output"
  | "head_query_output"
  | "head_key_output"
  | "head_value_output";

/** What the sizes of components are counted from. */
interface Sizes {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly maxPositionEmbeddings: number;
}

type Spec = ComponentSpec<Sizes>;

const at = (path: string, side: "input" | "output"): Spec => ({
  path: `encoder.layer.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

const ofHeads = (spec: Spec): Spec => ({
  ...spec,
  heads: ({ numAttentionHeads }) => numAttentionHeads,
  dimension: ({ hiddenSize, numAttentionHeads }) => hiddenSize / numAttentionHeads,
});

const mixed = at(".attention.output", "input");
const query = at(".attention.self.query", "output");
const key = at(".attention.self.key", "output");
const value = at(".attention.self.value", "output");

/** Where the components of BERT are, and of encoders like it, within the model without a head. */
export const encoderCard: ModelCard<Sizes, EncoderComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: at("", "input"),
    block_output: at("", "output"),
    mlp_input: at(".intermediate", "input"),
    mlp_activation: {
      ...at(".intermediate", "output"),
      dimension: ({ intermediateSize }) => intermediateSize,
    },
    mlp_output: at(".output", "output"),
    attention_input: at(".attention", "input"),
    attention_output: at(".attention", "output"),
    attention_weight: {
      ...at(".attention.self.dropout", "input"),
      headsFirst: true,
      dimension: ({ maxPositionEmbeddings }) => maxPositionEmbeddings,
    },
    attention_value_output: mixed,
    query_output: query,
    key_output: key,
    value_output: value,
    head_attention_value_output: ofHeads(mixed),
    head_query_output: ofHeads(query),
    head_key_output: ofHeads(key),
    head_value_output: ofHeads(value),
  },
};
