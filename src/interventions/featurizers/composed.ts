import type { OptionNames } from "../../base/known-options.ts";
import { ModuleList } from "../../nn/module-list.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fail } from "../errors.ts";
import type { ParameterKind } from "../intervention.ts";
import { Featurizer, type FeaturizerOptions, requireWidth } from "./featurizer.ts";

/** What a {@link ComposedFeaturizer} is built from. */
export interface ComposedOptions extends FeaturizerOptions {
  /** Featurisers, each of which works on the features of the one before it. */
  readonly featurizers: readonly Featurizer[];
}

/**
 * Featurisers one after another, such as a standardisation and a rotation. What one of them loses is the error
 * term of all.
 *
 * @example
 * ```ts
 * import { ComposedFeaturizer, DirectionsFeaturizer, randn, StandardizeFeaturizer } from "tsvene";
 * const samples = randn([200, 8]);
 * const both = new ComposedFeaturizer({
 *   featurizers: [
 *     StandardizeFeaturizer.fit(samples),
 *     new DirectionsFeaturizer({ width: 8, rank: 2 }),
 *   ],
 * });
 * console.log(both.encode(randn([4, 8])).shape); // [4, 2]
 * ```
 */
export class ComposedFeaturizer extends Featurizer {
  static override readonly optionNames: OptionNames<ComposedOptions> = {
    ...Featurizer.optionNames,
    featurizers: true,
  };
  readonly width: number;
  readonly count: number;
  override readonly keepsError: boolean;
  override readonly linear: boolean;
  override readonly parameterKind: ParameterKind;
  /** The featurisers, in the order in which they are applied. */
  readonly featurizers: ModuleList<Featurizer>;

  /** @throws InterventionError without featurisers, and for two that do not fit. */
  constructor(options: ComposedOptions) {
    super(options);
    const { featurizers } = options;
    const [first] = featurizers;
    const last = featurizers.at(-1);
    if (first === undefined || last === undefined) {
      fail(OP, "featurizers is empty; give at least one");
    }
    for (const [i, { width }] of featurizers.entries()) {
      if (featurizers[i]?.transcodes === true) {
        fail(
          OP,
          `featurizers[${i}] reads another place than it writes, and cannot be one of several`,
        );
      }
      const before = featurizers[i - 1]?.count ?? width;
      if (before === width) continue;
      fail(OP, `featurizers[${i}] is made for ${width}, but featurizers[${i - 1}] gives ${before}`);
    }
    this.width = requireWidth(OP, options, first.width);
    this.count = last.count;
    this.keepsError = featurizers.some(({ keepsError }) => keepsError);
    this.linear = featurizers.every(({ linear }) => linear);
    const kinds = new Set(learned(featurizers).map(({ parameterKind }) => parameterKind));
    const [kind = "others"] = kinds;
    this.parameterKind = kinds.size > 1 ? "others" : kind;
    this.featurizers = new ModuleList(featurizers);
  }

  /** The features of the last one. */
  override encode(h: Tensor): Tensor {
    return [...this.featurizers].reduce((x, featurizer) => featurizer.encode(x), h);
  }

  /** Back through all of them, from the last to the first. */
  override decode(features: Tensor): Tensor {
    return [...this.featurizers].reduceRight((x, featurizer) => featurizer.decode(x), features);
  }
}

const OP = "ComposedFeaturizer";

/** Those with parameters. */
function learned(featurizers: readonly Featurizer[]): readonly Featurizer[] {
  return featurizers.filter((featurizer) => featurizer.parameters().length > 0);
}
