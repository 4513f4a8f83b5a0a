import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { ContrastData, ContrastSide } from "../data/contrast-data.ts";
import { requirePairs } from "../data/require-pairs.ts";
import { positionAxis } from "../data/one-text.ts";
import { contrastMetric, type ContrastMetricChoice } from "../metrics/contrast-metric.ts";
import type { Direction } from "../results/effects.ts";
import { NamedArray } from "../results/named-array.ts";
import type { NamedAxis } from "../results/named-axis.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { type AutoencoderSite, resolveAutoencoderSite } from "./autoencoder-site.ts";
import { type FeatureEffect, FeatureEffects } from "./feature-effects.ts";
import { SparseAutoencoder } from "./sparse-autoencoder.ts";
import { traceEffects, type TracedEffects } from "./trace-effects.ts";

/** What is attributed, and to what. */
export interface FeatureEffectsOptions {
  /** What is measured. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
  /**
   * Compare the latents of both inputs: `"noise"` puts those of corrupt inputs into clean runs, `"denoise"`
   * those of clean inputs into corrupt runs. @default the latents of clean inputs are compared with 0
   */
  readonly direction?: Direction;
  /** Where the autoencoder is. @default where its files say it was trained */
  readonly site?: AutoencoderSite;
  /** Pairs in one program. @default 8 */
  readonly batchSize?: number;
}

const OP = "featureEffects";
const OPTIONS: OptionNames<FeatureEffectsOptions> = {
  metric: true,
  direction: true,
  site: true,
  batchSize: true,
};

/**
 * What each latent of an autoencoder adds to a metric at each position, to first order (Marks and others, "Sparse
 * feature circuits", 2024): the latent times the metric's gradient along what it decodes to, so that ablating it
 * changes the metric by about minus that. With a `direction`, the difference of the latents of both inputs takes
 * the latent's place. The sum over latents, `error` and `bias` is exactly the representation times the gradient.
 *
 * @param data - Pairs, of `contrastPairs` or of your own; without a direction, only the clean inputs count.
 * @throws TsveneError for an autoencoder of another width, and a hook that is no place of the model.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, contrastPairs, featureEffects, SparseAutoencoder } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const clean = "The capital of Italy is";
 * const pairs = contrastPairs(tokenizer, [{ clean, right: " Rome", wrong: " Madrid" }]);
 * const sae = new SparseAutoencoder({ width: 112, latentDim: 224 });
 * const site = { layer: 1, component: "block_output" };
 * const effects = await featureEffects(model, pairs, sae, { site });
 * console.log(effects.latents(3));
 * ```
 */
export async function featureEffects(
  model: Module,
  data: ContrastData,
  sae: SparseAutoencoder,
  options: FeatureEffectsOptions = {},
): Promise<FeatureEffects> {
  requireKnownOptions(OP, options, OPTIONS);
  const { direction, batchSize = 8 } = options;
  requirePairs(OP, model, data);
  if (!(sae instanceof SparseAutoencoder)) {
    fail(OP, `third a SparseAutoencoder, got ${describeValue(sae)}`);
  }
  requireOneOf(OP, "direction", direction, ["noise", "denoise", undefined]);
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    fail(OP, `batchSize must be a whole number of 1 or more, got ${String(batchSize)}`);
  }
  const side = direction === "denoise" ? "corrupt" : "clean";
  const run = {
    op: OP,
    model,
    sae,
    sites: resolveAutoencoderSite(OP, model, sae, options.site),
    metric: contrastMetric(OP, options.metric),
    side,
    other: direction === undefined ? undefined : otherSide(side),
  } as const;
  const parts: ReadEffects[] = [];
  for (const indices of partsOf(range(data.length), batchSize)) {
    parts.push(await readEffects(traceEffects(run, data.batch(indices)), indices[0] ?? 0));
  }
  const axes = axesOf(data, side, parts[0]?.positions ?? 0);
  const joined = (name: string, of: "error" | "bias" | "total"): NamedArray =>
    new NamedArray({ name, axes, values: parts.flatMap((part) => part[of]) });
  return new FeatureEffects({
    metric: run.metric.name,
    side,
    effects: parts.flatMap(({ effects }) => effects),
    error: joined("what is not expressed", "error"),
    bias: joined("bias", "bias"),
    total: joined("representation", "total"),
  });
}

function otherSide(side: ContrastSide): ContrastSide {
  return side === "clean" ? "corrupt" : "clean";
}

function axesOf(data: ContrastData, side: ContrastSide, positions: number): readonly NamedAxis[] {
  const tokens = data.length === 1 ? data.tokens?.(0, side) : undefined;
  return [
    { name: "example", values: range(data.length) },
    positionAxis("position", positions, tokens),
  ];
}

interface ReadEffects {
  readonly effects: readonly FeatureEffect[];
  readonly error: readonly number[];
  readonly bias: readonly number[];
  readonly total: readonly number[];
  readonly positions: number;
}

/** Computes the effects of some pairs, and keeps those that are not 0. */
async function readEffects(traced: TracedEffects, first: number): Promise<ReadEffects> {
  const { activations, effects, error, bias, total } = traced;
  await evaluate(activations, effects, error, bias, total);
  const [, positions = 1, latents = 1] = effects.shape;
  const [z, all] = [await activations.data(), await effects.data()];
  const found: FeatureEffect[] = [];
  for (let i = 0; i < all.length; i++) {
    const effect = Number(all[i]);
    if (effect === 0) continue;
    const row = Math.floor(i / latents);
    found.push({
      example: first + Math.floor(row / positions),
      position: row % positions,
      latent: i % latents,
      activation: Number(z[i]),
      effect,
    });
  }
  return {
    effects: found,
    error: await readNumbers(error),
    bias: await readNumbers(bias),
    total: await readNumbers(total),
    positions,
  };
}
