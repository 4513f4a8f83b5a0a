import { fail } from "../../../nn/errors.ts";
import * as init from "../../../nn/init.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { noted } from "../../model/cache-notes.ts";
import type { ComponentSpec, ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { embedInputs } from "../../parts/embed-inputs.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
} from "../../parts/outputs.ts";
import { languageModelOutput } from "../../parts/state-space/mamba-blocks.ts";
import { realSteps } from "../../parts/state-space/real-steps.ts";
import type { ModelConfig } from "../../settings/config.ts";
import { defineSettings } from "../../settings/define-settings.ts";
import {
  count,
  flag,
  integer,
  nonNegative,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";
import { fadingAverage, type FadingState, HIDDEN } from "./fading-average.ts";

/** Settings of an RWKV (version 4), with Hugging Face's meanings and defaults. */
export interface RwkvConfig extends ModelConfig {
  /** Tokens in the vocabulary: rows of the embedding, and logits of a language model. */
  readonly vocabSize: number;
  /** Length of the texts that it was trained on; longer ones can be read too. */
  readonly contextLength: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Layers. */
  readonly numHiddenLayers: number;
  /** Channels of the time mixing; null means hiddenSize. */
  readonly attentionHiddenSize: number | null;
  /** Width inside the feed-forward layers; null means 4 hiddenSize. */
  readonly intermediateSize: number | null;
  /** Added to the variance in layer norms. */
  readonly layerNormEpsilon: number;
  /** In evaluation, values are halved after every so many layers; 0 or less for never. */
  readonly rescaleEvery: number;
  /** Whether the head of a language model shares the weights of the token embedding. */
  readonly tieWordEmbeddings: boolean;
}

const SETTINGS = defineSettings<RwkvConfig>({
  name: "RwkvConfig",
  modelType: "rwkv",
  rows: {
    vocabSize: width(50277),
    contextLength: whole(1024, { names: ["maxPositionEmbeddings"] }),
    hiddenSize: width(4096),
    numHiddenLayers: count(32),
    attentionHiddenSize: width.orNull(null),
    intermediateSize: width.orNull(null),
    layerNormEpsilon: nonNegative(1e-5),
    rescaleEvery: integer(6),
    tieWordEmbeddings: flag(false),
    bosTokenId: token.orNull(0),
    eosTokenId: tokens.orNull(0),
  },
  numbered: [{ path: "blocks", setting: "numHiddenLayers" }],
  shapes: ({ hiddenSize, attentionHiddenSize, intermediateSize }) => ({
    "embeddings.weight": ["vocabSize", "hiddenSize"],
    "blocks.0.attention.key.weight": [
      ["attentionHiddenSize", attentionHiddenSize ?? hiddenSize],
      "hiddenSize",
    ],
    "blocks.0.feed_forward.key.weight": [
      ["intermediateSize", intermediateSize ?? 4 * hiddenSize],
      "hiddenSize",
    ],
  }),
});

/**
 * RWKV settings: those given over the defaults, which are Hugging Face's.
 * @throws ModelError for settings that cannot be.
 */
export function rwkvConfig(given: Partial<RwkvConfig> = {}): RwkvConfig {
  return SETTINGS.read(given);
}

/** How checkpoints of RWKV are read. */
const rwkvFamily: ModelFamily<RwkvConfig> = declareFamily(SETTINGS, {
  basePrefix: "rwkv",
});

/** Components of an RWKV's layers. */
type RwkvComponent =
  | "block_input"
  | "block_output"
  | "attention_input"
  | "attention_output"
  | "attention_addition"
  | "attention_value_output"
  | "mlp_input"
  | "mlp_output"
  | "mlp_addition";

const at = (path: string, side: "input" | "output"): ComponentSpec<RwkvConfig> => ({
  path: `blocks.{layer}${path}`,
  side,
  dimension: ({ hiddenSize }) => hiddenSize,
});

/** Where the components of RWKV are, within the model without a head. */
const rwkvCard: ModelCard<RwkvConfig, RwkvComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    block_input: at("", "input"),
    block_output: at("", "output"),
    attention_input: at(".attention", "input"),
    attention_output: at(".attention", "output"),
    attention_addition: at(".attention", "output"),
    attention_value_output: {
      ...at(".attention.output", "input"),
      dimension: ({ attentionHiddenSize, hiddenSize }) => attentionHiddenSize ?? hiddenSize,
    },
    mlp_input: at(".feed_forward", "input"),
    mlp_output: at(".feed_forward", "output"),
    mlp_addition: at(".feed_forward", "output"),
  },
};

/** What one layer keeps of the tokens it has read. */
export interface RwkvState extends FadingState {
  /** [batch, hiddenSize]: the last token, as the time mixing saw it. */
  readonly attention: Tensor;
  /** [batch, hiddenSize]: the last token, as the feed-forward layer saw it. */
  readonly feedForward: Tensor;
}

/** One entry a layer. */
export type RwkvCache = readonly RwkvState[];

/** What a pass gives its blocks. */
interface Context {
  /** [batch, steps, 1] bool, false for padding. */
  readonly real: Tensor | undefined;
  /** What is kept of earlier positions; undefined at the start of a text. */
  readonly past: RwkvState | undefined;
  /** What the layer's own results are multiplied by. */
  readonly scale: number;
}

/** The tokens before each, [batch, steps, width]; zeros before the first. */
function previous(x: Tensor, last: Tensor | undefined): Tensor {
  const [batch = 0, steps = 0, width = 0] = x.shape;
  const first = last?.unsqueeze(1) ?? zeros([batch, 1, width]);
  return cat([first, x.slice(1, 0, steps - 1)], 1);
}

/** Each channel between a token and the one before. */
function mix(x: Tensor, before: Tensor, { value: share }: Parameter): Tensor {
  return x.mul(share).add(before.mul(constant(1).sub(share)));
}

function scaled(x: Tensor, by: number): Tensor {
  return by === 1 ? x : x.mul(constant(by));
}

class RwkvSelfAttention extends Module {
  /** [channels]: logarithm of how fast older tokens fade. */
  readonly time_decay: Parameter;
  /** [channels]: what the newest token counts more. */
  readonly time_first: Parameter;
  /** [1, 1, hiddenSize] */
  readonly time_mix_key: Parameter;
  /** Share of the current position in what the values read. */
  readonly time_mix_value: Parameter;
  /** Share of the current position in what the receptance reads. */
  readonly time_mix_receptance: Parameter;
  /** [..., hidden] -> [..., attention width]: how much each position counts. */
  readonly key: Linear;
  /** [..., hidden] -> [..., attention width]: what each position says. */
  readonly value: Linear;
  /** [..., hidden] -> [..., attention width]: the gate of the output. */
  readonly receptance: Linear;
  /** The output projection. */
  readonly output: Linear;

  constructor(config: RwkvConfig, layer: number) {
    super();
    const { hiddenSize } = config;
    const channels = config.attentionHiddenSize ?? hiddenSize;
    const depth = layer / Math.max(1, config.numHiddenLayers - 1);
    const height = 1 - layer / config.numHiddenLayers;
    this.time_decay = fromIndex([channels], (i) => {
      return -5 + 8 * (i / Math.max(1, channels - 1)) ** (0.7 + 1.3 * depth);
    });
    this.time_first = fromIndex([channels], () => 1);
    const mixing = (power: number, shift = 0): Parameter =>
      fromIndex([1, 1, hiddenSize], (i) => (i / hiddenSize) ** power + shift);
    this.time_mix_key = mixing(height);
    this.time_mix_value = mixing(height, 0.3 * depth);
    this.time_mix_receptance = mixing(0.5 * height);
    this.key = orthogonalLinear(hiddenSize, channels);
    this.value = orthogonalLinear(hiddenSize, channels);
    this.receptance = orthogonalLinear(hiddenSize, channels);
    this.output = orthogonalLinear(channels, hiddenSize);
  }

  /**
   * [batch, sequence, hidden] -> the same shape, and the sums after the last position.
   * @param x without padding
   */
  override forward(x: Tensor, { real, past, scale }: Context): [Tensor, FadingState] {
    const before = previous(x, past?.attention);
    const weights = this.key.forward(mix(x, before, this.time_mix_key));
    const key = real === undefined ? weights : where(real, weights, constant(HIDDEN));
    const value = this.value.forward(mix(x, before, this.time_mix_value));
    const receptance = this.receptance.forward(mix(x, before, this.time_mix_receptance)).sigmoid();
    const fading = this.time_decay.value.exp();
    const bonus = this.time_first.value;
    const [averages, state] = fadingAverage({ key, value, fading, bonus }, past);
    return [scaled(this.output.forward(receptance.mul(averages)), scale), state];
  }
}

class RwkvFeedForward extends Module {
  /** [1, 1, hiddenSize] */
  readonly time_mix_key: Parameter;
  /** Share of the current position in what the receptance reads. */
  readonly time_mix_receptance: Parameter;
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly key: Linear;
  /** [..., hidden] -> [..., hidden]: the gate of the MLP's output. */
  readonly receptance: Linear;
  /** [..., inner] -> [..., hidden]: the MLP's second layer. */
  readonly value: Linear;

  constructor(config: RwkvConfig, layer: number) {
    super();
    const { hiddenSize } = config;
    const inner = config.intermediateSize ?? 4 * hiddenSize;
    const height = 1 - layer / config.numHiddenLayers;
    const mixing = (): Parameter =>
      fromIndex([1, 1, hiddenSize], (i) => (i / hiddenSize) ** height);
    this.time_mix_key = mixing();
    this.time_mix_receptance = mixing();
    this.key = orthogonalLinear(hiddenSize, inner);
    this.receptance = orthogonalLinear(hiddenSize, hiddenSize);
    this.value = orthogonalLinear(inner, hiddenSize);
  }

  /** [batch, sequence, hidden] -> the same shape; a position reads the one before it. */
  override forward(x: Tensor, { past, scale }: Context): Tensor {
    const before = previous(x, past?.feedForward);
    const key = this.key
      .forward(mix(x, before, this.time_mix_key))
      .relu()
      .square();
    const receptance = this.receptance.forward(mix(x, before, this.time_mix_receptance)).sigmoid();
    return receptance.mul(scaled(this.value.forward(key), scale));
  }
}

class RwkvBlock extends Module {
  /** The norm before the first block; undefined in the others. */
  readonly pre_ln: LayerNorm | undefined;
  /** The norm before the attention. */
  readonly ln1: LayerNorm;
  /** The norm before the MLP. */
  readonly ln2: LayerNorm;
  /** The attention. */
  readonly attention: RwkvSelfAttention;
  /** The MLP of the block, gated by receptance. */
  readonly feed_forward: RwkvFeedForward;

  constructor(config: RwkvConfig, layer: number) {
    super();
    const norm = (): LayerNorm =>
      new LayerNorm(config.hiddenSize, { eps: config.layerNormEpsilon });
    this.pre_ln = layer === 0 ? norm() : undefined;
    this.ln1 = norm();
    this.ln2 = norm();
    this.attention = new RwkvSelfAttention(config, layer);
    this.feed_forward = new RwkvFeedForward(config, layer);
  }

  /** [batch, sequence, hidden] -> the same shape, and the state after the last position. */
  override forward(input: Tensor, context: Context): [Tensor, RwkvState] {
    const { real } = context;
    // Padding as zeros: what stands before a text's first token.
    const hide = (t: Tensor): Tensor => (real === undefined ? t : where(real, t, constant(0)));
    const x = this.pre_ln?.forward(input) ?? input;
    const seen = hide(this.ln1.forward(x));
    const [attended, state] = this.attention.forward(seen, context);
    const middle = x.add(attended);
    const fed = hide(this.ln2.forward(middle));
    const output = middle.add(this.feed_forward.forward(fed, context));
    const last = { attention: seen.select(1, -1), feedForward: fed.select(1, -1) };
    return [output, { ...state, ...last }];
  }
}

/** RWKV without a head. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class RwkvModel extends PreTrainedModel {
  static readonly family: ModelFamily<RwkvConfig> = rwkvFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<RwkvConfig, RwkvComponent> = rwkvCard;
  declare readonly "~components": RwkvComponent;
  readonly config: RwkvConfig;
  /** The token embedding. */
  readonly embeddings: Embedding;
  /** The layers, in order. */
  readonly blocks: ModuleList<RwkvBlock>;
  /** The norm after the last layer. */
  readonly ln_out: LayerNorm;

  constructor(config: Partial<RwkvConfig> = {}) {
    super();
    const full = rwkvConfig(config);
    this.config = full;
    const { vocabSize, hiddenSize, numHiddenLayers } = full;
    this.embeddings = new Embedding(vocabSize, hiddenSize, { std: 1e-4 });
    this.blocks = new ModuleList(
      Array.from({ length: numHiddenLayers }, (_, i) => new RwkvBlock(full, i)),
    );
    this.ln_out = new LayerNorm(hiddenSize);
  }

  /** Hidden states [batch, sequence, hidden], and the state that a next call goes on from. */
  override forward(inputs: DecoderInputs<RwkvCache>): DecoderOutput<RwkvCache> {
    const { pastKeyValues } = inputs;
    let x = embedInputs("RwkvModel", inputs, this.embeddings);
    const steps = x.size(1);
    if (steps === 0) fail("RwkvModel", "the sequence is empty; give at least one token");
    const { attentionMask, real } = realSteps("RwkvModel", inputs, steps);
    const every = this.training ? 0 : Math.max(0, this.config.rescaleEvery);
    const hiddenStates: Tensor[] = [];
    const states: RwkvState[] = [];
    for (const [i, block] of [...this.blocks].entries()) {
      const scale = every === 0 ? 1 : 2 ** -Math.floor(i / every);
      const [output, state] = block.forward(x, { real, past: pastKeyValues?.[i], scale });
      x = scaled(output, every > 0 && (i + 1) % every === 0 ? 0.5 : 1);
      hiddenStates.push(x);
      states.push(state);
    }
    const lastHiddenState = this.ln_out.forward(x);
    return {
      lastHiddenState,
      hiddenStates: [...hiddenStates, lastHiddenState],
      attentions: [],
      pastKeyValues: noted(states, { attentionMask }),
    };
  }
}

/** RWKV as a language model: logits of the next token. */
export class RwkvForCausalLM extends CausalLanguageModel {
  static readonly family: ModelFamily<RwkvConfig> = rwkvFamily;
  declare readonly "~components": RwkvComponent;
  readonly config: RwkvConfig;
  /** The model without a head. */
  readonly rwkv: RwkvModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly head: Linear;

  constructor(config: Partial<RwkvConfig> = {}) {
    super();
    this.rwkv = new RwkvModel(config);
    this.config = this.rwkv.config;
    const { hiddenSize, vocabSize, tieWordEmbeddings } = this.config;
    this.head = tieWordEmbeddings
      ? new Linear(hiddenSize, vocabSize, { bias: false, weight: this.rwkv.embeddings.weight })
      : orthogonalLinear(hiddenSize, vocabSize, 0.5);
  }

  /** The state keeps what it can of texts of any length. */
  override get maxLength(): undefined {
    return undefined;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(inputs: CausalLMInputs<RwkvCache>): CausalLMOutput<RwkvCache> {
    return languageModelOutput(this.rwkv, this.head, inputs);
  }
}

/** A parameter that starts with a function of the last index. */
function fromIndex(shape: readonly number[], value: (i: number) => number): Parameter {
  return initialized(shape, (s) =>
    Tensor.fromData(
      Float32Array.from({ length: s.at(-1) ?? 0 }, (_, i) => value(i)),
      s,
    ),
  );
}

/** Starts as RWKV does: orthogonal, and larger where there are more outputs than inputs. */
function orthogonalLinear(inFeatures: number, outFeatures: number, scale = 1): Linear {
  const gain = scale * Math.sqrt(Math.max(1, outFeatures / inFeatures));
  const weight = initialized([outFeatures, inFeatures], (shape) =>
    init.orthogonal(shape, { gain }),
  );
  return new Linear(inFeatures, outFeatures, { bias: false, weight });
}
