import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { LlamaComponent } from "../../parts/decoder/card.ts";
import type { GPTNeoConfig } from "./config.ts";

type Spec = ComponentSpec<GPTNeoConfig>;

const width = ({ hiddenSize }: GPTNeoConfig): number => hiddenSize;
const headWidth = ({ hiddenSize, numHeads }: GPTNeoConfig): number => hiddenSize / numHeads;
const heads = ({ numHeads }: GPTNeoConfig): number => numHeads;

const at = (path: string, side: Spec["side"]): Spec => ({ path, side, dimension: width });
const projected = (name: string): Spec => at(`h.{layer}.attn.attention.${name}`, "output");
const ofHeads = (spec: Spec): Spec => ({ ...spec, heads, dimension: headWidth });

const mixed = at("h.{layer}.attn.attention.out_proj", "input");

/** Where the components of GPT-Neo are, within the model without a head. */
export const gptNeoCard: ModelCard<GPTNeoConfig, LlamaComponent> = {
  layers: ({ numLayers }) => numLayers,
  components: {
    block_input: at("h.{layer}", "input"),
    block_output: at("h.{layer}", "output"),
    mlp_activation: {
      path: "h.{layer}.mlp.act",
      side: "output",
      dimension: ({ intermediateSize, hiddenSize }) => intermediateSize ?? 4 * hiddenSize,
    },
    mlp_output: at("h.{layer}.mlp", "output"),
    mlp_addition: at("h.{layer}.mlp", "output"),
    mlp_input: at("h.{layer}.mlp", "input"),
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: {
      path: "h.{layer}.attn.attention.attn_dropout",
      side: "input",
      headsFirst: true,
      dimension: ({ maxPositionEmbeddings }) => maxPositionEmbeddings,
    },
    attention_output: at("h.{layer}.attn", "output"),
    attention_addition: at("h.{layer}.attn", "output"),
    attention_input: at("h.{layer}.attn", "input"),
    query_output: projected("q_proj"),
    key_output: projected("k_proj"),
    value_output: projected("v_proj"),
    head_query_output: ofHeads(projected("q_proj")),
    head_key_output: ofHeads(projected("k_proj")),
    head_value_output: ofHeads(projected("v_proj")),
  },
};
