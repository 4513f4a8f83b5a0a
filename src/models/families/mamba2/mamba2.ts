import { fail } from "../../../nn/errors.ts";
import { silu, softplus } from "../../../nn/functional/activations.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { arange, ones } from "../../../tensor/functions/creation.ts";
import { rmsNorm } from "../../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { CausalConv1d } from "../../parts/state-space/causal-conv1d.ts";
import { dualScan } from "../../parts/state-space/dual-scan.ts";
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
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  kind,
  nonNegative,
  positive,
  token,
  tokens,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Mamba-2, with Hugging Face's meanings and defaults. */
export interface Mamba2Config extends ModelConfig, TimeStepConfig {
  /** Heads of each attention. */
  readonly numHeads: number;
  /** Width of one head. */
  readonly headDim: number;
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
  /** Channels of the mixer, in multiples of hiddenSize: numHeads * headDim. */
  readonly expand: number;
  /** Positions that the convolution before the recurrence sees. */
  readonly convKernel: number;
  /** Groups of heads that read and write their states alike. */
  readonly nGroups: number;
  /** Whether the projections have a bias. */
  readonly useBias: boolean;
  /** Whether the convolution has a bias. */
  readonly useConvBias: boolean;
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Standard deviation of weights that no checkpoint gives. */
  readonly initializerRange: number;
  /** Least and greatest length of a step. */
  readonly timeStepLimit: readonly number[];
  /** Whether initial output projections are divided by the root of the number of layers. */
  readonly rescalePrenormResidual: boolean;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
}

function isLimit(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [least, most] = value as unknown[];
  return typeof least === "number" && typeof most === "number" && 0 <= least && least <= most;
}

const limits = kind<readonly number[]>("a list of the least and the greatest length", isLimit);

const FIRST = "for Mamba's steps, which Mamba-2 does not have";

const SETTINGS = defineSettings<Mamba2Config>({
  name: "Mamba2Config",
  modelType: "mamba2",
  rows: {
    numHeads: width(128),
    headDim: width(64),
    vocabSize: width(32768),
    hiddenSize: width(4096),
    stateSize: width(128),
    numHiddenLayers: count(64),
    layerNormEpsilon: nonNegative(1e-5),
    expand: positive(2),
    convKernel: width(4),
    nGroups: width(8),
    useBias: flag(false),
    useConvBias: flag(true),
    hiddenAct: activationName("silu"),
    initializerRange: nonNegative(0.1),
    timeStepMin: positive(0.001),
    timeStepMax: positive(0.1),
    timeStepFloor: nonNegative(1e-4),
    timeStepLimit: limits([0, Infinity]),
    rescalePrenormResidual: flag(false),
    tieWordEmbeddings: flag(false),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(2),
    padTokenId: token.orNull(1),
  },
  neutral: { rmsNorm: { values: [true, null], why: "there would be no norm before out_proj" } },
  inert: {
    chunkSize: "how it is computed, not what",
    residualInFp32: "all is computed in float32",
    normBeforeGate: "the gate always comes before the norm, as in transformers",
    intermediateSize: "follows from expand and hidden_size, as in transformers",
    timeStepRank: FIRST,
    timeStepScale: FIRST,
    timeStepInitScheme: FIRST,
  },
  numbered: [{ path: "layers", setting: "numHiddenLayers" }],
  shapes: (config) => ({
    "embeddings.weight": ["vocabSize", "hiddenSize"],
    "layers.0.mixer.A_log": ["numHeads"],
    "layers.0.mixer.norm.weight": [["numHeads * headDim", innerWidth(config)]],
    "layers.0.mixer.conv1d.weight": [
      ["numHeads * headDim + 2 * nGroups * stateSize", convWidth(config)],
      ["1", 1],
      "convKernel",
    ],
  }),
  complete: (config) => {
    const { numHeads, hiddenSize, nGroups, expand } = config;
    if (hiddenSize * expand !== innerWidth(config)) {
      fail(
        "Mamba2Config",
        `hiddenSize * expand (${hiddenSize * expand}) must be numHeads * headDim ` +
          `(${innerWidth(config)})`,
      );
    }
    if (numHeads % nGroups !== 0) {
      fail("Mamba2Config", `numHeads (${numHeads}) must be a multiple of nGroups (${nGroups})`);
    }
    return config;
  },
});

/** Channels of the mixer. */
function innerWidth({ numHeads, headDim }: Mamba2Config): number {
  return numHeads * headDim;
}

/** Channels of the convolution: the mixer's, and how each group reads and writes its states. */
function convWidth(config: Mamba2Config): number {
  return innerWidth(config) + 2 * config.nGroups * config.stateSize;
}

/**
 * Mamba-2 settings: those given over the defaults, which are Hugging Face's.
 * @throws ModelError for settings that cannot be.
 */
export function mamba2Config(given: Partial<Mamba2Config> = {}): Mamba2Config {
  return SETTINGS.read(given);
}

/** How checkpoints of Mamba-2 are read. */
const mamba2Family: ModelFamily<Mamba2Config> = declareFamily(SETTINGS, {
  basePrefix: "backbone",
  renamed: [[/^backbone\.embedding\./, "backbone.embeddings."]],
});

/** Components of a Mamba-2's layers. */
type Mamba2Component = MixerComponent | "in_proj_output" | "out_proj_input" | "head_out_proj_input";

const mixed = inMixer<Mamba2Config>(".out_proj", "input", innerWidth);

/** Where the components of Mamba-2 are, within the model without a head. */
const mamba2Card: ModelCard<Mamba2Config, Mamba2Component> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...mixerComponents(),
    in_proj_output: inMixer(
      ".in_proj",
      "output",
      (config) => innerWidth(config) + convWidth(config) + config.numHeads,
    ),
    out_proj_input: mixed,
    head_out_proj_input: {
      ...mixed,
      heads: ({ numHeads }) => numHeads,
      dimension: ({ headDim }) => headDim,
    },
  },
};

/** x times the gate's SiLU, divided by its root mean square, then a learned scale. */
class MambaRMSNormGated extends Module {
  /** Factors, one a feature. */
  readonly weight: Parameter;
  readonly #eps: number;

  constructor(width: number, eps: number) {
    super();
    this.weight = new Parameter(ones([width]));
    this.#eps = eps;
  }

  override forward(x: Tensor, gate: Tensor): Tensor {
    const weight = this.weight.value;
    return rmsNorm(x.mul(silu(gate)), weight.shape, { weight, eps: this.#eps });
  }
}

/** State spaces with one rate a head, so that they can be computed as attention is. */
class Mamba2Mixer extends Module {
  /** The convolution over the last few positions before the recurrence. */
  readonly conv1d: CausalConv1d;
  /** The activation. */
  readonly act: Activation;
  /** [..., hidden] -> what the mixer works on and its gate. */
  readonly in_proj: Linear;
  /** [numHeads]: added to the lengths of steps before softplus. */
  readonly dt_bias: Parameter;
  /** [numHeads]: logarithms of the rates at which states fade. */
  readonly A_log: Parameter;
  /** The norm. */
  readonly norm: MambaRMSNormGated;
  /** [numHeads]: how much of the input passes by the state. */
  readonly D: Parameter;
  /** [..., inner] -> [..., hidden]: the output projection. */
  readonly out_proj: Linear;
  readonly #config: Mamba2Config;

  constructor(config: Mamba2Config) {
    super();
    const { hiddenSize, numHeads, useBias, initializerRange: std } = config;
    const inner = innerWidth(config);
    const channels = convWidth(config);
    this.#config = config;
    this.conv1d = new CausalConv1d(channels, config.convKernel, { bias: config.useConvBias });
    this.act = activation(config.hiddenAct);
    this.in_proj = normalLinear(hiddenSize, inner + channels + numHeads, std, { bias: useBias });
    this.dt_bias = timeStepBias(numHeads, config);
    this.A_log = initialized([numHeads], () =>
      arange(1, numHeads + 1)
        .to("float32")
        .log(),
    );
    this.norm = new MambaRMSNormGated(inner, config.layerNormEpsilon);
    this.D = new Parameter(ones([numHeads]));
    this.out_proj = new Linear(inner, hiddenSize, { bias: useBias });
    if (config.rescalePrenormResidual) {
      const { weight } = this.out_proj;
      weight.set(weight.value.div(Math.sqrt(config.numHiddenLayers)));
    }
  }

  override forward(input: Tensor, { mask, past }: MixerContext): [Tensor, MambaState] {
    const { numHeads, headDim, nGroups, stateSize, timeStepLimit } = this.#config;
    const inner = innerWidth(this.#config);
    const [gate, read, steps] = this.in_proj
      .forward(masked(input, mask))
      .split([inner, convWidth(this.#config), numHeads], -1) as [Tensor, Tensor, Tensor];
    // A bias would be read by the convolution as if a token had stood there.
    const projected = this.in_proj.bias === undefined ? read : masked(read, mask);
    const [convolved, conv] = this.conv1d.forward(projected, past?.conv);
    const grouped = nGroups * stateSize;
    const [channels, reads, writes] = masked(this.act.forward(convolved), mask).split(
      [inner, grouped, grouped],
      -1,
    ) as [Tensor, Tensor, Tensor];
    const [least = 0, most = Infinity] = timeStepLimit;
    const free = softplus(steps.add(this.dt_bias.value));
    const dt = free.clamp(Number.isFinite(most) ? { min: least, max: most } : { min: least });
    const x = channels.unflatten(2, [numHeads, headDim]);
    const ofHeads = (t: Tensor): Tensor =>
      t.unflatten(2, [nGroups, stateSize]).repeatInterleave(numHeads / nGroups, 2);
    const { output, state } = dualScan(
      {
        x: x.mul(dt.unsqueeze(-1)),
        logDecay: dt.mul(this.A_log.value.exp().neg()),
        into: ofHeads(reads),
        out: ofHeads(writes),
      },
      past?.ssm,
    );
    const whole = output.add(x.mul(this.D.value.unsqueeze(-1))).flatten(2);
    return [this.out_proj.forward(this.norm.forward(whole, gate)), { conv, ssm: state }];
  }
}

/** Mamba-2 without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class Mamba2Model extends MambaBaseModel<Mamba2Config, Mamba2Mixer> {
  static readonly family: ModelFamily<Mamba2Config> = mamba2Family;
  static readonly card: ModelCard<Mamba2Config, Mamba2Component> = mamba2Card;
  declare readonly "~components": Mamba2Component;

  constructor(config: Partial<Mamba2Config> = {}) {
    const full = mamba2Config(config);
    super(full, () => new Mamba2Mixer(full));
  }
}

/** Mamba-2 as a language model: logits of the next token. */
export class Mamba2ForCausalLM extends MambaLanguageModel<Mamba2Config, Mamba2Model> {
  static readonly family: ModelFamily<Mamba2Config> = mamba2Family;
  declare readonly "~components": Mamba2Component;

  constructor(config: Partial<Mamba2Config> = {}) {
    super(new Mamba2Model(config));
  }
}
