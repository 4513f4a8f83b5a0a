import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import { headDimOf, keyValueHeadsOf } from "../../parts/decoder/config.ts";
import type { Phi3Config } from "./config.ts";

/** Components of a Phi-3's layers. */
export type Phi3Component = LlamaComponent | "qkv_output" | "gate_up_output";

const qkv: ComponentSpec<Phi3Config> = {
  path: "layers.{layer}.self_attn.qkv_proj",
  side: "output",
  dimension: (config) =>
    (config.numAttentionHeads + 2 * keyValueHeadsOf(config)) * headDimOf(config),
};

const gateUp: ComponentSpec<Phi3Config> = {
  path: "layers.{layer}.mlp.gate_up_proj",
  side: "output",
  dimension: ({ intermediateSize }) => 2 * intermediateSize,
};

/** Where the components of Phi-3 are, within the model without a head. */
export const phi3Card: ModelCard<Phi3Config, Phi3Component> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents({ query: "query", key: "key", value: "value" }),
    ...mlpComponents("activation_fn"),
    qkv_output: qkv,
    gate_up_output: gateUp,
  },
};
