import { type ModelConfig, requirePositive } from "../../settings/config.ts";
import type { ModelFamily } from "../../model/family.ts";
import { defineSettings, type GivenSettings } from "../../settings/define-settings.ts";
import { activationName, count, flag, kind, type Kind, nonNegative, oneOf, positive, token, tokens, width } from "../../settings/kinds.ts"; // prettier-ignore
import type { TimeStepConfig } from "../../parts/state-space/init.ts";

/** Settings of a Mamba, with Hugging Face's meanings and defaults. */
export interface MambaConfig extends ModelConfig, TimeStepConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Numbers in the state of each channel. */
  readonly stateSize: number;
  readonly numHiddenLayers: number;
  readonly layerNormEpsilon: number;
  /** Channels of the mixer, in multiples of hiddenSize, unless `intermediateSize` is given. */
  readonly expand: number;
  /** Channels of the mixer. @default floor(expand * hiddenSize) */
  readonly intermediateSize?: number | null;
  readonly convKernel: number;
  readonly useBias: boolean;
  readonly useConvBias: boolean;
  readonly hiddenAct: string;
  readonly initializerRange: number;
  /** Width of what lengths of steps are computed from; "auto" stands for hiddenSize / 16. */
  readonly timeStepRank: number | "auto";
  readonly timeStepScale: number;
  readonly timeStepInitScheme: string;
  readonly rescalePrenormResidual: boolean;
  readonly tieWordEmbeddings: boolean;
}

const isSize = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) > 0;

const rank: Kind<number | "auto"> = kind(
  'a whole number of 1 or more, or "auto"',
  (v) => v === "auto" || isSize(v),
  "elements",
);

/** Settings of the mixer, under the names of the first Mambas. */
const MIXER: Readonly<Record<string, string>> = {
  dState: "stateSize",
  dConv: "convKernel",
  expand: "expand",
  dtRank: "timeStepRank",
  dtMin: "timeStepMin",
  dtMax: "timeStepMax",
  dtInit: "timeStepInitScheme",
  dtScale: "timeStepScale",
  dtInitFloor: "timeStepFloor",
  bias: "useBias",
  convBias: "useConvBias",
  useFastPath: "useFastPath",
};

const mixerSettings = kind<object>(
  "an object of settings of the mixer, such as d_state",
  (v) =>
    typeof v === "object" && v !== null && Object.keys(v).every((k) => Object.hasOwn(MIXER, k)),
);

/** Names that the first Mambas' files have, of which those of today go before them. */
const FIRST_NAMES = { dModel: "hiddenSize", nLayer: "numHiddenLayers", dInner: "intermediateSize" };

/** The first Mambas' names, where those of today are not there: transformers reads only these. */
function translated({ ssmCfg, ...given }: GivenSettings): GivenSettings {
  const older = Object.keys(FIRST_NAMES);
  const named = Object.entries(FIRST_NAMES).map(([old, name]) => [name, given[old]]);
  const mixer = Object.entries(ssmCfg ?? {}).map(([old, value]) => [MIXER[old], value]);
  const { useFastPath: _, ...first } = Object.fromEntries([...named, ...mixer]) as GivenSettings;
  const rest = Object.entries(given).filter(
    ([name, v]) => v !== undefined && !older.includes(name),
  );
  return { ...first, ...Object.fromEntries(rest) };
}

const COMPUTED = "how it is computed, not what";

const SETTINGS = defineSettings<MambaConfig>({
  name: "MambaConfig",
  modelType: "mamba",
  rows: {
    vocabSize: width(50280),
    hiddenSize: width(768),
    stateSize: width(16),
    numHiddenLayers: count(32),
    layerNormEpsilon: nonNegative(1e-5),
    expand: positive(2),
    intermediateSize: width.orNull(undefined),
    convKernel: width(4),
    useBias: flag(false),
    useConvBias: flag(true),
    hiddenAct: activationName("silu"),
    initializerRange: nonNegative(0.1),
    timeStepRank: rank("auto"),
    timeStepScale: nonNegative(1),
    timeStepInitScheme: oneOf(["random", "constant"], "random"),
    timeStepMin: positive(0.001),
    timeStepMax: positive(0.1),
    timeStepFloor: nonNegative(1e-4),
    rescalePrenormResidual: flag(false),
    tieWordEmbeddings: flag(true),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(0),
    padTokenId: token.orNull(0),
  },
  older: {
    dModel: width(undefined),
    nLayer: count(undefined),
    dInner: width(undefined),
    ssmCfg: mixerSettings.orNull(undefined),
  },
  translate: translated,
  neutral: { rmsNorm: { values: [true, null], why: "norms would take the mean away" } },
  inert: {
    residualInFp32: "all is computed in float32",
    fusedAddNorm: COMPUTED,
    useMambapy: COMPUTED,
    useAssociativeScan: COMPUTED,
    padVocabSizeMultiple: "vocab_size counts what there is, as in transformers",
  },
  numbered: [{ path: "layers", setting: "numHiddenLayers" }],
  shapes: (config) => {
    const inner = innerWidth(config);
    const rows = timeStepRank(config) + 2 * config.stateSize;
    return {
      "embeddings.weight": ["vocabSize", "hiddenSize"],
      "layers.0.mixer.A_log": [["intermediateSize", inner], "stateSize"],
      "layers.0.mixer.x_proj.weight": [
        ["timeStepRank + 2 * stateSize", rows],
        ["intermediateSize", inner],
      ],
      "layers.0.mixer.conv1d.weight": [["intermediateSize", inner], ["1", 1], "convKernel"],
    };
  },
  complete: (config) => {
    requirePositive("MambaConfig", { "expand * hiddenSize": innerWidth(config) });
    return config;
  },
});

/** Channels of the mixer. */
export function innerWidth({ expand, hiddenSize, intermediateSize }: MambaConfig): number {
  return intermediateSize ?? Math.floor(expand * hiddenSize);
}

/** The rank that "auto" stands for too. */
export function timeStepRank({ timeStepRank: rank, hiddenSize }: MambaConfig): number {
  return rank === "auto" ? Math.ceil(hiddenSize / 16) : rank;
}

/**
 * Mamba settings: those given over the defaults, which are Hugging Face's.
 * @throws ModelError for settings that cannot be.
 */
export function mambaConfig(given: Partial<MambaConfig> = {}): MambaConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of Mamba are read. */
export const mambaFamily: ModelFamily<MambaConfig> = {
  modelType: "mamba",
  settings: SETTINGS,
  readConfig: SETTINGS.fromFields,
  basePrefix: "backbone",
  // The first checkpoints' name.
  renamed: [[/^backbone\.embedding\./, "backbone.embeddings."]],
};
