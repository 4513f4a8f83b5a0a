/** Quantile of the normal distribution for 95 % on both sides. */
const Z = 1.959963984540054;

/** The numbers between which a mean lies. */
export type Interval = readonly [low: number, high: number];

/** A mean over several draws. */
export interface Spread {
  /** Of the draws. */
  readonly mean: number;
  /** Standard deviation, of a sample: divided by n - 1. */
  readonly sd: number;
  /** Number of draws. */
  readonly n: number;
}

/** Mean of what is a number; NaN of none. */
export function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Mean and standard deviation; of a single number, the deviation is 0. */
export function spreadOf(values: readonly number[]): Spread {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const n = values.length;
  return { mean, sd: n < 2 ? 0 : Math.sqrt(squares / (n - 1)), n };
}

/** The Wilson score interval of a share that was seen in n examples, to 95 % (Wilson, 1927). */
export function wilsonInterval(share: number, n: number): Interval {
  if (n === 0) return [0, 1];
  const scale = 1 + Z ** 2 / n;
  const center = (share + Z ** 2 / (2 * n)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** The normal interval of a mean, to 95 %. */
export function meanInterval(values: readonly number[]): Interval {
  const { mean, sd, n } = spreadOf(values);
  const half = (Z * sd) / Math.sqrt(n);
  return [mean - half, mean + half];
}
