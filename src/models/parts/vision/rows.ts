import type { ModelConfig } from "../../settings/config.ts";
import type { GivenSettings, SettingRows } from "../../settings/define-settings.ts";
import type { Dimension } from "../../settings/fits-checkpoint.ts";
import { nonNegative, whole, width } from "../../settings/kinds.ts";
import { type PatchConfig, patchCount } from "./patch-embedding.ts";

/** Rows of the settings of images that are cut into patches. */
export function patchRows(
  sizes: Omit<PatchConfig, "numChannels">,
): SettingRows<Omit<PatchConfig, keyof ModelConfig>> {
  return {
    numChannels: width(3),
    // Bounded by its patches, which have a vector each.
    imageSize: whole(sizes.imageSize),
    patchSize: width(sizes.patchSize),
    hiddenSize: width(sizes.hiddenSize),
    initializerRange: nonNegative(sizes.initializerRange),
  };
}

/** The shape of a convolution that makes each patch a vector; `part` is "" or as "visionConfig.". */
export function patchShape(part: string): readonly Dimension[] {
  return ["hiddenSize", "numChannels", "patchSize", "patchSize"].map((name) => part + name);
}

/** How many positions an image has: its patches, and one for the whole. */
export function positionCount(part: string, config: PatchConfig): Dimension {
  const [image, patch] = [`${part}imageSize`, `${part}patchSize`];
  return [`1 + (${image} / ${patch}) ** 2`, 1 + patchCount(config)];
}

/** Height and width as one number where they are the same: files may have a list of the two. */
export function squareSizes(given: GivenSettings): GivenSettings {
  const side = (value: unknown): unknown =>
    Array.isArray(value) && value.length === 2 && value[0] === value[1] ? value[0] : value;
  const sizes = ["imageSize", "patchSize"].filter((name) => given[name] !== undefined);
  return { ...given, ...Object.fromEntries(sizes.map((name) => [name, side(given[name])])) };
}

const BACKBONE = "for detectors that are built on this model; all hidden states are given here";

/** Fields of models of images that say what a detector reads of them. */
export const BACKBONE_FIELDS: Readonly<Record<string, string>> = {
  outFeatures: BACKBONE,
  outIndices: BACKBONE,
  stageNames: BACKBONE,
};
