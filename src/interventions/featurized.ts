import { type OptionNames, wrongWord } from "../base/known-options.ts";
import { Buffer } from "../nn/buffer.ts";
import { type Generator, randperm } from "../tensor/random/random.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fail } from "./errors.ts";
import { FeatureIntervention } from "./feature-intervention.ts";
import { Featurizer } from "./featurizers/featurizer.ts";
import { type FeaturizerLike, readFeaturizer, recipeOf } from "./featurizers/registry.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  type InterventionOutput,
  type SourceUse,
  unitWidthOf,
} from "./intervention.ts";
import { swap, type SwapMode, type SwapOptions } from "./swap.ts";

/** The option of interventions that work on features of any kind. */
export interface WithFeaturizer {
  /** What makes features of each unit: one, a kind, or data such as `{ kind: "directions", rank: 4 }`. */
  readonly featurizer: FeaturizerLike;
}

/** What a {@link FeaturizedIntervention} is built from. */
export interface FeaturizedOptions extends InterventionOptions, WithFeaturizer {
  /** What becomes of the features that are changed. @default "interchange" */
  readonly mode?: SwapMode | undefined;
  /** Features in place of a source's, [count]: zeros switch features off. @default those of the source */
  readonly sourceFeatures?: Tensor | undefined;
}

const OP = "FeaturizedIntervention";

/**
 * Changes features of a representation, of whatever featuriser: all of them, unless `interchangeDim` or the
 * call's subspaces name some. They are swapped for the source's, or these are added or subtracted. What the
 * featuriser cannot express is kept, unless it says otherwise. Hands out the features as `latent`.
 *
 * Each unit is featurised by itself. Parameters of the featuriser are learned unless they are frozen,
 * `featurizer.requiresGrad(false)`. A featuriser that is given to several places is the same one in all, until
 * it is loaded from files; those that are to stay one are linked.
 *
 * @example
 * ```ts
 * import { FeaturizedIntervention, PCAFeaturizer, randn } from "tsvene";
 * const pca = await PCAFeaturizer.fit(randn([200, 8]), { components: 5 });
 * const first = new FeaturizedIntervention({ featurizer: pca, interchangeDim: [0, 1] });
 * console.log(first.forward(randn([2, 3, 8]), randn([2, 3, 8])).output.shape); // [2, 3, 8]
 * const kind = FeaturizedIntervention.with({ featurizer: { kind: "directions", rank: 4 } });
 * console.log(String(kind));
 * ```
 */
export class FeaturizedIntervention extends FeatureIntervention {
  static override readonly optionNames: OptionNames<FeaturizedOptions> = {
    ...Intervention.optionNames,
    featurizer: true,
    mode: true,
    sourceFeatures: true,
  };
  override readonly sourceUse: SourceUse;
  override readonly trainable: boolean;
  override readonly readsOwnRun: boolean;
  override readonly parameterKinds: Intervention["parameterKinds"];
  /** What becomes of the features that are changed. */
  readonly mode: SwapMode;
  /** What makes features of a unit. */
  readonly featurizer: Featurizer;
  /** Features in place of a source's, [count]. */
  readonly source_features: Buffer | undefined;

  /** @throws InterventionError for a featuriser of another width, and features that it does not have. */
  constructor(options: FeaturizedOptions) {
    const { mode = "interchange", sourceFeatures } = options;
    const featurizer = featurizerOf(OP, options);
    requireChoice(options, featurizer.count);
    super(optionsWith(options, featurizer));
    this.featurizer = featurizer;
    this.readsOwnRun = featurizer.transcodes;
    this.parameterKinds = { featurizer: featurizer.parameterKind };
    this.mode = mode;
    this.sourceUse = sourceFeatures === undefined ? "required" : "none";
    this.source_features = sourceFeatures && new Buffer(sourceFeatures);
    this.trainable = featurizer.parameters().some(({ requiresGrad }) => requiresGrad);
  }

  override featurizerFor(): Featurizer {
    return this.featurizer;
  }

  /** Another learned featuriser; of one that stays, other features, or directions. */
  override takeSize({ featurizer, trainable }: this, generator: Generator): void {
    if (trainable) return;
    this.featurizer.loadStateDict(featurizer.stateDict());
    if (this.featurizer.redraw !== undefined) this.featurizer.redraw(generator);
    else this.setInterchangeDim(others(this.interchangeDim, featurizer.count, generator));
  }

  override forward(
    base: Tensor,
    source?: Tensor,
    context: InterventionContext = {},
  ): InterventionOutput {
    const { output, features } = this.edited(base, source, context);
    return { output, latent: features() };
  }

  protected override interchanged(context: InterventionContext): SwapOptions | undefined {
    const isPlain = this.mode === "interchange" && this.source_features === undefined;
    return isPlain ? this.dimensionsOf(context) : undefined;
  }

  protected override combined(
    own: Tensor,
    other: () => Tensor,
    context: InterventionContext,
  ): Tensor {
    const given = this.source_features?.value ?? other();
    return swap(OP, this.mode, own, given, this.dimensionsOf(context));
  }
}

/** The featuriser that options mean. Where nothing else says a width, it is the featuriser's own. */
export function featurizerOf(
  op: string,
  options: InterventionOptions & WithFeaturizer,
): Featurizer {
  const { featurizer } = options;
  const embedDim =
    options.embedDim ?? (featurizer instanceof Featurizer ? featurizer.width : undefined);
  return readFeaturizer(op, featurizer, unitWidthOf(op, { ...options, embedDim }));
}

/** Options from which an intervention with a featuriser like this one can be made again. */
export function optionsWith<O extends InterventionOptions & WithFeaturizer>(
  options: O,
  featurizer: Featurizer,
): O {
  const { interchangeDim = featurizer.count } = options;
  const anew = recipeOf(featurizer);
  return { ...options, featurizer: anew, embedDim: featurizer.width, interchangeDim };
}

/** As many of the features, drawn at random. */
function others(
  dims: number | readonly number[] | undefined,
  count: number,
  generator: Generator,
): readonly number[] {
  const wanted = typeof dims === "number" ? dims : (dims?.length ?? count);
  const order = randperm(count, { generator }).values ?? [];
  return Array.from(order.slice(0, wanted), Number);
}

/** @throws InterventionError for what contradicts itself. */
function requireChoice(options: FeaturizedOptions, count: number): void {
  const { mode = "interchange", sourceFeatures, interchangeDim } = options;
  const wrong = wrongWord("mode", mode, ["interchange", "add", "subtract"]);
  if (wrong !== undefined) fail(OP, wrong);
  const most = typeof interchangeDim === "number" ? count : count - 1;
  const beyond = [interchangeDim ?? []].flat().find((dim) => dim > most);
  if (beyond !== undefined) {
    fail(OP, `interchangeDim ${beyond} is more than the ${count} features there are`);
  }
  if (sourceFeatures === undefined || [1, count].includes(sourceFeatures.numel)) return;
  fail(OP, `sourceFeatures must be [${count}], got ${show(sourceFeatures.shape)}`);
}
