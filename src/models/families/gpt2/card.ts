import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import type { LayerPart } from "../../parts/layer-components.ts";
import type { GPT2Config } from "./config.ts";

/** Components of a GPT-2's layers. */
export type GPT2Component = LayerPart;

type Spec = ComponentSpec<GPT2Config>;

const width = ({ nEmbd }: GPT2Config): number => nEmbd;
const headWidth = ({ nEmbd, nHead }: GPT2Config): number => nEmbd / nHead;
const heads = ({ nHead }: GPT2Config): number => nHead;

/** A third of the fused projection to queries, keys and values. */
const projected = (index: number): Spec => ({
  path: "h.{layer}.attn.c_attn",
  side: "output",
  part: { index, of: 3 },
  dimension: width,
});

const ofHeads = (spec: Spec): Spec => ({ ...spec, heads, dimension: headWidth });

const mixed: Spec = { path: "h.{layer}.attn.c_proj", side: "input", dimension: width };

/** Where the components of GPT-2 are, within the model without a head. */
export const gpt2Card: ModelCard<GPT2Config, GPT2Component> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    block_input: { path: "h.{layer}", side: "input", dimension: width },
    block_output: { path: "h.{layer}", side: "output", dimension: width },
    mlp_activation: {
      path: "h.{layer}.mlp.act",
      side: "output",
      dimension: ({ nInner, nEmbd }) => nInner ?? 4 * nEmbd,
    },
    mlp_output: { path: "h.{layer}.mlp", side: "output", dimension: width },
    mlp_addition: { path: "h.{layer}.mlp", side: "output", dimension: width },
    mlp_input: { path: "h.{layer}.mlp", side: "input", dimension: width },
    attention_value_output: mixed,
    head_attention_value_output: ofHeads(mixed),
    attention_weight: {
      path: "h.{layer}.attn.attn_dropout",
      side: "input",
      headsFirst: true,
      dimension: ({ nPositions }) => nPositions,
    },
    attention_output: { path: "h.{layer}.attn.resid_dropout", side: "output", dimension: width },
    attention_addition: { path: "h.{layer}.attn.resid_dropout", side: "output", dimension: width },
    attention_input: { path: "h.{layer}.attn", side: "input", dimension: width },
    query_output: projected(0),
    key_output: projected(1),
    value_output: projected(2),
    head_query_output: ofHeads(projected(0)),
    head_key_output: ofHeads(projected(1)),
    head_value_output: ofHeads(projected(2)),
  },
};
