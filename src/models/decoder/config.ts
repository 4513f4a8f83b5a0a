import { TensorError } from "../../tensor/errors.ts";
import {
  checkedFields,
  type JsonValue,
  type ModelConfig,
  requirePositive,
  withDefaults,
} from "../config.ts";
import type { ModelFamily } from "../family.ts";
import { type GivenRope, type RopeParameters, ropeParameters } from "./rope-parameters.ts";

/** Settings that decoders like Llama share, with Hugging Face's meanings. */
export interface DecoderConfig extends ModelConfig {
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width inside the MLP. */
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Heads of keys and values, which groups of query heads share. @default as many as queries */
  readonly numKeyValueHeads?: number | null;
  /** Width of a head. @default hiddenSize / numAttentionHeads */
  readonly headDim?: number | null;
  /** Length that the model was trained for; longer texts are not refused. */
  readonly maxPositionEmbeddings: number;
  /** Standard deviation of the weights to start from. */
  readonly initializerRange: number;
  readonly attentionDropout: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
}

/** Settings of a decoder with one kind of rotary embeddings. */
export interface RotaryConfig extends DecoderConfig {
  readonly ropeParameters: RopeParameters;
}

/** Older names of settings that `ropeParameters` holds now. */
const LEGACY = ["ropeTheta", "ropeScaling", "partialRotaryFactor"] as const;

/** Settings as they may be given: in part, or under the names of transformers 4. */
export type Given<Config> = {
  readonly [K in keyof Config]?: K extends "ropeParameters" ? unknown : Config[K];
} & { readonly [K in (typeof LEGACY)[number]]?: unknown };

/** Defaults that are the same in (almost) all families. */
export const DECODER_DEFAULTS = {
  initializerRange: 0.02,
  attentionDropout: 0,
  tieWordEmbeddings: false,
  numLabels: 2,
  bosTokenId: null,
  eosTokenId: null,
  padTokenId: null,
} as const;

/** Rotary embeddings as they were first, with wavelengths to a base of 10,000. */
export const PLAIN_ROPE: RopeParameters = { ropeType: "default", ropeTheta: 10_000 };

/** Width of a head. */
export function headDimOf({ headDim, hiddenSize, numAttentionHeads }: DecoderConfig): number {
  return headDim ?? hiddenSize / numAttentionHeads;
}

/** Number of heads of keys and values. */
export function keyValueHeadsOf(config: DecoderConfig): number {
  return config.numKeyValueHeads ?? config.numAttentionHeads;
}

/**
 * Settings of a family: those given over the defaults, checked.
 * @throws TensorError for sizes that cannot be.
 */
export function decoderConfig<Config extends DecoderConfig>(
  family: string,
  defaults: Config,
  given: Partial<Config>,
): Config {
  const config = withDefaults(defaults, given);
  const { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = config;
  const keyValueHeads = keyValueHeadsOf(config);
  requirePositive(family, {
    vocabSize,
    hiddenSize,
    intermediateSize,
    numHiddenLayers,
    numAttentionHeads,
    numKeyValueHeads: keyValueHeads,
    maxPositionEmbeddings: config.maxPositionEmbeddings,
  });
  if ((config.headDim ?? null) === null && hiddenSize % numAttentionHeads !== 0) {
    throw new TensorError(
      `${family}: hiddenSize (${hiddenSize}) must be a multiple of numAttentionHeads ` +
        `(${numAttentionHeads}) unless headDim is given`,
    );
  }
  requirePositive(family, { headDim: headDimOf(config) });
  if (numAttentionHeads % keyValueHeads !== 0) {
    throw new TensorError(
      `${family}: numAttentionHeads (${numAttentionHeads}) must be a multiple of ` +
        `numKeyValueHeads (${keyValueHeads})`,
    );
  }
  return config;
}

/** As {@link decoderConfig}, with the rotary settings brought into one form. */
export function rotaryConfig<Config extends RotaryConfig>(
  family: string,
  defaults: Config,
  given: Given<Config>,
): Config {
  const { ropeTheta, ropeScaling, partialRotaryFactor, ...rest } = given as Given<RotaryConfig>;
  const settings = rest as Partial<Config>;
  const scaling = Object.keys(ropeScaling ?? {}).length > 0 ? ropeScaling : undefined;
  const rope = (scaling ?? settings.ropeParameters ?? defaults.ropeParameters) as GivenRope;
  const share = partialRotaryFactor ?? defaults.ropeParameters.partialRotaryFactor;
  const parameters = ropeParameters(family, rope, {
    ropeTheta: (ropeTheta as number | undefined) ?? defaults.ropeParameters.ropeTheta,
    ...(share === undefined ? {} : { partialRotaryFactor: share as number }),
  });
  const trained = trainedLength(defaults, settings, parameters);
  return decoderConfig(family, defaults, {
    ...settings,
    ropeParameters: trained === undefined ? parameters : { ...parameters, ...trained },
  });
}

/** The length that was trained on, where it stands beside the rotary settings (in Phi-3's files). */
function trainedLength(
  defaults: object,
  settings: object,
  { ropeType }: RopeParameters,
): Pick<RopeParameters, "originalMaxPositionEmbeddings"> | undefined {
  const { originalMaxPositionEmbeddings: length } = { ...defaults, ...settings } as {
    readonly originalMaxPositionEmbeddings?: number;
  };
  const known = ropeType === "llama3" || ropeType === "yarn" || ropeType === "longrope";
  return known && typeof length === "number"
    ? { originalMaxPositionEmbeddings: length }
    : undefined;
}

/** Reads a family's settings from the fields of a `config.json`. */
export type ReadConfig<Config> = (fields: Readonly<Record<string, JsonValue>>) => Config;

/** What Llama-like families say of themselves. */
export interface DecoderFamilyOptions<Config> {
  /** Name of the configuration in messages. */
  readonly name: string;
  readonly defaults: Config;
  /** Completes and checks settings. */
  readonly config: (given: never) => Config;
  /** @default "model" */
  readonly basePrefix?: string;
  readonly ignored?: readonly RegExp[];
}

/** How checkpoints of a Llama-like family are read. */
export function decoderFamily<Config extends DecoderConfig>({
  name,
  defaults,
  config,
  basePrefix = "model",
  // Frequencies, which old versions saved as if they were weights.
  ignored = [/\.rotary_emb\.inv_freq$/],
}: DecoderFamilyOptions<Config>): ModelFamily<Config> {
  const { modelType } = defaults;
  const readConfig: ReadConfig<Config> = (fields) =>
    config(checkedFields(name, defaults, fields) as never);
  return { modelType, readConfig, basePrefix, ignored };
}
