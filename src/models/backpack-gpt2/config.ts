import { TensorError } from "../../tensor/errors.ts";
import { checkedFields, requirePositive, withDefaults } from "../config.ts";
import type { ModelFamily } from "../family.ts";
import { type GPT2Config, gpt2Config, gpt2Family } from "../gpt2/config.ts";

/** Settings of a Backpack: those of its GPT-2, and of its senses. */
export interface BackpackGPT2Config extends GPT2Config {
  /** Sense vectors of each word. */
  readonly numSenses: number;
  /** Width inside the last MLP of the sense network, in multiples of nEmbd. */
  readonly senseIntermediateScale: number;
}

const DEFAULTS: BackpackGPT2Config = {
  ...gpt2Config(),
  vocabSize: 50264,
  nPositions: 512,
  scaleAttnByInverseLayerIdx: true,
  numSenses: 16,
  senseIntermediateScale: 4,
};

/**
 * Settings of a Backpack: those given over the defaults, which are those of the published model.
 * @throws TensorError for sizes that cannot be.
 */
export function backpackGpt2Config(given: Partial<BackpackGPT2Config> = {}): BackpackGPT2Config {
  const config = withDefaults(DEFAULTS, given);
  const { numSenses, senseIntermediateScale, nEmbd } = config;
  requirePositive("BackpackGPT2Config", { numSenses, senseIntermediateScale });
  if (nEmbd % numSenses !== 0) {
    throw new TensorError(
      `BackpackGPT2Config: nEmbd (${nEmbd}) must be a multiple of numSenses (${numSenses})`,
    );
  }
  return { ...gpt2Config(config), numSenses, senseIntermediateScale };
}

/** How checkpoints of Backpacks are read: as GPT-2's, but for the name of their class. */
export const backpackGpt2Family: ModelFamily<BackpackGPT2Config> = {
  ...gpt2Family,
  architectures: /^BackpackGPT2/,
  readConfig: (fields) => backpackGpt2Config(checkedFields("BackpackGPT2Config", DEFAULTS, fields)),
  basePrefix: "backpack",
};
