import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { internal } from "../../../base/errors.ts";
import { fail } from "../../../nn/errors.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import type { RopeParameters, RopeType } from "./rope-parameters.ts";
import type { Changes } from "./text-lengths.ts";

/** Rotation frequencies, in radians a token, and what rotated values are multiplied by. */
export interface RopeFrequencies {
  /**
   * [dim / 2], or [rows, 1, dim / 2] where they depend on the texts' lengths.
   * @param positions - [rows, sequence], of which the greatest is that of the text's last token.
   */
  readonly at: (positions: Tensor) => Tensor;
  /** Factor of cosines and sines. */
  readonly scale: number;
  /** Whether texts of these lengths have different frequencies. @default never */
  readonly changes?: Changes;
}

/** Settings of a model that frequencies depend on. */
export interface RopeSizes {
  /** How many values of a head are rotated. */
  readonly dim: number;
  /** Longest text that positions are there for. */
  readonly maxPositionEmbeddings: number;
}

type Method = (rope: RopeParameters, sizes: RopeSizes) => RopeFrequencies;

/** base ^ (2i / dim), rounded at each step as float32 arithmetic does. */
function wavelengths(base: number, dim: number): Float32Array {
  return Float32Array.from({ length: dim / 2 }, (_, i) => base ** Math.fround((2 * i) / dim));
}

/** 1 / base ^ (2i / dim) */
function plain(base: number, dim: number): Float32Array {
  return wavelengths(base, dim).map((w) => 1 / w);
}

/** The same for all lengths. */
function fixed(values: Float32Array, scale = 1): RopeFrequencies {
  const frequencies = Tensor.fromData(values, [values.length]);
  return { at: () => frequencies, scale };
}

/** Length of each row's text, which ends at the last of its positions, as float32 [rows, 1, 1]. */
function lengthOf(positions: Tensor): Tensor {
  const last = positions.amax({ dim: 1, keepdim: true });
  return last.unsqueeze(-1).to("float32").add(constant(1));
}

function needed<T>(value: T | undefined): T {
  return value ?? internal("rope parameters were not checked");
}

/** The base grows with the text, so that the longest wavelength spans it (NTK-aware scaling). */
const dynamic: Method = ({ ropeTheta, factor }, { dim, maxPositionEmbeddings: most }) => {
  const times = needed(factor);
  const exponents = Float32Array.from({ length: dim / 2 }, (_, i) => (2 * i) / dim);
  const powers = Tensor.fromData(exponents, [exponents.length]);
  const at = (positions: Tensor): Tensor => {
    const length = lengthOf(positions).maximum(constant(most));
    const growth = length.mul(constant(times / most)).sub(constant(times - 1));
    const base = growth.pow(constant(dim / (dim - 2))).mul(constant(ropeTheta));
    return base.pow(powers).reciprocal();
  };
  const changes: Changes = (before, after) => Math.max(before, most) !== Math.max(after, most);
  return { at, scale: 1, changes };
};

/** Long wavelengths are stretched, short ones kept, those between mixed. */
const llama3: Method = (rope, { dim, maxPositionEmbeddings }) => {
  const [factor, low, high] = [rope.factor, rope.lowFreqFactor, rope.highFreqFactor].map(needed);
  const trained = rope.originalMaxPositionEmbeddings ?? maxPositionEmbeddings;
  const stretched = plain(rope.ropeTheta, dim).map((f) => {
    const rotations = (trained * f) / (2 * Math.PI);
    if (rotations < needed(low)) return f / needed(factor);
    if (rotations > needed(high)) return f;
    const kept = (rotations - needed(low)) / (needed(high) - needed(low));
    return ((1 - kept) * f) / needed(factor) + kept * f;
  });
  return fixed(stretched);
};

/** 0.1 mscale ln(factor) + 1 */
function yarnScale(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}

function yarnAttentionFactor({ factor, attentionFactor, ...rope }: RopeParameters): number {
  const { mscale, mscaleAllDim } = rope;
  if (typeof attentionFactor === "number") return attentionFactor;
  if (!mscale || !mscaleAllDim) return yarnScale(needed(factor));
  return yarnScale(needed(factor), mscale) / yarnScale(needed(factor), mscaleAllDim);
}

/** As llama3, but the mixture runs along the dimensions (YaRN, arXiv 2309.00071). */
const yarn: Method = (rope, { dim, maxPositionEmbeddings }) => {
  const { ropeTheta, truncate = true } = rope;
  const trained = rope.originalMaxPositionEmbeddings ?? maxPositionEmbeddings;
  /** The dimension whose frequency makes this many rotations over the trained length. */
  const dimensionOf = (rotations: number): number =>
    (dim * Math.log(trained / (rotations * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const bounds = [dimensionOf(rope.betaFast ?? 32), dimensionOf(rope.betaSlow ?? 1)] as const;
  const low = Math.max(truncate ? Math.floor(bounds[0]) : bounds[0], 0);
  const high = Math.min(truncate ? Math.ceil(bounds[1]) : bounds[1], dim - 1);
  const width = high === low ? 0.001 : high - low;
  const mixed = plain(ropeTheta, dim).map((f, i) => {
    const stretch = Math.min(Math.max((i - low) / width, 0), 1);
    return (f / needed(rope.factor)) * stretch + f * (1 - stretch);
  });
  return fixed(mixed, yarnAttentionFactor(rope));
};

/** Each frequency has its own divisor, another beyond the trained length (LongRoPE). */
const longrope: Method = (rope, { dim, maxPositionEmbeddings }) => {
  const { ropeTheta, shortFactor, longFactor, attentionFactor } = rope;
  const trained = rope.originalMaxPositionEmbeddings ?? maxPositionEmbeddings;
  const factor = rope.factor ?? maxPositionEmbeddings / trained;
  const grown = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
  const divided = (divisors: readonly number[], name: string): Tensor => {
    if (divisors.length !== dim / 2) {
      fail(
        "RotaryEmbedding",
        `ropeParameters.${name} has ${divisors.length} numbers, but ${dim / 2} frequencies rotate`,
      );
    }
    const values = wavelengths(ropeTheta, dim).map((w, i) => 1 / (w * (divisors[i] ?? 1)));
    return Tensor.fromData(values, [values.length]);
  };
  const short = divided(needed(shortFactor), "shortFactor");
  const long = divided(needed(longFactor), "longFactor");
  const at = (positions: Tensor): Tensor =>
    where(lengthOf(positions).gt(constant(trained)), long, short);
  const changes: Changes = (before, after) => before > trained !== after > trained;
  return { at, scale: attentionFactor ?? grown, changes };
};

const METHODS: { readonly [K in RopeType]: Method } = {
  default: ({ ropeTheta }, { dim }) => fixed(plain(ropeTheta, dim)),
  linear: ({ ropeTheta, factor }, { dim }) =>
    fixed(plain(ropeTheta, dim).map((f) => f / needed(factor))),
  dynamic,
  yarn,
  longrope,
  llama3,
};

/** The frequencies that settings mean. */
export function ropeFrequencies(rope: RopeParameters, sizes: RopeSizes): RopeFrequencies {
  return METHODS[rope.ropeType](rope, sizes);
}
