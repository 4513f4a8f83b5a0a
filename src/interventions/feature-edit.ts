import type { OptionNames } from "../base/known-options.ts";
import { shown } from "../base/describe-value.ts";
import { isCount } from "../base/is-count.ts";
import { Buffer } from "../nn/buffer.ts";
import { Tensor } from "../tensor/tensor.ts";
import { fail } from "./errors.ts";
import { FeatureIntervention } from "./feature-intervention.ts";
import { featurizerOf, optionsWith, type WithFeaturizer } from "./featurized.ts";
import type { Featurizer } from "./featurizers/featurizer.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  type InterventionOutput,
  type SourceUse,
} from "./intervention.ts";
import { swap, type SwapOptions } from "./swap.ts";

/** A number for each of some features, by the number of the feature: `{ 7: 2.5 }`. */
export type ByFeature = Readonly<Record<number, number>>;

/** What becomes of features; each may be named once. */
export interface FeatureEdits {
  /** Features that become 0. */
  readonly ablate?: readonly number[] | undefined;
  /** What features become. */
  readonly set?: ByFeature | undefined;
  /** What features are multiplied with. */
  readonly scale?: ByFeature | undefined;
  /** What is added to features. */
  readonly add?: ByFeature | undefined;
}

/** What a {@link FeatureEditIntervention} is built from. */
export interface FeatureEditOptions extends InterventionOptions, WithFeaturizer, FeatureEdits {}

const OP = "FeatureEditIntervention";

/**
 * Sets, scales or shifts features of a representation, of whatever featuriser, such as latents of a sparse
 * autoencoder. Needs no source. All others stay, and so does what the featuriser cannot express, unless it says
 * otherwise: without an edit, nothing changes. Hands out the edited features as `latent`. Features are put in
 * from another run with a {@link FeaturizedIntervention}.
 *
 * @example
 * ```ts
 * import { FeatureEditIntervention, JumpReLUFeaturizer, randn } from "tsvene";
 * const featurizer = new JumpReLUFeaturizer({ width: 8, latentDim: 32 });
 * const edit = new FeatureEditIntervention({ featurizer, ablate: [3], set: { 7: 2.5 }, scale: { 9: 2 } });
 * console.log(edit.forward(randn([1, 4, 8])).output.shape); // [1, 4, 8]
 * ```
 */
export class FeatureEditIntervention extends FeatureIntervention {
  static override readonly optionNames: OptionNames<FeatureEditOptions> = {
    ...Intervention.optionNames,
    featurizer: true,
    ablate: true,
    set: true,
    scale: true,
    add: true,
  };
  override readonly sourceUse: SourceUse = "none";
  override readonly readsOwnRun: boolean;
  /** What makes features of a unit. */
  readonly featurizer: Featurizer;
  /** What features are multiplied with, [count]. */
  readonly feature_scale: Buffer;
  /** What is then added to them, [count]. */
  readonly feature_shift: Buffer;

  /** @throws InterventionError for features that are not there, or named twice, and what is no number. */
  constructor(options: FeatureEditOptions) {
    const featurizer = featurizerOf(OP, options);
    const { scale, shift } = affineOf(options, featurizer.count);
    super(optionsWith(options, featurizer));
    this.featurizer = featurizer;
    this.readsOwnRun = featurizer.transcodes;
    this.feature_scale = new Buffer(scale);
    this.feature_shift = new Buffer(shift);
  }

  override featurizerFor(): Featurizer {
    return this.featurizer;
  }

  override forward(
    base: Tensor,
    _source?: Tensor,
    context: InterventionContext = {},
  ): InterventionOutput {
    const { output, features } = this.edited(base, undefined, context);
    return { output, latent: features() };
  }

  protected override interchanged(): SwapOptions | undefined {
    return undefined;
  }

  protected override combined(
    own: Tensor,
    _other: () => Tensor,
    context: InterventionContext,
  ): Tensor {
    const changed = own.mul(this.feature_scale.value).add(this.feature_shift.value);
    return swap(OP, "interchange", own, changed, this.dimensionsOf(context));
  }
}

/** Every edit is a factor and a number to add: what features become is scaled by 0. */
const EDITS: {
  readonly [K in keyof Required<FeatureEdits>]: (value: number) => readonly [number, number];
} = {
  ablate: () => [0, 0],
  set: (value) => [0, value],
  scale: (value) => [value, 0],
  add: (value) => [1, value],
};

function affineOf(
  edits: FeatureEdits,
  count: number,
): { readonly scale: Tensor; readonly shift: Tensor } {
  const scale = new Float32Array(count).fill(1);
  const shift = new Float32Array(count);
  const named = new Set<number>();
  for (const [name, given] of Object.entries(EDITS) as [keyof FeatureEdits, typeof EDITS.set][]) {
    for (const [feature, value] of entriesOf(name, edits[name])) {
      requireFeature(feature, value, name, count);
      if (named.has(feature)) fail(OP, `feature ${feature} is named twice; say one thing of it`);
      named.add(feature);
      [scale[feature], shift[feature]] = given(value);
    }
  }
  return { scale: Tensor.fromData(scale, [count]), shift: Tensor.fromData(shift, [count]) };
}

function entriesOf(
  name: string,
  given: ByFeature | readonly number[] | undefined,
): readonly (readonly [number, number])[] {
  const isList = Array.isArray(given);
  if (given !== undefined && (typeof given !== "object" || isList !== (name === "ablate"))) {
    const wanted =
      name === "ablate" ? "a list of features, [3, 7]" : "numbers by feature, { 7: 2.5 }";
    fail(OP, `${name} must be ${wanted}, got ${shown(given)}`);
  }
  if (isList) return given.map((feature: number) => [feature, 0]);
  return Object.entries(given ?? {}).map(([feature, value]) => [Number(feature), value]);
}

function requireFeature(feature: number, value: number, name: string, count: number): void {
  if (!isCount(feature) || feature >= count) {
    fail(OP, `${name}: there is no feature ${String(feature)}; features are 0 to ${count - 1}`);
  }
  if (!Number.isFinite(value)) {
    fail(OP, `${name} of feature ${feature} must be a number, got ${String(value)}`);
  }
}
