import { fail } from "../../../nn/errors.ts";
import type { ModelFamily } from "../../model/family.ts";
import {
  type GivenGPT2,
  GPT2_INERT,
  GPT2_ROWS,
  type GPT2Config,
  gpt2Family,
  requireGPT2Heads,
} from "../../families/gpt2/config.ts";
import { defineSettings, type Settings } from "../../settings/define-settings.ts";
import { flag, width } from "../../settings/kinds.ts";

/** Settings of a Backpack: those of its GPT-2, and of its senses. */
export interface BackpackGPT2Config extends GPT2Config {
  /** Sense vectors of each word. */
  readonly numSenses: number;
  /** Width inside the last MLP of the sense network, in multiples of nEmbd. */
  readonly senseIntermediateScale: number;
}

/** What settings Backpacks have. */
export const BACKPACK_GPT2_SETTINGS: Settings<BackpackGPT2Config> =
  defineSettings<BackpackGPT2Config>({
    name: "BackpackGPT2Config",
    modelType: "gpt2",
    rows: {
      ...GPT2_ROWS,
      vocabSize: width(50264),
      nPositions: width(512, { names: ["maxPositionEmbeddings"] }),
      scaleAttnByInverseLayerIdx: flag(true),
      numSenses: width(16),
      senseIntermediateScale: width(4),
    },
    inert: GPT2_INERT,
    complete: (config) => requireSenses(requireGPT2Heads("BackpackGPT2Config", config)),
  });

function requireSenses(config: BackpackGPT2Config): BackpackGPT2Config {
  const { nEmbd, numSenses } = config;
  if (nEmbd % numSenses === 0) return config;
  return fail(
    "BackpackGPT2Config",
    `nEmbd (${nEmbd}) must be a multiple of numSenses (${numSenses})`,
  );
}

/**
 * Settings of a Backpack: those given over the defaults, which are those of the published model.
 * @throws ModelError for sizes that cannot be.
 */
export function backpackGpt2Config(given: GivenGPT2<BackpackGPT2Config> = {}): BackpackGPT2Config {
  return BACKPACK_GPT2_SETTINGS.read(given);
}

/** How checkpoints of Backpacks are read: as GPT-2's, but for the name of their class. */
export const backpackGpt2Family: ModelFamily<BackpackGPT2Config> = {
  ...gpt2Family,
  architectures: /^BackpackGPT2/,
  settings: BACKPACK_GPT2_SETTINGS,
  readConfig: BACKPACK_GPT2_SETTINGS.fromFields,
  basePrefix: "backpack",
};
