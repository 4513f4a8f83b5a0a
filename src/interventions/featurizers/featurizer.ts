import type { OptionNames } from "../../base/known-options.ts";
import { wrongOptions } from "../../base/known-options.ts";
import { Module } from "../../nn/module.ts";
import type { Generator } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { describeOptions } from "../describe-options.ts";
import { fail } from "../errors.ts";
import type { ParameterKind } from "../intervention.ts";

/** A representation as features, and what they leave unsaid. */
export interface Featurized {
  /** [..., count] */
  readonly features: Tensor;
  /** What has to be added to what the features decode to, [..., width]; absent where nothing has. */
  readonly error?: Tensor;
}

/** What every featuriser can be built from. */
export interface FeaturizerOptions {
  /** Width of the representation. @default that of the place, or what its tensors say */
  readonly width?: number | undefined;
}

/** A class of featurisers, as {@link registerFeaturizer} takes it. */
export interface FeaturizerClass {
  new (options: never): Featurizer;
  /** Name of the class. */
  readonly name: string;
  /** Names of all options that the constructor takes, as keys. */
  readonly optionNames: object;
}

/**
 * Another way to write a representation: features, of which an intervention may change some, and the
 * way back (Mueller and others, "MIB", 2025). A subclass writes `encode` and `decode`, and says whether the
 * two together lose something; the rest follows: `inverse(features, error)` of what `featurize` gave is the
 * representation again.
 *
 * @example
 * ```ts
 * import { Featurizer, type FeaturizerOptions, ones, type Tensor } from "tsvene";
 * class Halves extends Featurizer {
 *   readonly width: number;
 *   readonly count: number;
 *   constructor(options: FeaturizerOptions) {
 *     super(options);
 *     this.width = this.count = options.width ?? 2;
 *   }
 *   override encode(h: Tensor): Tensor {
 *     return h.mul(2);
 *   }
 *   override decode(features: Tensor): Tensor {
 *     return features.mul(0.5);
 *   }
 * }
 * const { features, error } = new Halves({ width: 3 }).featurize(ones([1, 3]));
 * console.log(features.shape, error); // [1, 3], undefined: nothing is lost
 * ```
 */
export abstract class Featurizer extends Module {
  /**
   * Names of all options that the constructor takes: others are refused. A class with options of its
   * own lists them beside `width`.
   */
  static readonly optionNames: OptionNames<FeaturizerOptions> = { width: true };

  /** @internal What the constructor of this class was given. */
  static optionsOf(featurizer: Featurizer): FeaturizerOptions {
    return featurizer.#options;
  }

  /** Width of the representation: of what features are decoded to. */
  abstract readonly width: number;
  /** How many features it makes of it. */
  abstract readonly count: number;
  /**
   * Whether the features say less than the representation, and the rest is kept as the error term. One
   * that loses something and says false drops it.
   */
  readonly keepsError: boolean = false;
  /** Whether what features decode to is linear in them, without a constant. */
  readonly linear: boolean = false;
  /**
   * Whether features are made of what is at another place than they are decoded to, as those of a transcoder:
   * `encode` takes what is at the place that a representation has as `source`.
   */
  readonly transcodes: boolean = false;
  /** What learning rates by kind call its parameters. */
  readonly parameterKind: ParameterKind = "others";
  /**
   * Orthonormal columns [width, count], where features are coordinates along these and all else of a
   * representation is kept. Coordinates can then be changed without computing the others.
   */
  get columns(): Tensor | undefined {
    return undefined;
  }
  /** @internal Whether it makes all coordinates of vectors like these for less than columns cost. */
  turnsWithout(_h: Tensor): boolean {
    return false;
  }
  /** Whether it holds tensors of one pass, which no file can keep. */
  readonly isComputed: boolean = false;
  readonly #options: FeaturizerOptions;

  /** @throws InterventionError for options that the class does not have. */
  constructor(options: FeaturizerOptions = {}) {
    super();
    const wrong = wrongOptions(options, new.target.optionNames);
    if (wrong !== undefined) fail(new.target.name, wrong);
    this.#options = options;
  }

  /** The features of a representation: [..., width] to [..., count]. */
  abstract encode(h: Tensor): Tensor;

  /**
   * What features stand for: [..., count] to [..., width].
   * @param of - What the features were made of, for featurisers whose way back depends on it, as where
   * representations are scaled to one size first.
   */
  abstract decode(features: Tensor, of?: Tensor): Tensor;

  /** Features, and what they leave unsaid: [..., width] to [..., count] and [..., width]. */
  featurize(h: Tensor): Featurized {
    const features = this.encode(h);
    return this.keepsError ? { features, error: h.sub(this.decode(features, h)) } : { features };
  }

  /** The representation that features and an error term are of: the way back from {@link featurize}. */
  inverse(features: Tensor, error?: Tensor): Tensor {
    const decoded = this.decode(features);
    return error === undefined ? decoded : decoded.add(error);
  }

  /**
   * Makes it another one of its size, drawn at random, where it says all that is chosen: to compare with. Called
   * for one that has just been made.
   */
  redraw?(generator: Generator): void;

  /** The same as {@link encode}. */
  override forward(h: Tensor): Tensor {
    return this.encode(h);
  }

  override describe(): string {
    return describeOptions({ ...this.#options, width: this.width });
  }
}

/**
 * `h` with other features: what {@link Featurizer.inverse} gives of them and of the error term, for which
 * a linear featuriser need not be undone twice.
 *
 * @param code - The features that `h` has.
 * @param of - What they were made of.
 */
export function withFeatures(
  featurizer: Featurizer,
  h: Tensor,
  code: Tensor,
  features: Tensor,
  of: Tensor = h,
): Tensor {
  if (!featurizer.keepsError) return featurizer.decode(features, of);
  if (featurizer.linear) return h.add(featurizer.decode(features.sub(code)));
  return featurizer.decode(features, of).add(h.sub(featurizer.decode(code, of)));
}

/** @throws InterventionError where no width is known. */
export function widthIn(op: string, { width }: FeaturizerOptions): number {
  if (width !== undefined && Number.isSafeInteger(width) && width >= 1) return width;
  return fail(op, `width must be a whole number of 1 or more, got ${String(width)}`);
}

/** @throws InterventionError for a width that tensors contradict. */
export function requireWidth(op: string, { width }: FeaturizerOptions, own: number): number {
  if (width === undefined || width === own) return own;
  return fail(op, `it is made for representations of ${own}, but they are ${width} wide here`);
}
