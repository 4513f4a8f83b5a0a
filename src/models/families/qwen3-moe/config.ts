import type { ModelFamily } from "../../model/family.ts";
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
import { defineRotarySettings } from "../../parts/decoder/rotary-settings.ts";
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
  readonly hiddenAct: string;
  readonly rmsNormEps: number;
  /** Bias of the attention's projections. */
  readonly attentionBias: boolean;
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
export function hasExperts(
  { mlpOnlyLayers, decoderSparseStep }: Qwen3MoeConfig,
  layer: number,
): boolean {
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
export const QWEN3_MOE_SETTINGS: Settings<Qwen3MoeConfig> = defineRotarySettings<Qwen3MoeConfig>({
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

/** How checkpoints of Qwen 3 with experts are read. */
export const qwen3MoeFamily: ModelFamily<Qwen3MoeConfig> = decoderFamily(QWEN3_MOE_SETTINGS);
