import type { Activation } from "../../../nn/layers/activation.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { softplus } from "../../../nn/functional/activations.ts";
import { arange, full, ones } from "../../../tensor/functions/creation.ts";
import { rand } from "../../../tensor/random/random.ts";
import { expand } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { activation, activationFunction } from "../../settings/activations.ts";
import type { ModelCard } from "../../model/card.ts";
import { mambaCard, type MambaComponent } from "./card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { CausalConv1d } from "../../parts/state-space/causal-conv1d.ts";
import { normalLinear, timeStepBias } from "../../parts/state-space/init.ts";
import {
  masked,
  type MambaState,
  type MixerContext,
} from "../../parts/state-space/mamba-blocks.ts";
import { MambaBaseModel, MambaLanguageModel } from "../../parts/state-space/mamba-models.ts";
import { selectiveScan } from "../../parts/state-space/selective-scan.ts";
import { innerWidth, type MambaConfig, mambaConfig, mambaFamily, timeStepRank } from "./config.ts";

export { type MambaConfig, mambaConfig } from "./config.ts";

/** Selective state spaces, one for each channel: what they read and write depends on the input. */
class MambaMixer extends Module {
  readonly conv1d: CausalConv1d;
  readonly act: Activation;
  readonly in_proj: Linear;
  readonly x_proj: Linear;
  readonly dt_proj: Linear;
  /** [channels, stateSize]: logarithms of the rates at which states fade. */
  readonly A_log: Parameter;
  /** [channels]: how much of the input passes by the state. */
  readonly D: Parameter;
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
