import { fail } from "../../../nn/errors.ts";
import { Dropout } from "../../../nn/layers/dropout.ts";
import { Embedding } from "../../../nn/layers/embedding.ts";
import { Identity } from "../../../nn/layers/identity.ts";
import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import { Parameter } from "../../../nn/parameter.ts";
import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { noted, notesOf } from "../../model/cache-notes.ts";
import type { ModelCard } from "../../model/card.ts";
import { CausalLanguageModel } from "../../model/causal-language-model.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { attend, type LayerOutput, splitHeads } from "../../parts/decoder/attend.ts";
import { DecoderAttention, type RotaryContext } from "../../parts/decoder/attention.ts";
import { headDimOf, keyValueHeadsOf } from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { beginPass } from "../../parts/decoder/pass.ts";
import { RotaryEmbedding } from "../../parts/decoder/rotary-embedding.ts";
import { nextTokenLoss } from "../../parts/heads.ts";
import type {
  CausalLMInputs,
  CausalLMOutput,
  DecoderInputs,
  DecoderOutput,
  KeyValue,
} from "../../parts/outputs.ts";
import {
  mllamaBaseFamily,
  mllamaCard,
  type MllamaComponent,
  type MllamaConfig,
  mllamaConfig,
  mllamaFamily,
  type MllamaTextConfig,
  mllamaWriterCard,
  type PartialMllamaConfig,
  visionWidth,
} from "./config.ts";
import { type MllamaImages, MllamaVisionModel } from "./vision.ts";

export { type MllamaConfig, type PartialMllamaConfig, mllamaConfig } from "./config.ts";

export type { MllamaImages } from "./vision.ts";

const HIDDEN = -3.4028234663852886e38;

/** Keys and values of each layer; undefined for one that had no image to look at. */
export type MllamaCache = readonly (KeyValue | undefined)[];

/** What the layers that look at the image are given. */
interface Seen {
  /** [batch, patches, hiddenSize]; undefined where they are in the cache. */
  readonly states: Tensor | undefined;
  /** Added to attention scores, [batch, 1, sequence, patches]. @default nothing */
  readonly mask?: Tensor;
  /** [batch, sequence, 1]: 1 for tokens that see something. @default all */
  readonly rows?: Tensor;
}

/** What an Mllama is given of images. */
interface ImagesGiven extends Partial<MllamaImages> {
  /**
   * [batch, sequence, images, tiles], 1 where a token sees a tile. Tokens after the last row see
   * what that one sees. @default all see all
   */
  readonly crossAttentionMask?: Tensor;
}

/** Inputs of an Mllama without a head: a text, and the images that it is about. */
export interface MllamaModelInputs extends DecoderInputs<MllamaCache>, ImagesGiven {}

/** The same of an Mllama that writes. */
export interface MllamaInputs extends CausalLMInputs<MllamaCache>, ImagesGiven {}

class MllamaTextCrossAttention extends Module {
  /** [..., hidden] -> [..., heads × width]: the queries. */
  readonly q_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the keys. */
  readonly k_proj: Linear;
  /** [..., hidden] -> [..., heads × width]: the values. */
  readonly v_proj: Linear;
  /** [..., heads × width] -> [..., hidden]: the output projection. */
  readonly o_proj: Linear;
  /** The norm of the queries; undefined without one. */
  readonly q_norm: RMSNorm;
  /** The norm of the keys; undefined without one. */
  readonly k_norm: RMSNorm;
  /** Drops attention weights in training mode. */
  readonly attn_dropout: Dropout;
  readonly #headDim: number;

  constructor(config: MllamaTextConfig) {
    super();
    const { hiddenSize, numAttentionHeads: heads, initializerRange: std } = config;
    const headDim = headDimOf(config);
    const [queries, keys] = [heads * headDim, keyValueHeadsOf(config) * headDim];
    const norm = { eps: config.rmsNormEps };
    this.q_proj = initialLinear(hiddenSize, queries, { bias: false, std });
    this.k_proj = initialLinear(hiddenSize, keys, { bias: false, std });
    this.v_proj = initialLinear(hiddenSize, keys, { bias: false, std });
    this.o_proj = initialLinear(queries, hiddenSize, { bias: false, std });
    this.q_norm = new RMSNorm(headDim, norm);
    this.k_norm = new RMSNorm(headDim, norm);
    this.attn_dropout = new Dropout(config.attentionDropout);
    this.#headDim = headDim;
  }

  override forward(x: Tensor, { states, mask }: Seen, past: KeyValue | undefined): LayerOutput {
    const query = this.q_norm.forward(splitHeads(this.q_proj.forward(x), this.#headDim));
    const keyValue = states === undefined ? past : this.#look(states);
    if (keyValue === undefined) fail("MllamaTextModel", "there is no image to look at");
    const context = { mask: mask ?? constant(0), past: undefined };
    const options = { scale: 1 / Math.sqrt(this.#headDim), dropout: this.attn_dropout };
    const [mixed, weights] = attend(query, keyValue, context, options);
    return [this.o_proj.forward(mixed), weights, keyValue];
  }

  #look(states: Tensor): KeyValue {
    const key = this.k_norm.forward(splitHeads(this.k_proj.forward(states), this.#headDim));
    return { key, value: splitHeads(this.v_proj.forward(states), this.#headDim) };
  }
}

/** A layer that looks at the image, through gates. */
class MllamaCrossAttentionDecoderLayer extends Module {
  /** The attention to the image. */
  readonly cross_attn: MllamaTextCrossAttention;
  /** The norm before the attention. */
  readonly input_layernorm: RMSNorm;
  /** How much of the cross-attention counts, through tanh. */
  readonly cross_attn_attn_gate: Parameter;
  /** The MLP. */
  readonly mlp: GatedMLP;
  /** The norm before the MLP. */
  readonly post_attention_layernorm: RMSNorm;
  /** How much of the MLP counts, through tanh. */
  readonly cross_attn_mlp_gate: Parameter;
  /** Sites of what is added to the residual stream. */
  readonly cross_attention_addition: Identity = new Identity();
  /** What the MLP adds to the residual stream, a site without weights. */
  readonly mlp_addition: Identity = new Identity();

  constructor(config: MllamaTextConfig) {
    super();
    const norm = { eps: config.rmsNormEps };
    this.cross_attn = new MllamaTextCrossAttention(config);
    this.input_layernorm = new RMSNorm(config.hiddenSize, norm);
    this.cross_attn_attn_gate = new Parameter(zeros([1]));
    this.mlp = new GatedMLP(config, { act: config.hiddenAct });
    this.post_attention_layernorm = new RMSNorm(config.hiddenSize, norm);
    this.cross_attn_mlp_gate = new Parameter(zeros([1]));
  }

  override forward(x: Tensor, seen: Seen, past: KeyValue | undefined): LayerOutput {
    const normed = this.input_layernorm.forward(x);
    const [read, weights, keyValue] = this.cross_attn.forward(normed, seen, past);
    const seenPart = read.mul(this.cross_attn_attn_gate.value.tanh());
    const middle = x.add(this.cross_attention_addition.forward(seenPart));
    const inner = this.mlp.forward(this.post_attention_layernorm.forward(middle));
    const shown = seen.rows === undefined ? inner : inner.mul(seen.rows);
    const added = this.mlp_addition.forward(shown.mul(this.cross_attn_mlp_gate.value.tanh()));
    return [middle.add(added), weights, keyValue];
  }
}

/** A Llama of which some layers look at the image; without one these are left out. */
class MllamaTextModel extends Module {
  /** The token embedding. */
  readonly embed_tokens: Embedding;
  /** The layers, in order. */
  readonly layers: ModuleList<PreNormLayer | MllamaCrossAttentionDecoderLayer>;
  /** The norm after the last layer. */
  readonly norm: RMSNorm;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: RotaryEmbedding;

  constructor(config: MllamaTextConfig) {
    super();
    const { vocabSize, hiddenSize, initializerRange: std, maxPositionEmbeddings } = config;
    const norm = (): RMSNorm => new RMSNorm(hiddenSize, { eps: config.rmsNormEps });
    const layer = (i: number): PreNormLayer | MllamaCrossAttentionDecoderLayer =>
      config.crossAttentionLayers.includes(i)
        ? new MllamaCrossAttentionDecoderLayer(config)
        : new PreNormLayer({
            attention: new DecoderAttention(config),
            mlp: new GatedMLP(config, { act: config.hiddenAct }),
            norm,
          });
    // Beyond the vocabulary there are tokens that are read, but never written, such as the image's.
    this.embed_tokens = new Embedding(vocabSize + 8, hiddenSize, { std });
    this.layers = new ModuleList(
      Array.from({ length: config.numHiddenLayers }, (_, i) => layer(i)),
    );
    this.norm = norm();
    const sizes = { headDim: headDimOf(config), maxPositionEmbeddings };
    this.rotary_emb = new RotaryEmbedding(config.ropeParameters, sizes);
  }

  /** Keys and values of tokens in a layer that does not look at images. */
  textCache(cache: MllamaCache | undefined): KeyValue | undefined {
    return cache?.find((_, i) => this.layers.at(i) instanceof PreNormLayer);
  }

  override forward(inputs: DecoderInputs<MllamaCache>, seen: Seen): DecoderOutput<MllamaCache> {
    const { pastKeyValues, ...rest } = inputs;
    const read = this.textCache(pastKeyValues);
    const pass = beginPass(
      { ...rest, ...(read && { pastKeyValues: noted([read], notesOf(pastKeyValues)) }) },
      { name: "MllamaTextModel", embed: this.embed_tokens, changes: this.rotary_emb.changes },
    );
    const rotation = this.rotary_emb.forward(pass.positions, pass.attentionMask);
    const context = { mask: pass.mask(), rotation };
    let x = pass.embedded;
    const hiddenStates = [x];
    const attentions: Tensor[] = [];
    const cache: (KeyValue | undefined)[] = [];
    for (const [i, layer] of [...this.layers].entries()) {
      const output = runLayer(layer, x, { context, seen, past: pastKeyValues?.[i] });
      cache.push(output?.[2]);
      if (output === undefined) continue;
      x = output[0];
      hiddenStates.push(x);
      attentions.push(output[1]);
    }
    const lastHiddenState = this.norm.forward(x);
    hiddenStates[hiddenStates.length - 1] = lastHiddenState;
    const { attentionMask } = pass;
    noted(cache, { attentionMask });
    return { lastHiddenState, hiddenStates, attentions, pastKeyValues: cache };
  }
}

function runLayer(
  layer: PreNormLayer | MllamaCrossAttentionDecoderLayer,
  x: Tensor,
  given: {
    readonly context: Omit<RotaryContext, "past">;
    readonly seen: Seen;
    readonly past: KeyValue | undefined;
  },
): LayerOutput | undefined {
  const { context, seen, past } = given;
  if (layer instanceof PreNormLayer) return layer.forward(x, { ...context, past });
  if (seen.states === undefined && past === undefined) return undefined;
  return layer.forward(x, seen, past);
}

/** The language model with logits of the next token. */
class MllamaForCausalLM extends Module {
  /** The model without a head. */
  readonly model: MllamaTextModel;
  /** [..., hidden] -> [..., vocabulary]: the logits. */
  readonly lm_head: Linear;

  constructor(config: MllamaTextConfig) {
    super();
    const { hiddenSize, vocabSize, initializerRange: std } = config;
    this.model = new MllamaTextModel(config);
    this.lm_head = initialLinear(hiddenSize, vocabSize, { bias: false, std });
  }

  override forward(inputs: DecoderInputs<MllamaCache>, seen: Seen): CausalLMOutput<MllamaCache> {
    const { lastHiddenState, ...others } = this.model.forward(inputs, seen);
    return { logits: this.lm_head.forward(lastHiddenState), ...others };
  }
}

/** What sees images for the language model. */
interface Seeing extends Module {
  /** Reads images. */
  readonly vision_model: MllamaVisionModel;
  /** [..., vision hidden] -> [..., hidden]: patches of an image as tokens of the text. */
  readonly multi_modal_projector: Linear;
}

/** What the language model is given of inputs: what it reads, and what its layers look at. */
function given(
  model: Seeing,
  text: MllamaTextModel,
  inputs: MllamaModelInputs,
): [read: DecoderInputs<MllamaCache>, seen: Seen] {
  const { pixelValues, aspectRatioIds, aspectRatioMask, crossAttentionMask, ...read } = inputs;
  const states = look(model, { pixelValues, aspectRatioIds, aspectRatioMask });
  const queries = read.inputIds?.size(-1) ?? read.inputsEmbeds?.size(-2) ?? 0;
  const past = text.textCache(read.pastKeyValues)?.key.size(2) ?? 0;
  const { patches } = model.vision_model;
  const shown =
    crossAttentionMask &&
    crossMask(model.constructor.name, crossAttentionMask, { past, queries, patches });
  return [read, { states, ...shown }];
}

function look(
  { vision_model, multi_modal_projector, constructor }: Seeing,
  images: { readonly [K in keyof MllamaImages]: Tensor | undefined },
): Tensor | undefined {
  const { pixelValues, aspectRatioIds, aspectRatioMask } = images;
  if (pixelValues === undefined) return undefined;
  if (aspectRatioIds === undefined || aspectRatioMask === undefined) {
    fail(constructor.name, "images need aspectRatioIds and aspectRatioMask too");
  }
  const seen = vision_model.forward({ pixelValues, aspectRatioIds, aspectRatioMask });
  return multi_modal_projector.forward(seen);
}

function projector({ textConfig, visionConfig }: MllamaConfig): Linear {
  const { hiddenSize, initializerRange: std } = textConfig;
  return initialLinear(visionWidth(visionConfig), hiddenSize, { bias: true, std });
}

/**
 * Mllama (Llama 3.2 Vision) without a head: a Llama of which some layers look at images. Names of
 * modules and parameters are those of Hugging Face.
 */
export class MllamaModel extends PreTrainedModel {
  static readonly family: ModelFamily<MllamaConfig> = mllamaBaseFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<MllamaConfig, MllamaComponent> = mllamaCard;
  declare readonly "~components": MllamaComponent;
  /** Its settings. */
  readonly config: MllamaConfig;
  /** Reads images. */
  readonly vision_model: MllamaVisionModel;
  /** Reads and writes texts. */
  readonly language_model: MllamaTextModel;
  /** [..., vision hidden] -> [..., hidden]: patches of an image as tokens of the text. */
  readonly multi_modal_projector: Linear;

  constructor(config: PartialMllamaConfig = {}) {
    super();
    this.config = mllamaConfig(config);
    this.vision_model = new MllamaVisionModel(this.config.visionConfig);
    this.language_model = new MllamaTextModel(this.config.textConfig);
    this.multi_modal_projector = projector(this.config);
  }

  override forward(inputs: MllamaModelInputs): DecoderOutput<MllamaCache> {
    return this.language_model.forward(...given(this, this.language_model, inputs));
  }
}

/** Mllama as it writes. Names of modules and parameters are those of Hugging Face's checkpoints. */
export class MllamaForConditionalGeneration extends CausalLanguageModel {
  static readonly family: ModelFamily<MllamaConfig> = mllamaFamily;
  static readonly card: ModelCard<MllamaConfig, MllamaComponent> = mllamaWriterCard;
  declare readonly "~components": MllamaComponent;
  /** Its settings. */
  readonly config: MllamaConfig;
  /** Reads images. */
  readonly vision_model: MllamaVisionModel;
  /** Reads and writes texts. */
  readonly language_model: MllamaForCausalLM;
  /** [..., vision hidden] -> [..., hidden]: patches of an image as tokens of the text. */
  readonly multi_modal_projector: Linear;

  constructor(config: PartialMllamaConfig = {}) {
    super();
    this.config = mllamaConfig(config);
    this.vision_model = new MllamaVisionModel(this.config.visionConfig);
    this.language_model = new MllamaForCausalLM(this.config.textConfig);
    this.multi_modal_projector = projector(this.config);
  }

  /** Rotary embeddings have no last position. */
  override get maxLength(): undefined {
    return undefined;
  }

  override get imageInputs(): CausalLanguageModel["imageInputs"] {
    const read = "prompt";
    return { pixelValues: read, aspectRatioIds: read, aspectRatioMask: read, crossAttentionMask: "too" }; // prettier-ignore
  }

  override changesAt(before: number, after: number): boolean {
    return this.language_model.model.rotary_emb.changes?.(before, after) === true;
  }

  /** The image's token and others beyond the vocabulary are read too. */
  override get idCount(): number {
    return this.language_model.model.embed_tokens.weight.shape[0] ?? 0;
  }

  override forward({ labels, ...inputs }: MllamaInputs): CausalLMOutput<MllamaCache> {
    const { model: text } = this.language_model;
    const output = this.language_model.forward(...given(this, text, inputs));
    const loss = labels === undefined ? {} : { loss: nextTokenLoss(output.logits, labels) };
    return { ...output, ...loss };
  }
}

/** The mask of patches from that of tiles, and which tokens see something. */
function crossMask(
  model: string,
  mask: Tensor,
  sizes: { readonly past: number; readonly queries: number; readonly patches: number },
): { readonly mask: Tensor; readonly rows: Tensor } {
  const { past, queries, patches } = sizes;
  if (mask.ndim !== 4) fail(model, "crossAttentionMask must be [batch, sequence, images, tiles]");
  const [batch = 0, rows = 0, media = 0, tiles = 0] = mask.shape;
  const missing = Math.max(0, past + queries - rows);
  const last = mask.slice(1, rows - 1).expand([batch, missing, media, tiles]);
  const all = missing === 0 ? mask : cat([mask, last], 1);
  const own = rows === queries ? mask : all.slice(1, past, past + queries);
  const sees = own.to("bool").reshape([batch, 1, queries, media * tiles, 1]);
  const each = sees.expand([batch, 1, queries, media * tiles, patches]).flatten(3);
  const some = own.to("float32").flatten(2).sum({ dim: -1, keepdim: true }).gt(0);
  // A token that sees nothing looks everywhere, but what it makes of it is left out.
  const free = each.logicalOr(some.logicalNot().unsqueeze(1));
  return { mask: where(free, constant(0), constant(HIDDEN)), rows: some.to("float32") };
}
