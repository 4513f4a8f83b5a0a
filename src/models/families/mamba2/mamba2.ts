import type { Activation } from "../../../nn/layers/activation.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { silu, softplus } from "../../../nn/functional/activations.ts";
import { arange, ones } from "../../../tensor/functions/creation.ts";
import { rmsNorm } from "../../../tensor/functions/normalisation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelCard } from "../../model/card.ts";
import { mamba2Card, type Mamba2Component } from "./card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { CausalConv1d } from "../../parts/state-space/causal-conv1d.ts";
import { dualScan } from "../../parts/state-space/dual-scan.ts";
import { normalLinear, timeStepBias } from "../../parts/state-space/init.ts";
import {
  masked,
  type MambaState,
  type MixerContext,
} from "../../parts/state-space/mamba-blocks.ts";
import { MambaBaseModel, MambaLanguageModel } from "../../parts/state-space/mamba-models.ts";
import { convWidth, innerWidth, type Mamba2Config, mamba2Config, mamba2Family } from "./config.ts";

export { type Mamba2Config, mamba2Config } from "./config.ts";

/** x times the gate's SiLU, divided by its root mean square, then a learned scale. */
class MambaRMSNormGated extends Module {
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
  readonly conv1d: CausalConv1d;
  readonly act: Activation;
  readonly in_proj: Linear;
  /** [numHeads]: added to the lengths of steps before softplus. */
  readonly dt_bias: Parameter;
  /** [numHeads]: logarithms of the rates at which states fade. */
  readonly A_log: Parameter;
  readonly norm: MambaRMSNormGated;
  /** [numHeads]: how much of the input passes by the state. */
  readonly D: Parameter;
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
