import type { Linear } from "../../../nn/layers/linear.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { full } from "../../../tensor/functions/creation.ts";
import { stack } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { initialLinear } from "../decoder/initial-linear.ts";
import type { EncoderOutput } from "../encoder/outputs.ts";
import { classified } from "../heads.ts";
import type { SequenceClassifierOutput } from "../outputs.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import type { AudioInputs } from "./inputs.ts";

/** Inputs of a classifier of sound. */
export interface AudioClassifierInputs extends AudioInputs {
  /** [batch]: class ids, or what the config's `problemType` says. */
  readonly labels?: Tensor;
}

/** Settings of a classifier of sound. */
export interface AudioClassifierConfig extends ModelConfig {
  /** Classes of a classifier. */
  readonly numLabels: number;
  /** Width that frames are projected to before their mean is taken. */
  readonly classifierProjSize: number;
  /** Classify a learned mixture of all hidden states, not the last one. */
  readonly useWeightedLayerSum: boolean;
}

/** A classifier on the mean of an encoder's projected frames; families subclass it. */
export abstract class AudioClassifier<
  Config extends AudioClassifierConfig,
> extends PreTrainedModel {
  static readonly auto = "AutoModelForAudioClassification";
  readonly config: Config;
  /** [layers + 1]: how much of each hidden state there is, before the softmax. */
  readonly layer_weights: Parameter | undefined;
  /** [..., hidden] -> [..., projector width]: narrows states before the classifier. */
  readonly projector: Linear;
  /** [..., projector width] -> [..., labels]: the classifier. */
  readonly classifier: Linear;

  constructor(
    config: Config,
    {
      width,
      layers,
      std,
    }: { readonly width: number; readonly layers: number; readonly std: number },
  ) {
    super();
    this.config = config;
    const { numLabels, classifierProjSize, useWeightedLayerSum } = config;
    const states = layers + 1;
    this.layer_weights = useWeightedLayerSum
      ? new Parameter(full([states], 1 / states))
      : undefined;
    this.projector = initialLinear(width, classifierProjSize, { bias: true, std });
    this.classifier = initialLinear(classifierProjSize, numLabels, { bias: true, std });
  }

  /** @param mask [batch, frames], 1 for real frames and 0 for padding. @default all real */
  protected classify(
    encoded: EncoderOutput,
    labels: Tensor | undefined,
    mask?: Tensor,
  ): SequenceClassifierOutput {
    const frames = this.projector.forward(this.#mixed(encoded));
    const pooled = mask === undefined ? frames.mean({ dim: 1 }) : meanOf(frames, mask.to("bool"));
    return classified(this.classifier.forward(pooled), labels, this.config, encoded);
  }

  #mixed({ hiddenStates, lastHiddenState }: EncoderOutput): Tensor {
    if (this.layer_weights === undefined) return lastHiddenState;
    const shares = this.layer_weights.value.softmax(0).reshape([-1, 1, 1]);
    return stack(hiddenStates, 1).mul(shares).sum({ dim: 1 });
  }
}

/** Mean of the frames of x [batch, frames, width] that `real` [batch, frames] names. */
function meanOf(x: Tensor, real: Tensor): Tensor {
  const sum = where(real.unsqueeze(-1), x, constant(0)).sum({ dim: 1 });
  return sum.div(real.to(x.dtype).sum({ dim: 1, keepdim: true }));
}
