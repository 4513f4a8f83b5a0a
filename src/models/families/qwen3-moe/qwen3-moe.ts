import type { Linear } from "../../../nn/layers/linear.ts";
import { RMSNorm } from "../../../nn/layers/rms-norm.ts";
import { ModuleList } from "../../../nn/module-list.ts";
import { Module } from "../../../nn/module.ts";
import type { Slice } from "../../../formats/sliced-checkpoint.ts";
import type { Shape } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ModelCard } from "../../model/card.ts";
import type { ModelFamily } from "../../model/family.ts";
import { DecoderAttention } from "../../parts/decoder/attention.ts";
import {
  attentionComponents,
  type LlamaComponent,
  mlpComponents,
} from "../../parts/decoder/card.ts";
import {
  attentionShapes,
  decoderFamily,
  decoderRows,
  edgeShapes,
  type Given,
  headRows,
  type RotaryConfig,
} from "../../parts/decoder/config.ts";
import {
  type ExpertCounts,
  expertRows,
  requireExperts,
  ROUTER_FIELDS,
} from "../../parts/decoder/expert-counts.ts";
import { GatedMLP } from "../../parts/decoder/gated-mlp.ts";
import { DecoderForCausalLM, DecoderForSequenceClassification } from "../../parts/decoder/heads.ts";
import { initialLinear } from "../../parts/decoder/initial-linear.ts";
import { PreNormLayer } from "../../parts/decoder/layers.ts";
import { RotaryDecoder } from "../../parts/decoder/rotary-decoder.ts";
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
import { routingWeights } from "../../parts/decoder/routing.ts";
import type { Settings } from "../../settings/define-settings.ts";
import type { ClaimedShapes } from "../../settings/fits-checkpoint.ts";
import {
  activationName,
  flag,
  listOf,
  natural,
  nonNegative,
  type Setting,
  whole,
  width,
} from "../../settings/kinds.ts";

/** Settings of a Qwen 3 with experts, with Hugging Face's meanings and defaults. */
export interface Qwen3MoeConfig extends RotaryConfig, ExpertCounts {
  /** Name of the activation in the MLP, such as "gelu". */
  readonly hiddenAct: string;
  /** Added to the mean square in RMS norms. */
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
  /** Whether tokens see a window only. */
  readonly useSlidingWindow: boolean;
  /** How many tokens each one sees, itself included, if a window is used. */
  readonly slidingWindow: number | null;
  /** Width inside an expert; `intermediateSize` is that of layers without experts. */
  readonly moeIntermediateSize: number;
  /** Share out what the chosen experts say so that it adds up to 1. */
  readonly normTopkProb: boolean;
  /** Every so many layers one has experts, the last of these first. */
  readonly decoderSparseStep: number;
  /** Layers without experts, whatever `decoderSparseStep` says. */
  readonly mlpOnlyLayers: readonly number[];
}

/** Whether the layer of a number has experts. */
function hasExperts({ mlpOnlyLayers, decoderSparseStep }: Qwen3MoeConfig, layer: number): boolean {
  return !mlpOnlyLayers.includes(layer) && (layer + 1) % decoderSparseStep === 0;
}

const layerNumbers: Setting<readonly number[]> = listOf(natural, []);

/** Shapes of the first layer with experts, and of the first without. */
function mlpShapes(config: Qwen3MoeConfig): ClaimedShapes {
  const layers = Array.from({ length: config.numHiddenLayers }, (_, layer) => layer);
  const sparse = `layers.${layers.find((layer) => hasExperts(config, layer))}.mlp`;
  const dense = `layers.${layers.find((layer) => !hasExperts(config, layer))}.mlp`;
  return {
    [`${sparse}.gate.weight`]: ["numLocalExperts", "hiddenSize"],
    [`${sparse}.experts.0.gate_proj.weight`]: ["moeIntermediateSize", "hiddenSize"],
    [`${dense}.gate_proj.weight`]: ["intermediateSize", "hiddenSize"],
  };
}

/** What settings Qwens 3 with experts have. */
const QWEN3_MOE_SETTINGS: Settings<Qwen3MoeConfig> = defineRotarySettings<Qwen3MoeConfig>({
  name: "Qwen3MoeConfig",
  modelType: "qwen3_moe",
  rows: {
    ...decoderRows({
      vocabSize: 151_936,
      hiddenSize: 2048,
      intermediateSize: 6144,
      numHiddenLayers: 24,
      numAttentionHeads: 32,
      maxPositionEmbeddings: 32768,
    }),
    ...headRows(4),
    ...expertRows({ numLocalExperts: 128, numExpertsPerTok: 8 }),
    hiddenAct: activationName("silu"),
    rmsNormEps: nonNegative(1e-6),
    attentionBias: flag(false),
    useSlidingWindow: flag(false),
    slidingWindow: whole.orNull(4096),
    moeIntermediateSize: width(768),
    normTopkProb: flag(false),
    decoderSparseStep: whole(1),
    mlpOnlyLayers: {
      ...layerNumbers,
      wanted: `${layerNumbers.wanted}, or null`,
      accepts: (value) => value === null || layerNumbers.accepts(value),
    },
  },
  ...ROUTER_FIELDS,
  inert: [...ROUTER_FIELDS.inert, "maxWindowLayers", "dualChunkAttentionConfig"],
  // Published files have this name, and the readers of transformers 4 no other.
  written: ({ numLocalExperts }) => ({ numExperts: numLocalExperts }),
  shapes: (config) => ({ ...edgeShapes(), ...attentionShapes(config), ...mlpShapes(config) }),
  complete: (config) => {
    const mlpOnlyLayers = (config.mlpOnlyLayers as readonly number[] | null) ?? [];
    return requireExperts("Qwen3MoeConfig", { ...config, mlpOnlyLayers });
  },
});

/** Settings of a Qwen 3 with experts: those given over the defaults. */
export function qwen3MoeConfig(given: Given<Qwen3MoeConfig, "numExperts"> = {}): Qwen3MoeConfig {
  return QWEN3_MOE_SETTINGS.read(given);
}

/** A layer's experts as transformers 5 keeps them: stacks of all their matrices, gate and values as one. */
const STACKED = /^(.*\.mlp\.experts)\.(gate_up_proj|down_proj)$/;

/** The matrices of each expert within such a stack [experts, rows, columns]. */
function expertSlices(stack: string, shape: Shape): readonly Slice[] {
  const [, path, kind] = STACKED.exec(stack) ?? [];
  const [experts = 0, rows = 0, columns = 0, ...more] = shape;
  const parts = kind === "down_proj" ? ["down_proj"] : ["gate_proj", "up_proj"];
  const height = rows / parts.length;
  if (path === undefined || more.length > 0 || !Number.isInteger(height)) return [];
  return Array.from({ length: experts }, (_, expert) => expert).flatMap((expert) =>
    parts.map((part, i) => ({
      name: `${path}.${expert}.${part}.weight`,
      of: stack,
      shape: [height, columns],
      start: (expert * parts.length + i) * height * columns,
    })),
  );
}

/** How checkpoints of Qwen 3 with experts are read. */
const qwen3MoeFamily: ModelFamily<Qwen3MoeConfig> = decoderFamily(QWEN3_MOE_SETTINGS, {
  slices: expertSlices,
});

/** Components of a Qwen 3 with experts. */
export type Qwen3MoeComponent = LlamaComponent | "router_output";

/**
 * Where the components are, within the model without a head. `mlp_activation` is there in layers
 * without experts; `router_output`, [batch * sequence, experts], in those with, before the choice of experts.
 */
const card: ModelCard<Qwen3MoeConfig, Qwen3MoeComponent> = {
  layers: ({ numHiddenLayers }) => numHiddenLayers,
  components: {
    ...attentionComponents(),
    ...mlpComponents(),
    router_output: {
      path: "layers.{layer}.mlp.gate",
      side: "output",
      dimension: ({ numLocalExperts }) => numLocalExperts,
    },
  },
};

/** Experts, of which each token is given to the likeliest; see {@link routingWeights}. */
class Qwen3MoeSparseMoeBlock extends Module {
  /** [..., hidden] -> [..., experts]: the router's scores. */
  readonly gate: Linear;
  /** The experts, each an MLP. */
  readonly experts: ModuleList<GatedMLP>;
  readonly #chosen: number;
  readonly #over: "chosen" | "all";

  constructor(config: Qwen3MoeConfig) {
    super();
    const { hiddenSize, numLocalExperts: length, hiddenAct: act, initializerRange: std } = config;
    const inner = { ...config, intermediateSize: config.moeIntermediateSize };
    this.gate = initialLinear(hiddenSize, length, { bias: false, std });
    this.experts = new ModuleList(Array.from({ length }, () => new GatedMLP(inner, { act })));
    this.#chosen = config.numExpertsPerTok;
    this.#over = config.normTopkProb ? "chosen" : "all";
  }

  override forward(x: Tensor): Tensor {
    const tokens = x.flatten(0, 1);
    const logits = this.gate.forward(tokens);
    const weights = routingWeights(logits, this.#chosen, { over: this.#over });
    const outputs = [...this.experts].map((expert, i) =>
      expert.forward(tokens).mul(weights.slice(-1, i, i + 1)),
    );
    return outputs.reduce((sum, output) => sum.add(output)).reshape(x.shape);
  }
}

/** Qwen 3 with experts, without a head. */
export class Qwen3MoeModel extends RotaryDecoder<Qwen3MoeConfig, PreNormLayer, Qwen3MoeComponent> {
  static readonly family: ModelFamily<Qwen3MoeConfig> = qwen3MoeFamily;
  static override readonly card: ModelCard<Qwen3MoeConfig, Qwen3MoeComponent> = card;

  constructor(given: Given<Qwen3MoeConfig, "numExperts"> = {}) {
    const config = qwen3MoeConfig(given);
    const { attentionBias: bias, hiddenAct: act, rmsNormEps: eps } = config;
    const norm = (): RMSNorm => new RMSNorm(config.hiddenSize, { eps });
    const headNorm = { of: "head", make: (width: number) => new RMSNorm(width, { eps }) } as const;
    const layer = (index: number): PreNormLayer =>
      new PreNormLayer({
        attention: new DecoderAttention(config, { bias, norm: headNorm }),
        mlp: hasExperts(config, index)
          ? new Qwen3MoeSparseMoeBlock(config)
          : new GatedMLP(config, { act }),
        norm,
      });
    const window = config.useSlidingWindow ? config.slidingWindow : null;
    super(config, { layer, norm, window: () => window });
  }
}

/** Qwen 3 with experts as a language model: logits of the next token. */
export class Qwen3MoeForCausalLM extends DecoderForCausalLM<Qwen3MoeModel> {
  static readonly family: ModelFamily<Qwen3MoeConfig> = qwen3MoeFamily;

  constructor(config: Given<Qwen3MoeConfig, "numExperts"> = {}) {
    super(new Qwen3MoeModel(config));
  }
}

/** Qwen 3 with experts, with a linear classifier on the last token that is not padding. */
export class Qwen3MoeForSequenceClassification extends DecoderForSequenceClassification<Qwen3MoeModel> {
  static readonly family: ModelFamily<Qwen3MoeConfig> = qwen3MoeFamily;

  constructor(config: Given<Qwen3MoeConfig, "numExperts"> = {}) {
    super(new Qwen3MoeModel(config));
  }
}
