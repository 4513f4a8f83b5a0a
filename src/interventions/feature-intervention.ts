import type { Tensor } from "../tensor/tensor.ts";
import { fail } from "./errors.ts";
import { type Featurizer, withFeatures } from "./featurizers/featurizer.ts";
import { Intervention, type InterventionContext, type SourceUse } from "./intervention.ts";
import { interchangeAlong } from "./interchange-along.ts";
import { swap, type SwapOptions } from "./swap.ts";

/** What a featuriser may depend on: all that an intervention is given in a call. */
export interface FeatureCall extends InterventionContext {
  /** The selected units of the base. */
  readonly base: Tensor;
  /** Those of the source, or the constant in its place; undefined where there is none. */
  readonly source: Tensor | undefined;
}

/** What becomes of a base whose features are changed. */
export interface EditedFeatures {
  /** What takes its place, of its shape. */
  readonly output: Tensor;
  /** The features of that. */
  readonly features: () => Tensor;
}

/** Features of the base, before and after the change. */
interface CodeChange {
  readonly own: Tensor;
  readonly features: Tensor;
}

/** Interventions that change features of a representation, whatever makes features of it. */
export abstract class FeatureIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "required";

  /** What makes features of the representation in this call, and representations of features. */
  abstract featurizerFor(call: FeatureCall): Featurizer;

  /**
   * The features that the base gets.
   *
   * @param own - Those that it has.
   * @param other - Those of the source.
   */
  protected abstract combined(
    own: Tensor,
    other: () => Tensor,
    context: InterventionContext,
  ): Tensor;

  /** Which features are the source's, where that is all that becomes of them; undefined for other changes. */
  protected abstract interchanged(context: InterventionContext): SwapOptions | undefined;

  /** The base with its features changed. */
  protected edited(
    base: Tensor,
    source?: Tensor,
    context: InterventionContext = {},
  ): EditedFeatures {
    const given = this.sourceRepresentation?.value ?? source;
    const featurizer = this.featurizerFor({ ...context, base, source: given });
    const of = featurizer.transcodes ? (context.read ?? this.#refuseAlone()) : base;
    const change = (): CodeChange => {
      const own = featurizer.encode(of);
      const other = (): Tensor => featurizer.encode(this.sourceOf(source));
      return { own, features: this.combined(own, other, context) };
    };
    const { columns } = featurizer;
    const dimensions = columns && this.interchanged(context);
    if (columns !== undefined && dimensions !== undefined) {
      const { name } = this.constructor;
      const output = interchangeAlong(
        name,
        { featurizer, weight: columns },
        base,
        this.sourceOf(source),
        dimensions,
      );
      return { output: output.to(base.dtype), features: () => change().features };
    }
    const { own, features } = change();
    const output = withFeatures(featurizer, base, own, features, of).to(base.dtype);
    return { output, features: () => features };
  }

  #refuseAlone(): never {
    return fail(
      this.constructor.name,
      "the features of a transcoder are made of what is at another place: call it in an IntervenableModel whose " +
        "representation has that place as source, or give forward(base, source, { read })",
    );
  }
}

/**
 * Interventions that put features of the source in the place of the base's: all of them, unless
 * `interchangeDim` or the call's subspaces name some. A subclass says which features, which may depend on the
 * call: a network may compute them, and learns through the same gradient.
 *
 * @example
 * ```ts
 * import { DirectionsFeaturizer, type FeatureCall, FeatureSwappingIntervention, randn } from "tsvene";
 * import { type InterventionOptions, Linear, orthogonalWeight, type Tensor, widthOf } from "tsvene";
 * // A network makes two directions of each base, in which it is interchanged.
 * class Hyper extends FeatureSwappingIntervention {
 *   override readonly trainable = true;
 *   override readonly concatenatesUnits = true;
 *   readonly net: Linear;
 *   constructor(options: InterventionOptions) {
 *     super(options);
 *     const width = widthOf("Hyper", options);
 *     this.net = new Linear(width, 2 * width);
 *   }
 *   override featurizerFor({ base }: FeatureCall): DirectionsFeaturizer {
 *     const free = this.net.forward(base).reshape([base.size(0), -1, 2]);
 *     return new DirectionsFeaturizer({ weight: orthogonalWeight(free, undefined, { map: "matrixExp" }) });
 *   }
 *   override forward(base: Tensor, source?: Tensor): Tensor {
 *     return this.edited(base, source).output;
 *   }
 * }
 * console.log(new Hyper({ embedDim: 8 }).forward(randn([4, 8]), randn([4, 8])).shape);
 * ```
 */
export abstract class FeatureSwappingIntervention extends FeatureIntervention {
  protected override interchanged(context: InterventionContext): SwapOptions {
    return this.dimensionsOf(context);
  }

  protected override combined(
    own: Tensor,
    other: () => Tensor,
    context: InterventionContext,
  ): Tensor {
    return swap(this.constructor.name, "interchange", own, other(), this.dimensionsOf(context));
  }
}
