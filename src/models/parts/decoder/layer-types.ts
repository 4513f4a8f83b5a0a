import { fail } from "../../../nn/errors.ts";
import { kind, type Setting } from "../../settings/kinds.ts";

/** Names of what a layer's tokens can see. */
const LAYER_TYPES = ["full_attention", "sliding_attention"] as const;

/** What a layer's tokens see, with Hugging Face's names: all tokens before them, or the last ones. */
export type LayerType = (typeof LAYER_TYPES)[number];

/** What each layer sees; none are those that follow from the family's other settings. */
export const layerTypesRow: Setting<readonly LayerType[]> = {
  ...kind<readonly LayerType[]>(
    `a list of ${LAYER_TYPES.join(" or ")}`,
    (value) =>
      value === null || (Array.isArray(value) && value.every((type) => LAYER_TYPES.includes(type))),
  )([]),
};

/**
 * The type of each layer: those given, checked, or what `slides` says where none are.
 * @throws ModelError for an unknown type, and for more or fewer than there are layers.
 */
export function layerTypes(
  family: string,
  config: { readonly layerTypes?: unknown; readonly numHiddenLayers: number },
  slides: (layer: number) => boolean,
): readonly LayerType[] {
  const { layerTypes: given, numHiddenLayers } = config;
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) {
    return Array.from({ length: numHiddenLayers }, (_, i) =>
      slides(i) ? "sliding_attention" : "full_attention",
    );
  }
  const known = LAYER_TYPES.join(" or ");
  if (!Array.isArray(given) || given.length !== numHiddenLayers) {
    const got = JSON.stringify(given);
    return fail(family, `layerTypes must say ${known} for ${numHiddenLayers} layers, got ${got}`);
  }
  return given.map((type: unknown) => {
    const found = LAYER_TYPES.find((t) => t === type);
    return found ?? fail(family, `layer type ${JSON.stringify(type)} is not known; use ${known}`);
  });
}

/** How many tokens each one sees in the layer of a number; null: all before it. */
export function windowsOf(config: {
  readonly layerTypes: readonly LayerType[];
  readonly slidingWindow: number | null;
}): (layer: number) => number | null {
  return (layer) =>
    config.layerTypes[layer] === "sliding_attention" ? config.slidingWindow : null;
}
