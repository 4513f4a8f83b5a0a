import { attentionWeights, type ComponentSpec } from "../model/card.ts";

/** Components of the attention of a transformer's layer, and of the layer as a whole. */
export type AttentionPart =
  | "block_input"
  | "block_output"
  | "attention_value_output"
  | "head_attention_value_output"
  | "attention_weight"
  | "attention_output"
  | "attention_addition"
  | "attention_input"
  | "query_output"
  | "key_output"
  | "value_output"
  | "head_query_output"
  | "head_key_output"
  | "head_value_output";

/** Components of an MLP. */
export type MLPPart = "mlp_activation" | "mlp_output" | "mlp_addition" | "mlp_input";

/** Components of a transformer's layer whose queries, keys and values are projected apart. */
export type LayerPart = AttentionPart | MLPPart;

/** Paths of the attention's modules within a layer, such as ".self_attn". */
export interface AttentionPlaces {
  readonly input: string;
  readonly output: string;
  /** The module that gives what is added to the residual stream. */
  readonly addition: string;
  /** The module that takes the heads' mixed values, side by side. */
  readonly mixed: string;
  /** The dropout that is given the attention weights. */
  readonly weight: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
}

/** As CLIP and Whisper name them. */
export const SELF_ATTENTION: AttentionPlaces = {
  input: ".self_attn",
  output: ".self_attn",
  addition: ".self_attn",
  mixed: ".self_attn.out_proj",
  weight: ".self_attn.dropout",
  query: ".self_attn.q_proj",
  key: ".self_attn.k_proj",
  value: ".self_attn.v_proj",
};

/** Paths of the MLP's modules within a layer. */
export interface MLPPlaces {
  readonly input: string;
  readonly output: string;
  /** The module that gives what is added to the residual stream. */
  readonly addition: string;
  /** The module that gives what the activation function made. */
  readonly activation: string;
}

/** What the sizes of a layer's components are. */
export interface LayerSizes<Config> {
  readonly width: (config: Config) => number;
  readonly heads: (config: Config) => number;
  /** Heads of keys and values, which groups of query heads share. @default as many as queries */
  readonly keyHeads?: (config: Config) => number;
}

type Specs<Part extends string, Config> = { readonly [K in Part]: ComponentSpec<Config> };

/** @param layer path of a layer, with `{layer}` in it. */
export function attentionParts<Config>(
  layer: string,
  { input, output, addition, mixed, weight, ...places }: AttentionPlaces,
  { width, heads, keyHeads = heads }: LayerSizes<Config>,
): Specs<AttentionPart, Config> {
  const headDim = (config: Config): number => width(config) / heads(config);
  const at = (path: string, side: "input" | "output"): ComponentSpec<Config> => ({
    path: `${layer}${path}`,
    side,
    dimension: width,
  });
  const shared = (path: string): ComponentSpec<Config> => ({
    ...at(path, "output"),
    dimension: (config) => keyHeads(config) * headDim(config),
  });
  const ofHeads = (
    spec: ComponentSpec<Config>,
    count: LayerSizes<Config>["heads"] = heads,
  ): ComponentSpec<Config> => ({ ...spec, heads: count, dimension: headDim });
  const values = at(mixed, "input");
  const query = at(places.query, "output");
  const key = shared(places.key);
  const value = shared(places.value);
  return {
    block_input: at("", "input"),
    block_output: at("", "output"),
    attention_value_output: values,
    head_attention_value_output: ofHeads(values),
    attention_weight: attentionWeights(`${layer}${weight}`),
    attention_output: at(output, "output"),
    attention_addition: at(addition, "output"),
    attention_input: at(input, "input"),
    query_output: query,
    key_output: key,
    value_output: value,
    head_query_output: ofHeads(query),
    head_key_output: ofHeads(key, keyHeads),
    head_value_output: ofHeads(value, keyHeads),
  };
}

/** @param sizes of what comes in and goes out, and of what lies between. */
export function mlpParts<Config>(
  layer: string,
  { input, output, addition, activation }: MLPPlaces,
  {
    width,
    inner,
  }: Pick<LayerSizes<Config>, "width"> & {
    readonly inner: (config: Config) => number;
  },
): Specs<MLPPart, Config> {
  return {
    mlp_activation: { path: `${layer}${activation}`, side: "output", dimension: inner },
    mlp_output: { path: `${layer}${output}`, side: "output", dimension: width },
    mlp_addition: { path: `${layer}${addition}`, side: "output", dimension: width },
    mlp_input: { path: `${layer}${input}`, side: "input", dimension: width },
  };
}

/** The same components under names with something in front. */
export function prefixedParts<Prefix extends string, Part extends string, Config>(
  prefix: Prefix,
  components: Specs<Part, Config>,
): Specs<`${Prefix}.${Part}`, Config> {
  const entries = Object.entries<ComponentSpec<Config>>(components);
  return Object.fromEntries(entries.map(([name, spec]) => [`${prefix}.${name}`, spec])) as Specs<
    `${Prefix}.${Part}`,
    Config
  >;
}
