import type { Activation } from "../../../nn/layers/activation.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { addPositions, embedInputs, type TokenInputs } from "../../parts/embed-inputs.ts";
import { classified, PROBLEM_TYPES, type ProblemType } from "../../parts/heads.ts";
import type { BaseOutput, SequenceClassifierOutput } from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  activationName,
  count,
  flag,
  fraction,
  oneOf,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of pyvene's MLP, with its meanings and defaults. */
export interface MLPConfig extends ModelConfig {
  /** Whether there are embeddings of tokens and of positions. */
  readonly includeEmb: boolean;
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Longest text that positions are there for. */
  readonly maxPositionEmbeddings: number;
  /** Layers. */
  readonly nLayer: number;
  /** Width of all layers. */
  readonly hDim: number;
  /** Classes of a classifier. */
  readonly numClasses: number;
  /** Name of the activation in the MLP, such as "gelu_new". */
  readonly activationFunction: string;
  /** Share of activations that are dropped in training mode. */
  readonly pdrop: number;
  readonly problemType: ProblemType | null;
  /** Whether linear layers have a bias. */
  readonly includeBias: boolean;
  /** Whether the classifier drops dimension 1 of its logits, where it is 1. */
  readonly squeezeOutput: boolean;
}

const SETTINGS = defineSettings<MLPConfig>({
  name: "MLPConfig",
  modelType: "mlp",
  rows: {
    includeEmb: flag(false),
    vocabSize: width(50257),
    maxPositionEmbeddings: width(512),
    nLayer: count(2),
    hDim: width(512),
    numClasses: whole(2),
    activationFunction: activationName("gelu"),
    pdrop: fraction(0.3),
    problemType: oneOf([...PROBLEM_TYPES, null], "single_label_classification"),
    includeBias: flag(true),
    squeezeOutput: flag(true),
  },
  numbered: [{ path: "h", setting: "nLayer" }],
  shapes: () => ({
    "wte.weight": ["vocabSize", "hDim"],
    "wpe.weight": ["maxPositionEmbeddings", "hDim"],
    "h.0.ff1.weight": ["hDim", "hDim"],
    "h.0.ff1.bias": ["hDim"],
  }),
});

/**
 * Settings of an MLP: those given over pyvene's defaults.
 * @throws ModelError for settings that cannot be.
 */
export function mlpConfig(given: Partial<MLPConfig> = {}): MLPConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of pyvene's MLPs are read. */
const mlpFamily: ModelFamily<MLPConfig> = declareFamily(SETTINGS, {
  basePrefix: "mlp",
});

/** Components of an MLP's layers. */
type MLPComponent = "block_input" | "block_output" | "mlp_activation";

const streamWidth = ({ hDim }: MLPConfig): number => hDim;

/** Where the components of pyvene's MLP are, within the model without a head. */
const mlpCard: ModelCard<MLPConfig, MLPComponent> = {
  layers: ({ nLayer }) => nLayer,
  components: {
    block_input: { path: "h.{layer}", side: "input", dimension: streamWidth },
    block_output: { path: "h.{layer}", side: "output", dimension: streamWidth },
    mlp_activation: { path: "h.{layer}.act", side: "output", dimension: streamWidth },
  },
};

/** Inputs of an MLP. Give `inputsEmbeds`, or `inputIds` where the model has embeddings. */
export interface MLPInputs extends TokenInputs {
  /** [batch, sequence] int64: adds the embeddings of these positions. @default adds none */
  readonly positionIds?: Tensor;
}

class MLPBlock extends Module {
  /** The MLP's first layer. */
  readonly ff1: Linear;
  /** The activation. */
  readonly act: Activation;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor({ hDim, includeBias, activationFunction, pdrop }: MLPConfig) {
    super();
    this.ff1 = new Linear(hDim, hDim, { bias: includeBias });
    this.act = activation(activationFunction);
    this.dropout = new Dropout(pdrop);
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.act.forward(this.ff1.forward(x)));
  }
}

/** pyvene's MLP without a head: square layers, each followed by an activation. */
export class MLPModel extends PreTrainedModel {
  static readonly family: ModelFamily<MLPConfig> = mlpFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<MLPConfig, MLPComponent> = mlpCard;
  declare readonly "~components": MLPComponent;
  /** Its settings. */
  readonly config: MLPConfig;
  /** The token embedding. */
  readonly wte: Embedding | undefined;
  /** The embedding of positions. */
  readonly wpe: Embedding | undefined;
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** The layers, in order. */
  readonly h: ModuleList<MLPBlock>;

  constructor(config: Partial<MLPConfig> = {}) {
    super();
    const full = mlpConfig(config);
    this.config = full;
    const { includeEmb, vocabSize, maxPositionEmbeddings, hDim, nLayer } = full;
    this.wte = includeEmb ? new Embedding(vocabSize, hDim) : undefined;
    this.wpe = includeEmb ? new Embedding(maxPositionEmbeddings, hDim) : undefined;
    this.dropout = new Dropout(full.pdrop);
    this.h = new ModuleList(Array.from({ length: nLayer }, () => new MLPBlock(full)));
  }

  override forward(inputs: MLPInputs): BaseOutput {
    const tokens = embedInputs("MLPModel", inputs, this.wte);
    let x = this.dropout.forward(addPositions("MLPModel", tokens, inputs.positionIds, this.wpe));
    const hiddenStates = [x];
    for (const block of this.h) {
      x = block.forward(x);
      hiddenStates.push(x);
    }
    return { lastHiddenState: x, hiddenStates };
  }
}

/** pyvene's MLP with a linear classifier. */
export class MLPForClassification extends PreTrainedModel {
  static readonly family: ModelFamily<MLPConfig> = mlpFamily;
  static readonly auto = "AutoModelForSequenceClassification";
  declare readonly "~components": MLPComponent;
  /** Its settings. */
  readonly config: MLPConfig;
  /** The model without a head. */
  readonly mlp: MLPModel;
  /** [..., hidden] -> [..., labels]: the classifier. */
  readonly score: Linear;

  constructor(config: Partial<MLPConfig> = {}) {
    super();
    this.mlp = new MLPModel(config);
    this.config = this.mlp.config;
    const { hDim, numClasses, includeBias } = this.config;
    this.score = new Linear(hDim, numClasses, { bias: includeBias });
  }

  /**
   * Logits [batch, sequence, numClasses], or [batch, numClasses] with `squeezeOutput` and a sequence
   * of 1. `labels` are class ids, one for each row of logits, or what `problemType` says.
   */
  override forward(inputs: MLPInputs & { readonly labels?: Tensor }): SequenceClassifierOutput {
    const { labels, ...rest } = inputs;
    const { lastHiddenState, hiddenStates } = this.mlp.forward(rest);
    const scores = this.score.forward(lastHiddenState);
    const logits = this.config.squeezeOutput && scores.ndim > 2 ? scores.squeeze(1) : scores;
    return classified(logits, labels, this.config, { hiddenStates, attentions: [] });
  }
}
