import { printsItself } from "../../base/inspect.ts";
import { showsInNotebooks } from "../../plots/notebook.ts";
import type { ContrastSide } from "../data/contrast-data.ts";
import { NamedArray } from "../results/named-array.ts";
import type { NamedAxis } from "../results/named-axis.ts";

/** What one latent does at one position of one input. */
export interface FeatureEffect {
  /** Number of the pair. */
  readonly example: number;
  /** Position in its row. */
  readonly position: number;
  /** Number of the latent. */
  readonly latent: number;
  /** The latent in the run that is attributed. */
  readonly activation: number;
  /** What it adds to the metric, to first order. */
  readonly effect: number;
}

/** What {@link FeatureEffects} are made of. */
export interface FeatureEffectsFields {
  /** Name of the metric. */
  readonly metric: string;
  /** Which input was run. */
  readonly side: ContrastSide;
  /** The effects that are not 0, in the order of examples, positions and latents. */
  readonly effects: readonly FeatureEffect[];
  /** What the autoencoder cannot express adds, `[example, position]`. */
  readonly error: NamedArray;
  /**
   * What it decodes to without any latent adds, `[example, position]`: where runs are compared, the difference of
   * what a transcoder has beside its latents, and else 0.
   */
  readonly bias: NamedArray;
  /** What the whole representation adds, `[example, position]`: the sum of all latents, error and bias. */
  readonly total: NamedArray;
}

/** A latent and what it does in all. */
export interface RankedLatent {
  /** Number of the latent. */
  readonly latent: number;
  /** The sum over positions, the mean over examples. */
  readonly effect: number;
}

/** What each latent of an autoencoder adds to a metric: what `featureEffects` gives. Sparse. */
export class FeatureEffects implements FeatureEffectsFields {
  readonly metric: string;
  readonly side: ContrastSide;
  readonly effects: readonly FeatureEffect[];
  readonly error: NamedArray;
  readonly bias: NamedArray;
  readonly total: NamedArray;

  constructor({ metric, side, effects, error, bias, total }: FeatureEffectsFields) {
    this.metric = metric;
    this.side = side;
    this.effects = effects;
    this.error = error;
    this.bias = bias;
    this.total = total;
  }

  /**
   * The latents with the greatest effects, by magnitude: summed over positions, the mean over examples.
   * @param count - How many. @default 10
   */
  latents(count = 10): readonly RankedLatent[] {
    const examples = this.total.axis("example").values.length;
    const sums = new Map<number, number>();
    for (const { latent, effect } of this.effects) {
      sums.set(latent, (sums.get(latent) ?? 0) + effect / examples);
    }
    return [...sums]
      .map(([latent, effect]) => ({ latent, effect }))
      .toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect))
      .slice(0, count);
  }

  /**
   * The effects of some latents by position, `[latent, position]`, the mean over examples; for pictures.
   * @param latents - Their numbers. @default the ten greatest
   */
  table(latents: readonly number[] = this.latents().map(({ latent }) => latent)): NamedArray {
    const positions = this.total.axis("position");
    const examples = this.total.axis("example").values.length;
    const axis: NamedAxis = { name: "latent", values: latents };
    const width = positions.values.length;
    const values = new Float64Array(latents.length * width);
    const rows = new Map(latents.map((latent, row) => [latent, row]));
    for (const { latent, position, effect } of this.effects) {
      const row = rows.get(latent);
      if (row === undefined) continue;
      const at = row * width + position;
      values[at] = (values[at] ?? 0) + effect / examples;
    }
    return new NamedArray({ name: `effect on ${this.metric}`, axes: [axis, positions], values });
  }

  /** The latents with the greatest effects by position. */
  toString(): string {
    return String(this.table());
  }
}

printsItself(FeatureEffects.prototype);
showsInNotebooks(FeatureEffects.prototype, (one) => one.table().plot());
