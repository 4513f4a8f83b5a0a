import { Buffer } from "../nn/buffer.ts";
import { fail } from "./errors.ts";
import type { OptionNames } from "../base/known-options.ts";
import { Generator, randn } from "../tensor/random/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import {
  Intervention,
  type InterventionContext,
  type InterventionOptions,
  type SourceUse,
} from "./intervention.ts";
import { swap } from "./swap.ts";

/** Three times the standard deviation of GPT-2 XL's embeddings. */
const DEFAULT_LEVEL = 0.13462981581687927;

/** What a {@link NoiseIntervention} is built from. */
export interface NoiseOptions extends InterventionOptions {
  /** Standard deviation of the noise, in units of the representation. @default 0.1346... */
  readonly noiseLevel?: number;
  /** Where the random numbers start: a whole number. @default 1 */
  readonly seed?: number;
  /** Your own noise instead, of the shape of what it is added to, or with a batch of 1. */
  readonly noise?: Tensor;
}

/**
 * Adds normal noise to the selected dimensions, as in causal tracing (Meng and others, 2022). Needs
 * no source. Each element has noise of its own; the same seed gives the same noise in every call.
 *
 * @example
 * ```ts
 * import { NoiseIntervention, zeros } from "tsvene";
 * const noise = new NoiseIntervention({ noiseLevel: 0.5, seed: 7 });
 * console.log(await noise.forward(zeros([2, 3, 8])).toArray());
 * ```
 */
export class NoiseIntervention extends Intervention {
  static override readonly optionNames: OptionNames<NoiseOptions> = {
    ...Intervention.optionNames,
    noiseLevel: true,
    seed: true,
    noise: true,
  };
  override readonly sourceUse: SourceUse = "none";
  /** Where the random numbers start. */
  readonly seed: number;
  /** Noise of the caller's own; undefined for random numbers. */
  readonly noise: Buffer | undefined;
  /** Standard deviation of the noise, float32, 0-d. */
  readonly noise_level: Buffer;

  constructor(options: NoiseOptions = {}) {
    super(options);
    const { noiseLevel = DEFAULT_LEVEL, seed = 1, noise } = options;
    if (!(noiseLevel >= 0 && noiseLevel < Infinity)) {
      fail("NoiseIntervention", `noiseLevel must be a number of 0 or more, got ${noiseLevel}`);
    }
    this.seed = seed;
    this.noise = noise && new Buffer(noise);
    this.noise_level = new Buffer(Tensor.fromData(Float32Array.of(noiseLevel), []));
  }

  override forward(base: Tensor, _source?: Tensor, context?: InterventionContext): Tensor {
    const noise = this.noise?.value ?? randn(base.shape, { generator: new Generator(this.seed) });
    const added = noise.mul(this.noise_level.value);
    return swap("NoiseIntervention", "add", base, added, this.dimensionsOf(context));
  }
}
