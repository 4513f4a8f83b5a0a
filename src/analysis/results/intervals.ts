import type { NamedArray } from "./named-array.ts";
import { Generator } from "../../tensor/random/generator.ts";
import {
  type Interval,
  meanInterval,
  meanOf,
  wilsonInterval,
} from "../../training/alignment/statistics.ts";

/** The lower and the upper ends of 95 % intervals. */
export interface EffectIntervals {
  /** Lower ends. */
  readonly low: NamedArray;
  /** Upper ends. */
  readonly high: NamedArray;
}

/** The interval of each cell, from its values along the axis `example`, which is then gone. */
export function intervalsOf(
  values: NamedArray,
  of: (own: Float64Array) => Interval,
): EffectIntervals {
  const highs: number[] = [];
  const low = values.reduce("example", (own) => {
    const [least, most] = of(own);
    highs.push(most);
    return least;
  });
  return { low, high: low.map((_, cell) => highs[cell] ?? NaN) };
}

/** From so many examples on the mean of a sample is near enough to normal. */
const MANY = 30;
const RESAMPLES = 2000;

/**
 * The 95 % interval of the mean of some examples: Wilson's of a share, the normal one of 30 examples or
 * more, and of fewer the percentile bootstrap of 2,000 seeded resamples. Of one example it is unknown.
 */
export function intervalOf(values: Float64Array, isShare: boolean): Interval {
  const known = values.filter((value) => !Number.isNaN(value));
  if (isShare) return wilsonInterval(meanOf([...known]), known.length);
  if (known.length < 2) return [NaN, NaN];
  return known.length >= MANY ? meanInterval([...known]) : bootstrap(known);
}

function bootstrap(values: Float64Array): Interval {
  const generator = new Generator(0);
  const draw = (): number => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      sum += values[generator.integer(values.length)] ?? NaN;
    }
    return sum / values.length;
  };
  const means = Float64Array.from({ length: RESAMPLES }, draw).sort();
  const at = (share: number): number => means[Math.round(share * (RESAMPLES - 1))] ?? NaN;
  return [at(0.025), at(0.975)];
}
