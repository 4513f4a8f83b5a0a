import type { DType } from "./dtype.ts";
import type { ReduceOptions, VarianceOptions } from "./functions/reductions.ts";
import type { Shape } from "./shape.ts";
import type { NestedArray } from "./tensor-core.ts";
import type { Tensor } from "./tensor.ts";

// Types only: what the compiler can say of a tensor's number of dimensions.

/** Numbers nested as deep as a tensor has dimensions. */
interface NestedByRank {
  /** No dimension: one number. */
  readonly 0: number;
  /** A vector. */
  readonly 1: number[];
  /** A matrix, row by row. */
  readonly 2: number[][];
  /** Three dimensions. */
  readonly 3: number[][][];
  /** Four dimensions. */
  readonly 4: number[][][][];
  /** Five dimensions. */
  readonly 5: number[][][][][];
  /** Six dimensions. */
  readonly 6: number[][][][][][];
}

/** A number of dimensions that types know. */
export type Rank = keyof NestedByRank;

/** Numbers nested `R` deep; where `R` is not known, numbers or booleans nested to any depth. */
export type NestedNumbers<R extends number> = R extends Rank ? NestedByRank[R] : NestedArray;

/** One dimension less, and one more. */
type Less<R extends number> = R extends Rank ? [number, 0, 1, 2, 3, 4, 5][R] : number;
/** One dimension more. */
export type More<R extends number> = R extends Rank ? [1, 2, 3, 4, 5, 6, number][R] : number;

/** The methods whose result has as many dimensions as the tensor, whatever they are given. */
type KeepsRank =
  | ("abs" | "neg" | "sign" | "square" | "exp" | "expm1" | "exp2" | "log" | "log2" | "log10")
  | ("log1p" | "sqrt" | "rsqrt" | "reciprocal" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan")
  | ("sinh" | "cosh" | "tanh" | "asinh" | "acosh" | "atanh" | "erf" | "erfc" | "logit" | "nanToNum")
  | ("sigmoid" | "relu" | "floor" | "ceil" | "round" | "frac" | "trunc" | "detach" | "float")
  | ("double" | "half" | "int" | "long" | "t" | "transpose" | "permute" | "movedim" | "flip")
  | ("fliplr" | "flipud" | "roll" | "tril" | "triu" | "slice" | "narrow" | "sliceAssign")
  | ("indexSelect" | "indexCopy" | "indexAdd" | "indexFill" | "gather" | "scatter" | "scatterAdd")
  | ("scatterReduce" | "cumsum" | "cumprod" | "softmax" | "logSoftmax" | "diff" | "argsort");
/** Methods that keep the rank beside a number or a tensor of no higher rank. */
type Binary = "add" | "sub" | "mul" | "div" | "floorDivide" | "remainder" | "fmod" | "pow";
/** Those of them that choose one of two elements. */
type Extremes = "maximum" | "minimum";
/** Methods that leave one dimension less, or none. */
type Reduction = "sum" | "mean" | "prod" | "amax" | "amin" | "logsumexp" | "nansum" | "nanmean";

/**
 * Arguments after the first.
 * @typeParam F - The method.
 */
type Rest<F extends (...args: never[]) => unknown> =
  Parameters<F> extends [unknown?, ...infer Others] ? Others : never;

/** What a reduction leaves: nothing but a number, one dimension less, or dimensions of size 1. */
interface Reduces<R extends Rank, Options> {
  (): RankedTensor<0>;
  (options: Options & { readonly dim: number; readonly keepdim?: false }): OfRank<Less<R>>;
  (options: Options & { readonly keepdim: true }): RankedTensor<R>;
}

/** As {@link Reduces}, with the dimension as an argument. */
interface ReducesDim<R extends Rank> {
  (): RankedTensor<0>;
  (dim: number, keepdim?: false): OfRank<Less<R>>;
  (dim: number, keepdim: true): RankedTensor<R>;
}

declare const RANK: unique symbol;

/** What {@link RankedTensor} says beside what a tensor is. */
interface RankedMethods<R extends Rank> {
  /** @internal For the compiler alone: no tensor has it. */
  readonly [RANK]: R;
  /** The transpose of the last two dimensions. */
  readonly mT: RankedTensor<R>;
  /** The elements as nested arrays of numbers. */
  toArray(): Promise<NestedNumbers<R>>;
  /** The values in another element type. */
  to<D extends DType>(dtype: D): D extends "bool" ? Tensor : RankedTensor<R>;
  /** The values limited to [min, max]. */
  clamp(limits: { readonly min?: number; readonly max?: number }): RankedTensor<R>;
  /** The product with a matrix. */
  matmul(other: RankedTensor<2>): RankedTensor<R>;
  /** The slice at one index of `dim`, without that dimension. */
  select(dim: number, index: number): OfRank<Less<R>>;
  /** With a new dimension of size 1 at `dim`. */
  unsqueeze(dim: number): OfRank<More<R>>;
  /** Pieces along `dim`. */
  split(sizes: number | readonly number[], dim?: number): RankedTensor<R>[];
  /** At most `chunks` pieces of equal size along `dim`. */
  chunk(chunks: number, dim?: number): RankedTensor<R>[];
  /** The slices along `dim`, each without it. */
  unbind(dim?: number): OfRank<Less<R>>[];
  /** The variance. */
  readonly var: Reduces<R, VarianceOptions>;
  /** The standard deviation. */
  readonly std: Reduces<R, VarianceOptions>;
  /** The index of the first largest element. */
  readonly argmax: ReducesDim<R>;
  /** The index of the first smallest element. */
  readonly argmin: ReducesDim<R>;
}

/**
 * A tensor of numbers with `R` dimensions, as the compiler can tell: made from nested
 * arrays, or from those by operations that leave no doubt; token ids and generated texts are such. `toArray` of it is
 * typed: `number[][]` with two dimensions. It is a {@link Tensor} like any other; where a variable is
 * to hold others too, declare it as `Tensor`.
 *
 * @example
 * ```ts
 * import { tensor } from "tsvene";
 * const x = tensor([[1, 2], [3, 4]]);
 * const rows: number[][] = await x.mul(2).toArray();
 * const [first = 0] = await x.mean({ dim: 0 }).toArray();
 * console.log(rows.length, first.toFixed(1));
 * ```
 */
export type RankedTensor<R extends Rank> = RankedMethods<R> & {
  readonly [K in KeepsRank]: (...args: Parameters<Tensor[K]>) => RankedTensor<R>;
} & {
  readonly [K in Binary | Extremes]: (
    other: number | RankedTensor<R> | RankedTensor<0>,
    ...rest: Rest<Tensor[K]>
  ) => RankedTensor<R>;
} & { readonly [K in Reduction]: Reduces<R, ReduceOptions> } & Tensor;

/** A tensor of `R` dimensions, or of any number where `R` is only known to be a number. */
export type OfRank<R extends number> = number extends R
  ? Tensor
  : R extends Rank
    ? RankedTensor<R>
    : Tensor;

/** A tensor of a shape and an element type: with a rank if its elements are numbers. */
export type OfShape<S extends Shape, D extends DType = "float32"> = "bool" extends D
  ? Tensor
  : OfRank<S["length"]>;

/** How deep numbers are nested; that of a lone one is left open, as sums begin with such. */
type DepthOf<V> = V extends readonly number[]
  ? 1
  : V extends readonly (readonly number[])[]
    ? 2
    : V extends readonly (readonly (readonly number[])[])[]
      ? 3
      : V extends readonly (readonly (readonly (readonly number[])[])[])[]
        ? 4
        : number;

/** The tensor of nested numbers; a shape or booleans leave its dimensions open. */
export type OfValues<V, D extends DType, S> = "bool" extends D
  ? Tensor
  : S extends Shape
    ? OfRank<S["length"]>
    : OfRank<DepthOf<V>>;
