import type { ModelCard } from "../../model/card.ts";
import { attentionParts, type LayerPart, mlpParts } from "../layer-components.ts";

/** Components of the layers of BERT and of encoders like it. */
export type EncoderComponent = LayerPart;

/** What the sizes of components are counted from. */
interface Sizes {
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width of the MLP's inner layer. */
  readonly intermediateSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Heads of each attention. */
  readonly numAttentionHeads: number;
  /** Longest text that positions are there for. */
  readonly maxPositionEmbeddings: number;
}

const LAYER = "encoder.layer.{layer}";
const ATTENTION = {
  input: ".attention",
  output: ".attention",
  addition: ".attention.output.dropout",
  mixed: ".attention.output",
  weight: ".attention.self.dropout",
  query: ".attention.self.query",
  key: ".attention.self.key",
  value: ".attention.self.value",
};
const MLP = {
  input: ".intermediate",
  output: ".output",
  addition: ".output.dropout",
  activation: ".intermediate",
};
const SIZES = {
  width: ({ hiddenSize }: Sizes): number => hiddenSize,
  inner: ({ intermediateSize }: Sizes): number => intermediateSize,
  heads: ({ numAttentionHeads }: Sizes): number => numAttentionHeads,
};

/** Where the components of BERT are, and of encoders like it, within the model without a head. */
export const encoderCard: ModelCard<Sizes, EncoderComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionParts(LAYER, ATTENTION, SIZES),
    ...mlpParts(LAYER, MLP, SIZES),
    attention_weight: {
      path: `${LAYER}.attention.self.dropout`,
      side: "input",
      headsFirst: true,
      dimension: ({ maxPositionEmbeddings }) => maxPositionEmbeddings,
    },
  },
};
