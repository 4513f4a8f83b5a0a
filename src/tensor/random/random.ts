import { binary, cast, type Operand } from "../functions/arithmetic.ts";
import type { TensorOptions } from "../functions/creation.ts";
import { allocate, type DType, isFloat, type TypedArray } from "../dtype.ts";
import { fail } from "../errors.ts";
import { defaultGenerator, type Generator } from "./generator.ts";
import { toBFloat16, toFloat16 } from "../half.ts";
import type { RankedTensor } from "../ranked.ts";
import { checkShape, numel, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

export { defaultGenerator, Generator, type GeneratorState, manualSeed } from "./generator.ts";

/** Options of the functions that draw tensors. */
export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from. @default the one that `manualSeed` starts */
  readonly generator?: Generator;
}

/** Random bits below 1 that a 16-bit float holds. */
const HALF_BITS = { float16: 11, bfloat16: 8 } as const;

function checkFloat(name: string, dtype: DType): void {
  if (isFloat(dtype)) return;
  fail(name, `dtype must be floating-point, got ${dtype}; use randint() for whole numbers`);
}

function uniformValues(dtype: DType, length: number, generator: Generator): TypedArray {
  if (dtype === "float64") return generator.fillUniform(new Float64Array(length));
  const values = generator.fillUniform(new Float32Array(length));
  if (dtype !== "float16" && dtype !== "bfloat16") return values;
  // Rounding would make ones; dropping bits does not.
  const steps = 2 ** HALF_BITS[dtype];
  return toHalf(
    values.map((x) => Math.floor(x * steps) / steps),
    dtype,
  );
}

function toHalf(values: Float32Array, dtype: "float16" | "bfloat16"): Uint16Array {
  return Uint16Array.from(values, dtype === "float16" ? toFloat16 : toBFloat16);
}

/**
 * Numbers drawn uniformly from [0, 1), at once.
 *
 * @example
 * ```ts
 * import { Generator, rand } from "tsvene";
 * const x = rand([2, 3], { generator: new Generator(1) });
 * ```
 */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  const { dtype = "float32", generator = defaultGenerator(), requiresGrad } = options;
  checkShape("rand", shape);
  checkFloat("rand", dtype);
  const values = uniformValues(dtype, numel(shape), generator);
  return Tensor.fromData(values, shape, dtype, requiresGrad);
}

/**
 * Numbers drawn from the normal distribution of mean 0 and standard deviation 1, at once.
 *
 * @example
 * ```ts
 * import { randn } from "tsvene";
 * const noise = randn([2, 3]).mul(0.1);
 * ```
 */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  const { dtype = "float32", generator = defaultGenerator(), requiresGrad } = options;
  checkShape("randn", shape);
  checkFloat("randn", dtype);
  const n = numel(shape);
  if (dtype === "float64") {
    const values = generator.fillNormal(new Float64Array(n));
    return Tensor.fromData(values, shape, dtype, requiresGrad);
  }
  const values = generator.fillNormal(new Float32Array(n));
  const half = dtype === "float16" || dtype === "bfloat16";
  return Tensor.fromData(half ? toHalf(values, dtype) : values, shape, dtype, requiresGrad);
}

/**
 * Whole numbers drawn uniformly from [low, high), at once.
 * @param options - `dtype` is int64 unless given.
 *
 * @example
 * ```ts
 * import { randint } from "tsvene";
 * const ids = randint(0, 50257, [2, 8]);
 * ```
 */
export function randint(
  low: number,
  high: number,
  shape: Shape,
  options: Omit<RandomOptions, "requiresGrad"> = {},
): Tensor {
  const { dtype = "int64", generator = defaultGenerator() } = options;
  checkShape("randint", shape);
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || high <= low) {
    fail("randint", `expected integers low < high, got ${low} and ${high}`);
  }
  return whole("randint", numel(shape), shape, dtype, () => low + generator.integer(high - low));
}

/** A tensor of `draw()`n whole numbers, in the storage of the dtype. */
function whole(
  name: string,
  length: number,
  shape: Shape,
  dtype: DType,
  draw: (i: number) => number,
): Tensor {
  if (dtype === "float16" || dtype === "bfloat16" || dtype === "bool") {
    fail(name, `dtype ${dtype} is not supported; draw int64 and convert with to("${dtype}")`);
  }
  const values = allocate(dtype, length);
  if (values instanceof BigInt64Array) {
    for (let i = 0; i < length; i++) values[i] = BigInt(draw(i));
  } else {
    for (let i = 0; i < length; i++) values[i] = draw(i);
  }
  return Tensor.fromData(values, shape, dtype);
}

/**
 * The numbers 0 to n - 1 in random order, as int64, drawn at once.
 *
 * @example
 * ```ts
 * import { randperm, tensor } from "tsvene";
 * const shuffledRows = tensor([[1, 2], [3, 4]]).indexSelect(0, randperm(2));
 * ```
 */
export function randperm(
  n: number,
  options: { readonly generator?: Generator } = {},
): RankedTensor<1> {
  checkShape("randperm", [n]);
  const order = shuffle(
    Array.from({ length: n }, (_, i) => i),
    options.generator,
  );
  return whole("randperm", n, [n], "int64", (i) => order[i] ?? 0) as RankedTensor<1>;
}

/**
 * Ones with the given probability, else zeros; drawn at once, compared when computed.
 * @param probability - A number, or a tensor that broadcasts to the shape.
 *
 * @example
 * ```ts
 * import { bernoulli } from "tsvene";
 * const keep = bernoulli(0.9, [4, 8], { dtype: "bool" });
 * ```
 */
export function bernoulli(
  probability: Operand,
  shape: Shape,
  options: Omit<RandomOptions, "requiresGrad"> = {},
): Tensor {
  if (typeof probability === "number" && !(probability >= 0 && probability <= 1)) {
    fail("bernoulli", `the probability must be in [0, 1], got ${probability}`);
  }
  const { dtype = "float32", ...rest } = options;
  const source = typeof probability === "number" ? "float32" : probability.dtype;
  return cast(binary("lt", rand(shape, { ...rest, dtype: source }), probability), dtype);
}

function totalWeight(name: string, weights: ArrayLike<number>): number {
  if (typeof weights !== "object" || !("length" in weights)) {
    fail(name, "weights must be a list of numbers; of a tensor, await toArray() first");
  }
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] ?? 0;
    if (!(w >= 0) || w === Infinity) {
      fail(name, `weight ${i} is ${w}; weights must be finite and not negative`);
    }
    total += w;
  }
  if (!(total > 0)) fail(name, `none of the ${weights.length} weights is above zero`);
  return total;
}

/** The index whose share of the total holds the point. An index of weight 0 is never taken. */
function locate(weights: ArrayLike<number>, point: number): number {
  let last = 0;
  let rest = point;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] ?? 0;
    if (w === 0) continue;
    if (rest < w) return i;
    rest -= w;
    last = i;
  }
  return last;
}

/**
 * An index drawn with the given probabilities, or any weights proportional to them.
 * @throws TensorError when a weight is negative or not finite, or when all are zero.
 *
 * @example
 * ```ts
 * import { Generator, sampleIndex } from "tsvene";
 * const face = sampleIndex([1, 1, 2], new Generator(3)); // 2 half of the time
 * ```
 */
export function sampleIndex(
  weights: ArrayLike<number>,
  generator: Generator = defaultGenerator(),
): number {
  return locate(weights, generator.uniform() * totalWeight("sampleIndex", weights));
}

/**
 * Several indices drawn with the given weights.
 * @param options - `replacement`: whether an index may come again (default false).
 * @throws TensorError when a weight is negative or not finite, or when there are fewer than `count`
 * weights above zero to draw without replacement.
 *
 * @example
 * ```ts
 * import { multinomial } from "tsvene";
 * const twoOfThree = multinomial([0.2, 0.5, 0.3], 2);
 * ```
 */
export function multinomial(
  weights: ArrayLike<number>,
  count: number,
  options: { readonly replacement?: boolean; readonly generator?: Generator } = {},
): number[] {
  const { replacement = false, generator = defaultGenerator() } = options;
  checkShape("multinomial", [count]);
  totalWeight("multinomial", weights);
  const left = Float64Array.from(weights);
  const able = left.reduce((n, w) => n + (w > 0 ? 1 : 0), 0);
  if (!replacement && able < count) {
    fail(
      "multinomial",
      `${count} indices without replacement need as many weights above zero, got ${able}`,
    );
  }
  return Array.from({ length: count }, () => {
    const i = sampleIndex(left, generator);
    if (!replacement) left[i] = 0;
    return i;
  });
}

/**
 * A copy of an array in random order (Fisher and Yates); the array itself stays as it is.
 *
 * @example
 * ```ts
 * import { Generator, shuffle } from "tsvene";
 * const examples = shuffle(["a", "b", "c"], new Generator(0));
 * ```
 */
export function shuffle<T>(items: readonly T[], generator: Generator = defaultGenerator()): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = generator.integer(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
