import { shown } from "../base/describe-value.ts";
import { cast } from "../tensor/functions/arithmetic.ts";
import { checkDevice, type Device } from "../tensor/device.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { fail } from "../tensor/errors.ts";
import { printsItself } from "../base/inspect.ts";
import { NONE } from "../tensor/ops/ops.ts";
import { refuseOverflow } from "../tensor/overflow.ts";
import { sameShape, type Shape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Options of {@link Parameter}. */
export interface ParameterOptions {
  /** Whether it is trained. @default true for floating-point tensors, false for others */
  readonly requiresGrad?: boolean;
  /** What messages call it; modules give the dotted path. */
  readonly name?: string;
}

/** Element types that weights can be kept in; 16-bit ones are computed with in float32. */
export type WeightDType = "float32" | "float16" | "bfloat16";

const WEIGHT_DTYPES: readonly string[] = ["float32", "float16", "bfloat16"] satisfies WeightDType[];

/** @throws TensorError unless weights can be kept in the dtype. */
export function checkWeightDType(caller: string, dtype: string): asserts dtype is WeightDType {
  if (WEIGHT_DTYPES.includes(dtype)) return;
  fail(caller, `dtype ${shown(dtype)} is not known; use ${WEIGHT_DTYPES.join(", ")}`);
}

function isHalf(dtype: DType): boolean {
  return dtype === "float16" || dtype === "bfloat16";
}

/** The same values (or the way to them) as a tensor of its own, where gradients end. */
export function asLeaf(value: Tensor, requiresGrad: boolean, device?: Device): Tensor {
  const own = copied(value, requiresGrad, device ?? value.device);
  own.lasting = true;
  return own;
}

function copied(value: Tensor, requiresGrad: boolean, device = value.device): Tensor {
  const { shape, dtype, values } = value;
  if (values !== undefined) return new Tensor({ shape, dtype, requiresGrad, values, device });
  const origin = {
    op: "detach" as const,
    inputs: [value],
    attributes: NONE,
    sizes: [],
    keep: true as const,
  };
  return new Tensor({ shape, dtype, requiresGrad, origin, device });
}

/**
 * A place for a tensor that is learned: the tensor in it never changes, but another one, of the same
 * shape and dtype, can take its place. What was traced with the old one keeps it.
 *
 * Gradients are asked for with respect to `value`: `grad(loss, [p.value])`.
 *
 * It may be kept in 16 bits (`stored`), for half the memory: `value` is then the same numbers in
 * float32, widened in the program that needs them and not held.
 *
 * @example
 * ```ts
 * import { grad, Parameter, tensor } from "tsvene";
 * const w = new Parameter(tensor([1, 2]));
 * const [g] = grad(w.value.square().sum(), [w.value]);
 * w.set(w.value.sub(g.mul(0.1)));
 * console.log(await w.value.toArray()); // [0.8, 1.6]
 * ```
 */
export class Parameter {
  /** What messages call it. */
  name: string | undefined;
  #stored: Tensor;
  #widened: WeakRef<Tensor> | undefined;
  #requiresGrad: boolean;
  #device: Device | undefined;

  /**
   * @param value - Evaluated or lazy; a lazy one is computed with whatever first needs it.
   * @throws TensorError when gradients are wanted of a tensor that is not floating-point.
   */
  constructor(value: Tensor, options: ParameterOptions = {}) {
    this.#requiresGrad = options.requiresGrad ?? isFloat(value.dtype);
    this.name = options.name;
    checkTrainable(value.dtype, this.#requiresGrad);
    this.#stored = this.#kept(value);
  }

  /**
   * The current tensor, as computations see it: 16-bit floats in float32. Has `requiresGrad`
   * when this parameter has.
   */
  get value(): Tensor {
    if (!isHalf(this.#stored.dtype)) return this.#stored;
    const known = this.#widened?.deref();
    if (known !== undefined) return known;
    const value = widened(this.#stored, this.#requiresGrad);
    // Held weakly: whoever reads its numbers would otherwise leave a second copy here.
    this.#widened = new WeakRef(value);
    return value;
  }

  /** The tensor as it is kept in memory and written to checkpoints, without gradient in 16 bits. */
  get stored(): Tensor {
    return this.#stored;
  }

  /** Whether it is trained: set it to false to freeze the parameter. What is traced stays as it is. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }
  /** Whether an optimiser may change it and gradients are wanted of it. @default true */
  set requiresGrad(wanted: boolean) {
    checkTrainable(this.dtype, wanted);
    if (wanted === this.#requiresGrad) return;
    this.#requiresGrad = wanted;
    this.#replace(this.#stored);
  }

  /** Sizes of the dimensions, which never change. */
  get shape(): Shape {
    return this.#stored.shape;
  }

  /** Element type of `value`. */
  get dtype(): DType {
    return isHalf(this.#stored.dtype) ? "float32" : this.#stored.dtype;
  }

  /** Number of elements. */
  get numel(): number {
    return this.#stored.numel;
  }

  /**
   * Puts another tensor in: its values only, whatever it was computed from gets no gradient. Where
   * this parameter is kept in 16 bits, it is rounded to those.
   * @throws TensorError when the shape or the dtype is another, and for numbers that are known and too
   * large for 16 bits.
   */
  set(value: Tensor): void {
    const fits = value.dtype === this.dtype || value.dtype === this.#stored.dtype;
    if (!sameShape(value.shape, this.shape) || !fits) {
      fail(
        "Parameter.set",
        `${this.name ?? "the parameter"} is ${this.dtype} ${show(this.shape)}, ` +
          `got ${value.dtype} ${show(value.shape)}; reshape() or to() the tensor first`,
      );
    }
    if (value.device !== undefined && value.device !== (this.#device ?? value.device)) {
      fail(
        "Parameter.set",
        `${this.name ?? "the parameter"} lives on ${this.#device}, and the value on ${value.device}`,
      );
    }
    this.#replace(this.#narrowed("Parameter.set", value, this.#stored.dtype));
  }

  /** The device that it was put on; undefined for the one that the runtime computes on. */
  get device(): Device | undefined {
    return this.#device;
  }

  /**
   * Puts it on a device, where from now on all is computed that it takes part in. What was traced with it
   * before stays where it was.
   *
   * @throws TensorError for a value that is still to be computed on another device.
   */
  moveTo(device: Device): void {
    checkDevice("Parameter.moveTo", device);
    const { values, device: from } = this.#stored;
    if (values === undefined && from !== undefined && from !== device) {
      const name = this.name ?? "the parameter";
      fail("Parameter.moveTo", `${name} is still to be computed on ${from}; evaluate it first`);
    }
    this.#device = device;
    this.#replace(this.#stored);
  }

  /** Reads like PyTorch's print: the values as they are kept. */
  toString(): string {
    return `Parameter containing:\n${copied(this.#stored, this.#requiresGrad).toString()}`;
  }

  /**
   * Keeps the values in another element type from now on, rounded to nearest; integers stay as they
   * are. It holds for this parameter as such: `value` of a 16-bit one is float32.
   *
   * @throws TensorError for a number that is known and too large for the element type.
   */
  keepIn(dtype: WeightDType): void {
    checkWeightDType("Parameter.keepIn", dtype);
    if (isFloat(this.dtype) && dtype !== this.#stored.dtype) {
      this.#replace(this.#narrowed("Parameter.keepIn", this.#stored, dtype));
    }
  }

  /** @throws TensorError for a number that the element type cannot hold, as far as they are known. */
  #narrowed(caller: string, value: Tensor, to: DType): Tensor {
    const { values, dtype } = value;
    const name = this.name ?? "the parameter";
    if (values !== undefined) refuseOverflow(caller, name, { values, dtype, to });
    return cast(value, to);
  }

  #replace(stored: Tensor): void {
    this.#stored.lasting = false;
    this.#stored = this.#kept(stored);
    this.#widened = undefined;
  }

  #kept(value: Tensor): Tensor {
    return asLeaf(value, this.#requiresGrad && !isHalf(value.dtype), this.#device);
  }
}

/** 16-bit values in float32, computed again by each program: a leaf as far as gradients go. */
function widened(stored: Tensor, requiresGrad: boolean): Tensor {
  const inputs = [cast(stored, "float32")];
  const origin = { op: "detach" as const, inputs, attributes: NONE, sizes: [] };
  return new Tensor({ shape: stored.shape, dtype: "float32", requiresGrad, origin });
}

printsItself(Parameter.prototype);

function checkTrainable(dtype: DType, wanted: boolean): void {
  if (!wanted || isFloat(dtype)) return;
  fail("Parameter", `a tensor of ${dtype} has no gradient; give { requiresGrad: false }`);
}
