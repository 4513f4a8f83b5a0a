import { commonDevice, type Device } from "./device.ts";
import type { Content, Origin } from "./ops/apply.ts";
import type { DType, TypedArray } from "./dtype.ts";
import { internal } from "../base/errors.ts";
import { fail } from "./errors.ts";
import { evaluate } from "./evaluate.ts";
import { fromBFloat16, fromFloat16 } from "./half.ts";
import { printsItself } from "../base/inspect.ts";
import { format } from "./print.ts";
import { numel, type Shape, show } from "./shape.ts";
import type { NestedNumbers, Rank } from "./ranked.ts";
import type { Tensor } from "./tensor.ts";
import { traits } from "./ops/traits.ts";
import { showNumbers } from "./watched-numbers.ts";

/** Numbers nested as deep as a tensor has dimensions; booleans for `bool`. */
export type NestedArray = number | boolean | NestedArray[];

/** What a tensor is, before its methods: shape, element type, and values or how to get them. */
export abstract class TensorCore {
  /** Sizes of the dimensions; empty for a 0-d tensor. */
  readonly shape: Shape;
  /** Element type, such as `"float32"`. */
  readonly dtype: DType;
  /** Whether it depends on something that a gradient is wanted of. */
  readonly requiresGrad: boolean;
  /**
   * The device that it lives on, as weights do of a model that was loaded with one, and all that is
   * computed from them. Undefined for numbers of the host, which every device reads.
   */
  readonly device: Device | undefined;
  /** @internal The operation that computes it; undefined once its elements are known. */
  origin: Origin | undefined;
  /** @internal The elements in row-major order, once they are known. */
  values: TypedArray | undefined;
  /** @internal Its graph was dropped on evaluation although gradients could have flowed there. */
  severed = false;
  /** @internal Held by a module, until another takes its place: compiled programs may hold it too. */
  lasting = false;

  /** @internal Operations make tensors; {@link tensor} makes one of numbers. */
  constructor({ shape, dtype, requiresGrad, origin, values, device }: Content) {
    if (dtype === undefined) fail("Tensor", "write tensor([[1, 2], [3, 4]]) for one of numbers");
    this.shape = shape;
    this.dtype = dtype;
    this.requiresGrad = requiresGrad;
    this.device = device ?? (origin && commonDevice(origin.op, origin.inputs));
    this.origin = origin;
    this.values = values;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get numel(): number {
    return numel(this.shape);
  }

  /** Size of one dimension, negative from the end. */
  size(dim: number): number {
    const n = this.shape.at(dim);
    if (n === undefined) fail("size", `dim ${dim} is out of range for ${show(this.shape)}`);
    return n;
  }

  /** @internal Takes computed values; from now on this is a leaf and its graph is free. */
  settle(values: TypedArray): void {
    if (values.length !== this.numel) {
      internal(`${values.length} values for a tensor of shape ${show(this.shape)}`);
    }
    const { origin } = this;
    const stops = origin !== undefined && traits[origin.op].gradient === "stops";
    this.severed = this.requiresGrad && !stops;
    this.values = values;
    this.origin = undefined;
  }

  /**
   * The elements in row-major order, computing them if needed. The array belongs to the tensor:
   * do not write to it. `int64` is a `BigInt64Array`, `bool` a `Uint8Array`; 16-bit floats are bit
   * patterns in a `Uint16Array` (use {@link toArray} or `to("float32")` for numbers).
   */
  async data(): Promise<TypedArray> {
    if (this.values === undefined) await evaluate(this as unknown as Tensor);
    const values = this.values ?? internal("evaluation left a tensor without values");
    showNumbers(this, values);
    return values;
  }

  /**
   * The elements as nested arrays of numbers (int64 included), or of booleans. With the number of
   * dimensions, which types then know: `toArray(2)` gives `number[][]`.
   *
   * @throws TensorError for another number of dimensions, or booleans where it is given.
   *
   * @example
   * ```ts
   * import { tensor } from "tsvene";
   * const x = tensor([[1, 2], [3, 4]]);
   * const best: number[] = await x.argmax(-1).toArray(1);
   * console.log(best);
   * ```
   */
  async toArray(): Promise<NestedArray>;
  async toArray<R extends Rank>(rank: R): Promise<NestedNumbers<R>>;
  async toArray(rank?: number): Promise<NestedArray> {
    if (rank !== undefined) requireNumbers(this, rank);
    return nest(toNumbers(await this.data(), this.dtype), this.shape, this.dtype === "bool");
  }

  /** The only element of a tensor that has one. */
  async item(): Promise<number> {
    if (this.numel !== 1) {
      fail("item", `expected a tensor of one element, got shape ${show(this.shape)}`);
    }
    return (
      toNumbers(await this.data(), this.dtype)[0] ?? internal("a tensor of one element has none")
    );
  }

  /**
   * Always an error: its numbers need not be computed yet.
   * @throws TensorError
   */
  toJSON(): never {
    return fail("Tensor", "JSON cannot say a tensor; write await x.toArray() for its numbers");
  }

  /** Reads like PyTorch's print. A tensor that is not evaluated shows its shape only. */
  toString(): string {
    const { values, dtype } = this;
    const numbers = values instanceof BigInt64Array ? values : values && toNumbers(values, dtype);
    return format(numbers, this.shape, dtype, this.requiresGrad);
  }
}

/** Holds a tensor to what `toArray` was told of it. */
function requireNumbers({ shape, dtype }: TensorCore, rank: number): void {
  if (shape.length !== rank) {
    const own = `toArray(${shape.length})`;
    fail("toArray", `expected ${rank} dimensions, got shape ${show(shape)}; write ${own}`);
  }
  if (dtype !== "bool") return;
  fail("toArray", "with a rank it gives numbers, and these are booleans; write int() before it");
}

/** Host values as plain numbers. */
export function toNumbers(values: TypedArray, dtype: DType): ArrayLike<number> {
  if (values instanceof BigInt64Array) return Array.from(values, Number);
  if (dtype === "float16") return Array.from(values as Uint16Array, fromFloat16);
  if (dtype === "bfloat16") return Array.from(values as Uint16Array, fromBFloat16);
  return values;
}

function nest(flat: ArrayLike<number>, shape: Shape, truth: boolean): NestedArray {
  let at = 0;
  const build = (depth: number): NestedArray => {
    if (depth === shape.length) {
      const value = flat[at++] ?? 0;
      return truth ? value !== 0 : value;
    }
    return Array.from({ length: shape[depth] ?? 0 }, () => build(depth + 1));
  };
  return build(0);
}

printsItself(TensorCore.prototype);
