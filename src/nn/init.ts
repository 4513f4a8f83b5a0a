import { cast } from "../tensor/functions/arithmetic.ts";
import { allocate, type DType, isFloat } from "../tensor/dtype.ts";
import { fail } from "../tensor/errors.ts";
import { requireOneOf } from "../base/known-options.ts";
import { exp } from "../tensor/random/portable-math.ts";
import { defaultGenerator, type Generator } from "../tensor/random/random.ts";
import { checkShape, numel, type Shape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

// Start values of parameters, named and distributed as in torch.nn.init. They are drawn at once, so
// a model that is only run does not draw them again.

type Floats = Float32Array | Float64Array;

/** Options of every initialiser. */
export interface InitOptions {
  /** Where random numbers come from. @default the one that `manualSeed` starts */
  readonly generator?: Generator;
  /** @default float32 */
  readonly dtype?: DType;
}

/** Options of initialisers that keep the variance. */
export interface GainOptions extends InitOptions {
  /** Factor of the result, such as {@link gainOf}. @default 1 */
  readonly gain?: number;
}

/** What follows the layer. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Options of the initialisers of He and others. */
export interface KaimingOptions extends InitOptions {
  /** Keep the variance forward (`fanIn`) or backward (`fanOut`). @default fanIn */
  readonly mode?: "fanIn" | "fanOut";
  /** @default leakyRelu */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu below zero. @default 0 */
  readonly slope?: number;
}

function filled(
  name: string,
  shape: Shape,
  options: InitOptions,
  fill: (values: Floats, generator: Generator) => void,
): Tensor {
  const { dtype = "float32", generator = defaultGenerator() } = options;
  checkShape(`init.${name}`, shape);
  if (!isFloat(dtype)) fail(`init.${name}`, `dtype must be floating-point, got ${dtype}`);
  const own = dtype === "float64" ? "float64" : "float32";
  const values = allocate(own, numel(shape)) as Floats;
  fill(values, generator);
  return cast(Tensor.fromData(values, shape, own), dtype);
}

function fillNormal(values: Floats, generator: Generator, mean: number, std: number): void {
  generator.fillNormal(values);
  for (let i = 0; i < values.length; i++) values[i] = mean + std * (values[i] ?? 0);
}

function fillUniform(values: Floats, generator: Generator, low: number, high: number): void {
  generator.fillUniform(values);
  for (let i = 0; i < values.length; i++) values[i] = low + (high - low) * (values[i] ?? 0);
}

/**
 * One value everywhere.
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const bias = init.constant([8], 0.5);
 * ```
 */
export function constant(shape: Shape, value: number, options: InitOptions = {}): Tensor {
  return filled("constant", shape, options, (values) => values.fill(value));
}

/** Zeros. */
export function zeros(shape: Shape, options: InitOptions = {}): Tensor {
  return constant(shape, 0, options);
}

/** Ones. */
export function ones(shape: Shape, options: InitOptions = {}): Tensor {
  return constant(shape, 1, options);
}

/**
 * Uniform in [low, high), by default [0, 1).
 *
 * @example
 * ```ts
 * import { Generator, init } from "tsvene";
 * const w = init.uniform([4, 4], { low: -0.1, high: 0.1, generator: new Generator(1) });
 * ```
 */
export function uniform(
  shape: Shape,
  options: InitOptions & { readonly low?: number; readonly high?: number } = {},
): Tensor {
  const { low = 0, high = 1 } = options;
  return filled("uniform", shape, options, (values, g) => fillUniform(values, g, low, high));
}

/**
 * Normal, by default of mean 0 and standard deviation 1.
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const embedding = init.normal([100, 16], { std: 0.02 });
 * ```
 */
export function normal(
  shape: Shape,
  options: InitOptions & { readonly mean?: number; readonly std?: number } = {},
): Tensor {
  const { mean = 0, std = 1 } = options;
  return filled("normal", shape, options, (values, g) => fillNormal(values, g, mean, std));
}

/** Options of {@link truncatedNormal}. */
export interface TruncatedNormalOptions extends InitOptions {
  /** @default 0 */
  readonly mean?: number;
  /** @default 1 */
  readonly std?: number;
  /** Smallest value, itself and not in standard deviations. @default -2 */
  readonly min?: number;
  /** Largest value. @default 2 */
  readonly max?: number;
}

/**
 * Normal, drawn again where a value would be outside [min, max].
 * @throws TensorError when the mean lies more than two standard deviations outside.
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const w = init.truncatedNormal([8, 8], { std: 0.02, min: -0.04, max: 0.04 });
 * ```
 */
export function truncatedNormal(shape: Shape, options: TruncatedNormalOptions = {}): Tensor {
  const { mean = 0, std = 1, min = -2, max = 2 } = options;
  if (!(std > 0) || !(min < max) || mean < min - 2 * std || mean > max + 2 * std) {
    fail(
      "init.truncatedNormal",
      `expected std > 0, min < max and the mean at most 2 std outside them; ` +
        `got mean ${mean}, std ${std}, min ${min}, max ${max}`,
    );
  }
  const draw = truncatedSampler((min - mean) / std, (max - mean) / std);
  return filled("truncatedNormal", shape, options, (values, g) => {
    for (let i = 0; i < values.length; i++) values[i] = mean + std * draw(g);
  });
}

/** Samples a standard normal within [low, high], whichever way rejects less. */
function truncatedSampler(low: number, high: number): (generator: Generator) => number {
  if (low <= -1 && high >= 1) {
    return (g) => {
      for (;;) {
        const x = g.normal();
        if (x >= low && x <= high) return x;
      }
    };
  }
  // No float64 sample lies further out than 9.
  const [from, to] = [Math.max(low, -9), Math.min(high, 9)];
  const nearest = Math.min(Math.max(0, from), to);
  return (g) => {
    for (;;) {
      const x = from + (to - from) * g.uniform();
      if (g.uniform() < exp((nearest * nearest - x * x) / 2)) return x;
    }
  };
}

/** What a weight's rows and columns sum over: [out, in, ...kernel]. */
function fans(name: string, shape: Shape): { fanIn: number; fanOut: number } {
  const [out, into, ...kernel] = shape;
  if (out === undefined || into === undefined) {
    fail(
      `init.${name}`,
      `expected a weight of 2 or more dimensions, got ${show(shape)}; use normal() or uniform()`,
    );
  }
  const window = numel(kernel);
  return { fanIn: into * window, fanOut: out * window };
}

/**
 * The factor that keeps the variance through a nonlinearity, as `torch.nn.init.calculate_gain`.
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const w = init.xavierUniform([16, 8], { gain: init.gainOf("tanh") });
 * ```
 */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case "linear":
    case "sigmoid":
      return 1;
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + slope * slope));
    case "selu":
      return 0.75;
  }
}

/**
 * Uniform within ±gain √(6 / (fanIn + fanOut)), for weights [out, in, ...kernel].
 * Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const w = init.xavierUniform([16, 8]);
 * ```
 */
export function xavierUniform(shape: Shape, options: GainOptions = {}): Tensor {
  const { fanIn, fanOut } = fans("xavierUniform", shape);
  const bound = (options.gain ?? 1) * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, { ...options, low: -bound, high: bound });
}

/** Normal of standard deviation gain √(2 / (fanIn + fanOut)); see {@link xavierUniform}. */
export function xavierNormal(shape: Shape, options: GainOptions = {}): Tensor {
  const { fanIn, fanOut } = fans("xavierNormal", shape);
  return normal(shape, { ...options, std: (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut)) });
}

function kaimingStd(name: string, shape: Shape, options: KaimingOptions): number {
  const { mode = "fanIn", nonlinearity = "leakyRelu", slope = 0 } = options;
  requireOneOf(name, "mode", mode, ["fanIn", "fanOut"]);
  return gainOf(nonlinearity, slope) / Math.sqrt(fans(name, shape)[mode]);
}

/**
 * Uniform within ±gain √(3 / fan), for weights [out, in, ...kernel].
 * He and others, "Delving deep into rectifiers" (2015).
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const w = init.kaimingUniform([16, 8, 3, 3], { nonlinearity: "relu" });
 * ```
 */
export function kaimingUniform(shape: Shape, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd("kaimingUniform", shape, options);
  return uniform(shape, { ...options, low: -bound, high: bound });
}

/** Normal of standard deviation gain / √fan; see {@link kaimingUniform}. */
export function kaimingNormal(shape: Shape, options: KaimingOptions = {}): Tensor {
  return normal(shape, { ...options, std: kaimingStd("kaimingNormal", shape, options) });
}

/**
 * A random orthogonal matrix times a gain, for weights [out, in, ...kernel] taken as
 * [out, in * kernel]: its rows, or where there are more rows than columns its columns, are
 * orthonormal. Every such matrix is equally likely.
 * Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning" (2013).
 *
 * @example
 * ```ts
 * import { init } from "tsvene";
 * const q = init.orthogonal([4, 4]);
 * console.log(await q.matmul(q.t()).toArray()); // the identity
 * ```
 */
export function orthogonal(shape: Shape, options: GainOptions = {}): Tensor {
  fans("orthogonal", shape);
  const rows = shape[0] ?? 1;
  const columns = numel(shape.slice(1));
  const gain = options.gain ?? 1;
  return filled("orthogonal", shape, options, (values, g) => {
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
    const q = randomFrame(count, length, g);
    for (let i = 0; i < values.length; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      values[i] = gain * ((rows < columns ? q[i] : q[column * length + row]) ?? 0);
    }
  });
}

/**
 * `count` orthonormal rows, uniformly distributed: Stewart, "The efficient generation of random
 * orthogonal matrices" (1980). Row k is a random direction in the last `length - k` coordinates;
 * the Householder reflection that takes the k-th axis there carries the rows after it along.
 */
function randomFrame(count: number, length: number, generator: Generator): Float64Array {
  const q = new Float64Array(count * length);
  for (let k = count - 1; k >= 0; k--) {
    const x = generator.fillNormal(q.subarray(k * length + k, (k + 1) * length));
    const norm = Math.sqrt(dot(x, x));
    const first = x[0] ?? 0;
    const mirror = x.slice();
    mirror[0] = first < 0 ? first - norm : first + norm;
    const half = norm * (norm + Math.abs(first));
    for (let i = k + 1; i < count; i++) {
      const row = q.subarray(i * length + k, (i + 1) * length);
      const share = dot(row, mirror) / half;
      for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) - share * (mirror[j] ?? 0);
    }
    for (let j = 0; j < x.length; j++) x[j] = (x[j] ?? 0) / norm;
  }
  return q;
}

/** In four sums, because each addition would wait for the one before it. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s, t, u, v] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < a.length; k += 4) {
    s += (a[k] ?? 0) * (b[k] ?? 0);
    t += (a[k + 1] ?? 0) * (b[k + 1] ?? 0);
    u += (a[k + 2] ?? 0) * (b[k + 2] ?? 0);
    v += (a[k + 3] ?? 0) * (b[k + 3] ?? 0);
  }
  for (; k < a.length; k++) s += (a[k] ?? 0) * (b[k] ?? 0);
  return s + t + (u + v);
}
