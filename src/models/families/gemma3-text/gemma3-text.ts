import { fail } from "../../../nn/errors.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { PreTrainedModel } from "../../model/pretrained-model.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import { llamaCard, type LlamaComponent } from "../../parts/decoder/card.ts";
import {
  type DecoderConfig,
  decoderFamily,
  decoderRows,
  llamaShapes,
  requireHeadSizes,
} from "../../parts/decoder/config.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import {
  type LayerType,
  layerTypes,
  layerTypesRow,
  windowsOf,
} from "../../parts/decoder/layer-types.ts";
import { SandwichNormLayer } from "../../parts/decoder/layers.ts";
import { OffsetRMSNorm } from "../../parts/decoder/offset-rms-norm.ts";
import { beginPass, runLayers } from "../../parts/decoder/pass.ts";
import { requireCausal } from "../../parts/decoder/require-causal.ts";
import {
  type GivenRope,
  type RopeParameters,
  ropeParameters,
} from "../../parts/decoder/rope-parameters.ts";
import { RotaryEmbedding, type Rotation } from "../../parts/decoder/rotary-embedding.ts";
import { ropeRecord, ropeScalingOf } from "../../parts/decoder/rotary-settings.ts";
import { ScaledEmbedding } from "../../parts/decoder/scaled-embedding.ts";
import type { Changes } from "../../parts/decoder/text-lengths.ts";
import type { DecoderInputs, DecoderOutput } from "../../parts/outputs.ts";
import {
  defineSettings,
  type GivenSettings,
  type Settings,
} from "../../settings/define-settings.ts";
import {
  activationName,
  flag,
  nonNegative,
  positive,
  record,
  token,
  tokens,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Gemma 3 (text), with Hugging Face's meanings and defaults. */
export interface Gemma3TextConfig extends DecoderConfig {
  /** Name of the activation in the MLP, such as "gelu_pytorch_tanh". */
  readonly hiddenActivation: string;
  /** Width of one head. */
  readonly headDim: number;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Rotary embeddings of each type of layer. */
  readonly ropeParameters: {
    readonly fullAttention: RopeParameters;
    readonly slidingAttention: RopeParameters;
  };
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Attention scores are divided by the square root of this. */
  readonly queryPreAttnScalar: number;
  /** How many tokens each one sees in layers with a sliding window, itself included. */
  readonly slidingWindow: number | null;
  /** What each layer sees. */
  readonly layerTypes: readonly LayerType[];
  /** Unless that is given: of this many layers, the last one sees all. @default 6 */
  readonly slidingWindowPattern?: number;
  /** Logits are squeezed smoothly between plus and minus this. */
  readonly finalLogitSoftcapping: number | null;
  /** The same for attention scores. */
  readonly attnLogitSoftcapping: number | null;
  /** Let tokens see those after them; only false is known here. */
  readonly useBidirectionalAttention: boolean | null;
}

/** Settings as they may be given: in part, or under the names of transformers 4. */
type GivenGemma3 = {
  readonly [K in keyof Gemma3TextConfig]?: K extends "ropeParameters"
    ? unknown
    : Gemma3TextConfig[K];
} & {
  /** Rotary embeddings of layers that see all. */
  readonly ropeTheta?: number;
  readonly ropeScaling?: GivenRope;
  /** Base of the wavelengths of layers with a sliding window. */
  readonly ropeLocalBaseFreq?: number;
};

const NAME = "Gemma3TextConfig";

type Rope = Gemma3TextConfig["ropeParameters"];

const ROPE: Rope = {
  fullAttention: { ropeType: "default", ropeTheta: 1_000_000 },
  slidingAttention: { ropeType: "default", ropeTheta: 10_000 },
};

/** Rotary settings of each type of layer, from those of transformers 4. */
function translateRope(given: GivenSettings): GivenSettings {
  const { ropeTheta, ropeScaling, ropeLocalBaseFreq, ...rest } = given;
  const rope = (rest["ropeParameters"] ?? {}) as Partial<Record<keyof Rope, object | null>>;
  return {
    ...rest,
    ropeParameters: {
      ...rope,
      fullAttention: {
        ropeTheta: ropeTheta ?? ROPE.fullAttention.ropeTheta,
        ...rope.fullAttention,
        ...(ropeScaling as object | null | undefined),
      },
      slidingAttention: {
        ropeTheta: ropeLocalBaseFreq ?? ROPE.slidingAttention.ropeTheta,
        ...rope.slidingAttention,
      },
    },
  };
}

function complete(config: Gemma3TextConfig): Gemma3TextConfig {
  const { fullAttention, slidingAttention, ...others } = config.ropeParameters;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    fail(NAME, `ropeParameters are those of fullAttention and slidingAttention, not ${other}`);
  }
  requireHeadSizes(NAME, config);
  requireCausal(NAME, config);
  const pattern = config.slidingWindowPattern ?? 6;
  const slides = (layer: number): boolean => (layer + 1) % pattern !== 0;
  const read = (rope: RopeParameters): RopeParameters => ropeParameters(NAME, rope, rope);
  const rope = { fullAttention: read(fullAttention), slidingAttention: read(slidingAttention) };
  return { ...config, ropeParameters: rope, layerTypes: layerTypes(NAME, config, slides) };
}

/** What settings Gemmas 3 (text) have. */
const GEMMA3_TEXT_SETTINGS: Settings<Gemma3TextConfig> = defineSettings<Gemma3TextConfig>({
  name: NAME,
  modelType: "gemma3_text",
  rows: {
    ...decoderRows({
      vocabSize: 262_208,
      hiddenSize: 2304,
      intermediateSize: 9216,
      numHiddenLayers: 26,
      numAttentionHeads: 8,
      maxPositionEmbeddings: 131_072,
    }),
    numKeyValueHeads: width.orNull(4),
    headDim: width(256),
    hiddenActivation: activationName("gelu_pytorch_tanh"),
    rmsNormEps: nonNegative(1e-6),
    ropeParameters: record(ROPE),
    attentionBias: flag(false),
    queryPreAttnScalar: positive(256),
    slidingWindow: whole.orNull(4096),
    layerTypes: layerTypesRow,
    slidingWindowPattern: whole(undefined),
    finalLogitSoftcapping: positive.orNull(null),
    attnLogitSoftcapping: positive.orNull(null),
    useBidirectionalAttention: flag.orNull(false),
    tieWordEmbeddings: flag(true),
    bosTokenId: token.orNull(2),
    eosTokenId: tokens.orNull(1),
    padTokenId: token.orNull(0),
  },
  older: {
    ropeTheta: positive.orNull(undefined),
    ropeScaling: ropeRecord,
    ropeParameters: ropeRecord,
    ropeLocalBaseFreq: positive.orNull(undefined),
  },
  translate: translateRope,
  shapes: llamaShapes,
  written: ({ ropeParameters: { fullAttention, slidingAttention } }) => ({
    ropeTheta: fullAttention.ropeTheta,
    ropeLocalBaseFreq: slidingAttention.ropeTheta,
    ropeScaling: ropeScalingOf(fullAttention),
  }),
  numbered: [{ path: "layers", setting: "numHiddenLayers" }],
  inert: ["hiddenAct"],
  complete,
});

/** Gemma 3 settings: those given over the defaults. */
export function gemma3TextConfig(given: GivenGemma3 = {}): Gemma3TextConfig {
  return GEMMA3_TEXT_SETTINGS.read(given);
}

/** How checkpoints of Gemma 3 (text) are read. */
const gemma3TextFamily: ModelFamily<Gemma3TextConfig> = decoderFamily(GEMMA3_TEXT_SETTINGS);

/** Angles of positions, one kind for each type of layer. */
class Gemma3RotaryEmbedding extends Module {
  /** Angles of the layers that see the whole text. */
  readonly full_attention: RotaryEmbedding;
  /** Angles of the layers that see a window. */
  readonly sliding_attention: RotaryEmbedding;

  constructor({ ropeParameters, headDim, maxPositionEmbeddings }: Gemma3TextConfig) {
    super();
    const sizes = { headDim, maxPositionEmbeddings };
    this.full_attention = new RotaryEmbedding(ropeParameters.fullAttention, sizes);
    this.sliding_attention = new RotaryEmbedding(ropeParameters.slidingAttention, sizes);
  }

  /** Whether texts of two lengths are rotated differently in some layer; undefined where none are. */
  get changes(): Changes | undefined {
    const { full_attention: full, sliding_attention: sliding } = this;
    if (full.changes === undefined || sliding.changes === undefined) {
      return full.changes ?? sliding.changes;
    }
    return (...lengths) => [full, sliding].some(({ changes }) => changes?.(...lengths) === true);
  }

  override forward(
    positions: Tensor,
    attentionMask?: Tensor,
  ): Record<"full_attention" | "sliding_attention", Rotation> {
    return {
      full_attention: this.full_attention.forward(positions, attentionMask),
      sliding_attention: this.sliding_attention.forward(positions, attentionMask),
    };
  }
}

function decoderLayer(config: Gemma3TextConfig): SandwichNormLayer {
  const norm = (width: number): OffsetRMSNorm =>
    new OffsetRMSNorm(width, { eps: config.rmsNormEps });
  return new SandwichNormLayer({
    attention: new DecoderAttention(config, {
      bias: config.attentionBias,
      scale: 1 / Math.sqrt(config.queryPreAttnScalar),
      softcap: config.attnLogitSoftcapping,
      norm: { of: "head", make: norm },
    }),
    mlp: new GatedMLP(config, { act: config.hiddenActivation }),
    norm: () => norm(config.hiddenSize),
  });
}

/** Gemma 3 (text) without a head: most layers see the last tokens only, and rotate faster. */
export class Gemma3TextModel extends PreTrainedModel {
  static readonly family: ModelFamily<Gemma3TextConfig> = gemma3TextFamily;
  static readonly auto = "AutoModel";
  static readonly card: ModelCard<Gemma3TextConfig, LlamaComponent> = llamaCard;
  declare readonly "~components": LlamaComponent;
  readonly config: Gemma3TextConfig;
  /** The token embedding. */
  readonly embed_tokens: ScaledEmbedding;
  /** The layers, in order. */
  readonly layers: ModuleList<SandwichNormLayer>;
  /** The norm after the last layer. */
  readonly norm: OffsetRMSNorm;
  /** Angles that queries and keys are turned by, from positions. */
  readonly rotary_emb: Gemma3RotaryEmbedding;

  constructor(given: GivenGemma3 = {}) {
    super();
    const config = gemma3TextConfig(given);
    this.config = config;
    this.embed_tokens = new ScaledEmbedding(config);
    const { numHiddenLayers: length } = config;
    this.layers = new ModuleList(Array.from({ length }, () => decoderLayer(config)));
    this.norm = new OffsetRMSNorm(config.hiddenSize, { eps: config.rmsNormEps });
    this.rotary_emb = new Gemma3RotaryEmbedding(config);
  }

  /** Whether a cache of a text of one length is of no use at another; undefined for never. */
  get changes(): Changes | undefined {
    return this.rotary_emb.changes;
  }

  override forward(inputs: DecoderInputs): DecoderOutput {
    const { layers, norm, config } = this;
    const { changes } = this;
    const pass = beginPass(inputs, { name: "Gemma3TextModel", embed: this.embed_tokens, changes });
    const rotations = this.rotary_emb.forward(pass.positions, pass.attentionMask);
    const window = windowsOf(config);
    return runLayers(pass.embedded, {
      layers,
      norm,
      pass,
      context: (i) => ({
        rotation: rotations[config.layerTypes[i] ?? "full_attention"],
        mask: pass.mask(window(i)),
      }),
    });
  }
}

/** Gemma 3 (text) as a language model: logits of the next token. */
export class Gemma3ForCausalLM extends DecoderForCausalLM<Gemma3TextModel> {
  static readonly family: ModelFamily<Gemma3TextConfig> = gemma3TextFamily;

  constructor(config: GivenGemma3 = {}) {
    const model = new Gemma3TextModel(config);
    super(model, { softcap: model.config.finalLogitSoftcapping });
  }
}

/** Gemma 3 (text) with a linear classifier on the last token that is not padding. */
export class Gemma3TextForSequenceClassification extends DecoderForSequenceClassification<Gemma3TextModel> {
  static readonly family: ModelFamily<Gemma3TextConfig> = gemma3TextFamily;

  constructor(config: GivenGemma3 = {}) {
    super(new Gemma3TextModel(config));
  }
}
