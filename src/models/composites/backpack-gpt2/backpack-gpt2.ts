import { fail } from "../../../nn/errors.ts";
import type { Activation } from "../../../nn/layers/activation.ts";
import { Conv1D } from "../../../nn/layers/conv1d.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import type { Embedding } from "../../../nn/layers/embedding.ts";
import { LayerNorm } from "../../../nn/layers/layer-norm.ts";
import { Linear } from "../../../nn/layers/linear.ts";
import { Module } from "../../../nn/module.ts";
import { constant } from "../../../tensor/functions/arithmetic.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import {
  type GivenGPT2,
  GPT2_INERT,
  GPT2_ROWS,
  type GPT2Config,
  gpt2Family,
  requireGPT2Heads,
} from "../../families/gpt2/config.ts";
import { GPT2Model } from "../../families/gpt2/gpt2.ts";
import { maskOf, noted } from "../../model/cache-notes.ts";
import type { ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import { declareFamily, type ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { causalMask } from "../../parts/attention-mask.ts";
import { embedInputs } from "../../parts/embed-inputs.ts";
import { nextTokenLoss } from "../../parts/heads.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  KeyValueCache,
} from "../../parts/outputs.ts";
import { activation } from "../../settings/activations.ts";
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
const BACKPACK_GPT2_SETTINGS: Settings<BackpackGPT2Config> = defineSettings<BackpackGPT2Config>({
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
const backpackGpt2Family: ModelFamily<BackpackGPT2Config> = declareFamily(BACKPACK_GPT2_SETTINGS, {
  ...gpt2Family,
  architectures: /^BackpackGPT2/,
  basePrefix: "backpack",
});

/** The component of a Backpack. */
type BackpackGPT2Component = "sense_network_output";

/** Where a Backpack's senses are, [batch, senses, sequence, nEmbd], within the model without a head. */
const backpackGpt2Card: ModelCard<BackpackGPT2Config, BackpackGPT2Component> = {
  layers: () => 1,
  components: {
    sense_network_output: {
      path: "sense_network",
      side: "output",
      dimension: ({ nEmbd }) => nEmbd,
      ownUnits: true,
    },
  },
};

/** What a Backpack keeps of the tokens it has read. */
export interface BackpackCache {
  /** Keys and values of the GPT-2 that weighs the senses. */
  readonly gpt2: KeyValueCache;
  /** [batch, senses, past, nEmbd / senses]: what words are weighed by. */
  readonly keys: Tensor;
  /** [batch, senses, past, nEmbd] */
  readonly senses: Tensor;
}

/** Outputs that a Backpack has beside those of other decoders. */
interface Contextualized {
  /** Weight of each earlier word's senses in each word, [batch, senses, sequence, past + sequence]. */
  readonly contextualization: Tensor;
}

const INITIAL_STD = 0.02;

class BackpackMLP extends Module {
  /** [..., hidden] -> [..., inner]: the MLP's first layer. */
  readonly c_fc: Conv1D;
  /** The output projection. */
  readonly c_proj: Conv1D;
  /** The activation. */
  readonly act: Activation;
  /** Acts in training mode only. */
  readonly dropout: Dropout;

  constructor(inner: number, outer: number, config: BackpackGPT2Config) {
    super();
    this.c_fc = new Conv1D(inner, config.nEmbd, INITIAL_STD);
    this.c_proj = new Conv1D(outer, inner, INITIAL_STD);
    this.act = activation(config.activationFunction);
    this.dropout = new Dropout(config.residPdrop);
  }

  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.c_proj.forward(this.act.forward(this.c_fc.forward(x))));
  }
}

/** A block that mixes nothing between positions: senses depend on the word alone. */
class BackpackNoMixBlock extends Module {
  /** The norm before the attention. */
  readonly ln_1: LayerNorm;
  /** The norm before the MLP. */
  readonly ln_2: LayerNorm;
  /** The MLP. */
  readonly mlp: BackpackMLP;
  /** Acts in training mode only. */
  readonly resid_dropout1: Dropout;
  /** Acts in training mode only. */
  readonly resid_dropout2: Dropout;

  constructor(config: BackpackGPT2Config) {
    super();
    const norm = { eps: config.layerNormEpsilon };
    this.ln_1 = new LayerNorm(config.nEmbd, norm);
    this.ln_2 = new LayerNorm(config.nEmbd, norm);
    this.mlp = new BackpackMLP(4 * config.nEmbd, config.nEmbd, config);
    this.resid_dropout1 = new Dropout(config.residPdrop);
    this.resid_dropout2 = new Dropout(config.residPdrop);
  }

  override forward(x: Tensor, residual: Tensor): Tensor {
    const middle = this.resid_dropout1.forward(x).add(residual);
    const out = this.resid_dropout2.forward(this.mlp.forward(this.ln_1.forward(middle)));
    return this.ln_2.forward(out.add(middle));
  }
}

/** Sense vectors of words: embeddings [batch, sequence, nEmbd] -> [batch, senses, sequence, nEmbd]. */
class BackpackSenseNetwork extends Module {
  /** Acts in training mode only. */
  readonly dropout: Dropout;
  /** The block that senses are made in. */
  readonly block: BackpackNoMixBlock;
  /** The norm. */
  readonly ln: LayerNorm;
  /** Turns the block's output into senses. */
  readonly final_mlp: BackpackMLP;
  readonly #senses: number;

  constructor(config: BackpackGPT2Config) {
    super();
    const { nEmbd, numSenses, senseIntermediateScale } = config;
    this.dropout = new Dropout(config.embdPdrop);
    this.block = new BackpackNoMixBlock(config);
    this.ln = new LayerNorm(nEmbd, { eps: config.layerNormEpsilon });
    this.final_mlp = new BackpackMLP(senseIntermediateScale * nEmbd, numSenses * nEmbd, config);
    this.#senses = numSenses;
  }

  override forward(embedded: Tensor): Tensor {
    const residual = this.dropout.forward(embedded);
    const x = this.block.forward(this.ln.forward(residual), residual);
    const [batch = 0, sequence = 0, width = 0] = x.shape;
    const senses = this.final_mlp.forward(x);
    return senses.reshape([batch, sequence, this.#senses, width]).transpose(1, 2);
  }
}

/** How much of each earlier word's senses goes into each word. */
class BackpackWeightNetwork extends Module {
  /** [..., hidden] -> [..., 2 × hidden]: queries and keys of all senses. */
  readonly c_attn: Linear;
  readonly #senses: number;

  constructor({ numSenses, nEmbd }: BackpackGPT2Config) {
    super();
    this.c_attn = new Linear(nEmbd, 2 * nEmbd);
    this.#senses = numSenses;
  }

  /** Weights [batch, senses, sequence, past + sequence], and the keys of all words. */
  override forward(x: Tensor, mask: Tensor, past: Tensor | undefined): [Tensor, Tensor] {
    const [batch = 0, sequence = 0, width = 0] = x.shape;
    const depth = width / this.#senses;
    const [q, k] = this.c_attn
      .forward(x)
      .chunk(2, -1)
      .map((t) => t.reshape([batch, sequence, this.#senses, depth]).transpose(1, 2)) as [
      Tensor,
      Tensor,
    ];
    const keys = past === undefined ? k : cat([past, k], 2);
    const scores = q.mul(constant(1 / Math.sqrt(depth))).matmul(keys.transpose(-1, -2));
    return [scores.add(mask).softmax(-1), keys];
  }
}

/**
 * A Backpack without a head (Hewitt and others, "Backpack Language Models", 2023): each word is a sum
 * of senses of the words so far, which a GPT-2 weighs.
 */
export class BackpackGPT2Model extends PreTrainedModel {
  static readonly family: ModelFamily<BackpackGPT2Config> = backpackGpt2Family;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<BackpackGPT2Config, BackpackGPT2Component> = backpackGpt2Card;
  declare readonly "~components": BackpackGPT2Component;
  readonly config: BackpackGPT2Config;
  /** The GPT-2 that weighs the senses. */
  readonly gpt2_model: GPT2Model;
  /** Makes the sense vectors of each token. */
  readonly sense_network: BackpackSenseNetwork;
  /** The token embedding. */
  readonly word_embeddings: Embedding;
  /** The embedding of positions. */
  readonly position_embeddings: Embedding;
  /** Weighs the senses of each token by the text. */
  readonly sense_weight_net: BackpackWeightNetwork;

  constructor(config: GivenGPT2<BackpackGPT2Config> = {}) {
    super();
    const full = backpackGpt2Config(config);
    this.config = full;
    const { numSenses: _, senseIntermediateScale: _scale, ...gpt2 } = full;
    this.gpt2_model = new GPT2Model(gpt2);
    this.sense_network = new BackpackSenseNetwork(full);
    this.word_embeddings = this.gpt2_model.wte;
    this.position_embeddings = this.gpt2_model.wpe;
    this.sense_weight_net = new BackpackWeightNetwork(full);
  }

  override forward(
    inputs: DecoderInputs<BackpackCache>,
  ): DecoderOutput<BackpackCache> & Contextualized {
    const { pastKeyValues: past, inputIds, positionIds } = inputs;
    if (inputIds === undefined) {
      fail("BackpackGPT2Model", "give inputIds: senses are those of words");
    }
    const fresh = this.sense_network.forward(
      embedInputs("BackpackGPT2Model", { inputIds }, this.word_embeddings),
    );
    const senses = past === undefined ? fresh : cat([past.senses, fresh], 2);
    const attentionMask = maskOf(inputs.attentionMask, past, inputIds.size(1));
    const context = this.gpt2_model.forward({
      inputIds,
      ...(attentionMask === undefined ? {} : { attentionMask }),
      ...(positionIds === undefined ? {} : { positionIds }),
      ...(past === undefined ? {} : { pastKeyValues: past.gpt2 }),
    });
    const mask = causalMask({
      past: past?.keys.size(2) ?? 0,
      queries: inputIds.size(1),
      attentionMask,
    });
    const [contextualization, keys] = this.sense_weight_net.forward(
      context.lastHiddenState,
      mask,
      past?.keys,
    );
    const lastHiddenState = contextualization.matmul(senses).sum({ dim: 1 });
    return {
      lastHiddenState,
      contextualization,
      hiddenStates: context.hiddenStates,
      attentions: context.attentions,
      pastKeyValues: noted({ gpt2: context.pastKeyValues, keys, senses }, { attentionMask }),
    };
  }
}

/** A Backpack as a language model. The output matrix is the embedding's. */
export class BackpackGPT2LMHeadModel extends CausalLanguageModel {
  static readonly family: ModelFamily<BackpackGPT2Config> = backpackGpt2Family;
  declare readonly "~components": BackpackGPT2Component;
  readonly config: BackpackGPT2Config;
  /** The model without a head. */
  readonly backpack: BackpackGPT2Model;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  constructor(config: GivenGPT2<BackpackGPT2Config> = {}) {
    super();
    this.backpack = new BackpackGPT2Model(config);
    this.config = this.backpack.config;
    const { nEmbd, vocabSize } = this.config;
    const { weight } = this.backpack.word_embeddings;
    this.lm_head = new Linear(nEmbd, vocabSize, { bias: false, weight });
  }

  override get maxLength(): number {
    return this.config.nPositions;
  }

  /** `labels` [batch, sequence]: the ids themselves (they are shifted here); -100 is left out. */
  override forward(
    inputs: CausalLMInputs<BackpackCache>,
  ): CausalLMOutput<BackpackCache> & Contextualized {
    const { labels, ...rest } = inputs;
    const { lastHiddenState, ...others } = this.backpack.forward(rest);
    const logits = this.lm_head.forward(lastHiddenState);
    const loss = labels === undefined ? {} : { loss: nextTokenLoss(logits, labels) };
    return { logits, ...loss, ...others };
  }
}
