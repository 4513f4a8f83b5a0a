import { softplus } from "../../../nn/functional/activations.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { arange, full, ones } from "../../../tensor/functions/creation.ts";
import { expand } from "../../../tensor/functions/shaping.ts";
import { rand } from "../../../tensor/random/random.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { CausalConv1d } from "../../parts/state-space/causal-conv1d.ts";
import { normalLinear, timeStepBias, type TimeStepConfig } from "../../parts/state-space/init.ts";
import {
  type MambaState,
  masked,
  type MixerContext,
} from "../../parts/state-space/mamba-blocks.ts";
import { MambaBaseModel, MambaLanguageModel } from "../../parts/state-space/mamba-models.ts";
import {
  inMixer,
  type MixerComponent,
  mixerComponents,
} from "../../parts/state-space/mixer-components.ts";
import { selectiveScan } from "../../parts/state-space/selective-scan.ts";
import { activation, activationFunction } from "../../settings/activations.ts";
import { type ModelConfig, requirePositive } from "../../settings/config.ts";
import { defineSettings, type GivenSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  kind,
  type Kind,
  nonNegative,
  oneOf,
  positive,
  token,
  tokens,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Mamba, with Hugging Face's meanings and defaults. */
export interface MambaConfig extends ModelConfig, TimeStepConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Numbers in the state of each channel. */
  readonly stateSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** Channels of the mixer, in multiples of hiddenSize, unless `intermediateSize` is given. */
  readonly expand: number;
  /** Channels of the mixer. @default floor(expand * hiddenSize) */
  readonly intermediateSize?: number | null;
  /** Positions that the convolution before the recurrence sees. */
  readonly convKernel: number;
  /** Whether the projections have a bias. */
  readonly useBias: boolean;
  /** Whether the convolution has a bias. */
  readonly useConvBias: boolean;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Width of what lengths of steps are computed from; "auto" means hiddenSize / 16. */
  readonly timeStepRank: number | "auto";
  /** Factor of the initial weights of the time step's projection. */
  readonly timeStepScale: number;
  /** How the time step's projection starts: "random" or "constant". */
  readonly timeStepInitScheme: string;
  /** Whether initial output projections are divided by the root of the number of layers. */
  readonly rescalePrenormResidual: boolean;
  /** Whether the head of a language model shares the weights of the token embedding. */
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
function innerWidth({ expand, hiddenSize, intermediateSize }: MambaConfig): number {
  return intermediateSize ?? Math.floor(expand * hiddenSize);
}

/** The rank that "auto" means too. */
function timeStepRank({ timeStepRank: rank, hiddenSize }: MambaConfig): number {
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
const mambaFamily: ModelFamily<MambaConfig> = declareFamily(SETTINGS, {
  basePrefix: "backbone",
  // The first checkpoints' name.
  renamed: [[/^backbone\.embedding\./, "backbone.embeddings."]],
});

/** Components of a Mamba's layers. */
type MambaComponent = MixerComponent | "in_proj_output" | "x_proj_output" | "out_proj_input";

/** Where the components of Mamba are, within the model without a head. */
const mambaCard: ModelCard<MambaConfig, MambaComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...mixerComponents(),
    in_proj_output: inMixer(".in_proj", "output", (config) => 2 * innerWidth(config)),
    x_proj_output: inMixer(
      ".x_proj",
      "output",
      (config) => timeStepRank(config) + 2 * config.stateSize,
    ),
    out_proj_input: inMixer(".out_proj", "input", innerWidth),
  },
};

/** Selective state spaces, one for each channel: what they read and write depends on the input. */
class MambaMixer extends Module {
  /** The convolution over the last few positions before the recurrence. */
  readonly conv1d: CausalConv1d;
  /** The activation. */
  readonly act: Activation;
  /** [..., hidden] -> what the mixer works on and its gate. */
  readonly in_proj: Linear;
  /** What the mixer works on -> time step, input and output matrices. */
  readonly x_proj: Linear;
  /** The time steps of all channels, from their low rank. */
  readonly dt_proj: Linear;
  /** [channels, stateSize]: logarithms of the rates at which states fade. */
  readonly A_log: Parameter;
  /** [channels]: how much of the input passes by the state. */
  readonly D: Parameter;
  /** [..., inner] -> [..., hidden]: the output projection. */
  readonly out_proj: Linear;
  readonly #rank: number;
  readonly #size: number;
  readonly #gate: (x: Tensor) => Tensor;

  constructor(config: MambaConfig) {
    super();
    const { hiddenSize, stateSize, useBias, initializerRange: std } = config;
    const inner = innerWidth(config);
    this.#rank = timeStepRank(config);
    this.#size = stateSize;
    this.conv1d = new CausalConv1d(inner, config.convKernel, { bias: config.useConvBias });
    this.act = activation(config.hiddenAct);
    this.#gate = activationFunction(config.hiddenAct);
    this.in_proj = normalLinear(hiddenSize, 2 * inner, std, { bias: useBias });
    this.x_proj = normalLinear(inner, this.#rank + 2 * stateSize, std);
    this.dt_proj = timeStepProjection(this.#rank, inner, config);
    this.A_log = initialized([inner, stateSize], (shape) =>
      expand(
        arange(1, stateSize + 1)
          .to("float32")
          .log(),
        shape,
      ),
    );
    this.D = new Parameter(ones([inner]));
    const scale = config.rescalePrenormResidual ? 1 / Math.sqrt(config.numHiddenLayers) : 1;
    this.out_proj = new Linear(inner, hiddenSize, { bias: useBias });
    if (scale !== 1) this.out_proj.weight.set(this.out_proj.weight.value.mul(scale));
  }

  override forward(input: Tensor, { mask, past }: MixerContext): [Tensor, MambaState] {
    const [read, gate] = this.in_proj.forward(masked(input, mask)).chunk(2, -1) as [Tensor, Tensor];
    // A bias would be read by the convolution as if a token had stood there.
    const projected = this.in_proj.bias === undefined ? read : masked(read, mask);
    const [convolved, conv] = this.conv1d.forward(projected, past?.conv);
    const x = masked(this.act.forward(convolved), mask);
    const [step, into, out] = this.x_proj
      .forward(x)
      .split([this.#rank, this.#size, this.#size], -1) as [Tensor, Tensor, Tensor];
    const dt = softplus(this.dt_proj.forward(step));
    const rates = this.A_log.value.exp().neg();
    const { output, state } = selectiveScan({ x, dt, rates, into, out }, past?.ssm);
    const gated = output.add(x.mul(this.D.value)).mul(this.#gate(gate));
    return [this.out_proj.forward(gated), { conv, ssm: state }];
  }
}

/** From the rank to lengths of steps, spread as Mamba starts them. */
function timeStepProjection(rank: number, inner: number, config: MambaConfig): Linear {
  const std = config.timeStepScale / Math.sqrt(rank);
  const weight = initialized([inner, rank], (shape) =>
    config.timeStepInitScheme === "constant"
      ? full(shape, std)
      : rand(shape)
          .mul(2 * std)
          .sub(std),
  );
  const layer = new Linear(rank, inner, { weight });
  layer.bias?.set(timeStepBias(inner, config).value);
  return layer;
}

/** Mamba without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class MambaModel extends MambaBaseModel<MambaConfig, MambaMixer> {
  static readonly family: ModelFamily<MambaConfig> = mambaFamily;
  static readonly card: ModelCard<MambaConfig, MambaComponent> = mambaCard;
  declare readonly "~components": MambaComponent;

  constructor(config: Partial<MambaConfig> = {}) {
    const full = mambaConfig(config);
    super(full, () => new MambaMixer(full));
  }
}

/** Mamba as a language model: logits of the next token. */
export class MambaForCausalLM extends MambaLanguageModel<MambaConfig, MambaModel> {
  static readonly family: ModelFamily<MambaConfig> = mambaFamily;
  declare readonly "~components": MambaComponent;

  constructor(config: Partial<MambaConfig> = {}) {
    super(new MambaModel(config));
  }
}
