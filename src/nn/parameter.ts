import { leaf } from "../tensor/apply.ts";
import { type DType, isFloat } from "../tensor/dtype.ts";
import { fail } from "../tensor/errors.ts";
import { NONE } from "../tensor/ops.ts";
import { printedAsText } from "../tensor/printed-as-text.ts";
import { sameShape, type Shape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** Options of {@link Parameter}. */
export interface ParameterOptions {
  /** Whether it is trained. @default true for floating-point tensors, false for others */
  readonly requiresGrad?: boolean;
  /** What messages call it; modules give the dotted path. */
  readonly name?: string;
}

/** The same values (or the way to them) as a tensor of its own, where gradients end. */
export function asLeaf(value: Tensor, requiresGrad: boolean): Tensor {
  const { shape, dtype, values } = value;
  if (values !== undefined) return leaf(values, shape, dtype, requiresGrad);
  const origin = {
    op: "detach" as const,
    inputs: [value],
    attributes: NONE,
    sizes: [],
    keep: true as const,
  };
  return new Tensor({ shape, dtype, requiresGrad, origin });
}

/**
 * A place for a tensor that is learned: the tensor in it never changes, but another one, of the same
 * shape and dtype, can take its place. What was traced with the old one keeps it.
 *
 * Gradients are asked for with respect to `value`: `grad(loss, [p.value])`.
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
  #value: Tensor;
  #requiresGrad: boolean;

  /**
   * @param value - Evaluated or lazy; a lazy one is computed with whatever first needs it.
   * @throws TensorError when gradients are wanted of a tensor that is not floating-point.
   */
  constructor(value: Tensor, options: ParameterOptions = {}) {
    this.#requiresGrad = options.requiresGrad ?? isFloat(value.dtype);
    this.name = options.name;
    checkTrainable(value.dtype, this.#requiresGrad);
    this.#value = asLeaf(value, this.#requiresGrad);
  }

  /** The tensor as it stands; has `requiresGrad` when this parameter has. */
  get value(): Tensor {
    return this.#value;
  }

  /** Whether it is trained: set it to false to freeze the parameter. What is traced stays as it is. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }
  set requiresGrad(wanted: boolean) {
    checkTrainable(this.dtype, wanted);
    if (wanted === this.#requiresGrad) return;
    this.#requiresGrad = wanted;
    this.#value = asLeaf(this.#value, wanted);
  }

  get shape(): Shape {
    return this.#value.shape;
  }

  get dtype(): DType {
    return this.#value.dtype;
  }

  /** Number of elements. */
  get numel(): number {
    return this.#value.numel;
  }

  /**
   * Puts another tensor in: its values only, whatever it was computed from gets no gradient.
   * @throws TensorError when the shape or the dtype is another.
   */
  set(value: Tensor): void {
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype) {
      fail(
        "Parameter.set",
        `${this.name ?? "the parameter"} is ${this.dtype} ${show(this.shape)}, ` +
          `got ${value.dtype} ${show(value.shape)}; reshape() or to() the tensor first`,
      );
    }
    this.#value = asLeaf(value, this.#requiresGrad);
  }

  /** Reads like PyTorch's print. */
  toString(): string {
    return `Parameter containing:\n${this.#value.toString()}`;
  }
}

printedAsText(Parameter.prototype);

function checkTrainable(dtype: DType, wanted: boolean): void {
  if (!wanted || isFloat(dtype)) return;
  fail("Parameter", `a tensor of ${dtype} has no gradient; give { requiresGrad: false }`);
}
