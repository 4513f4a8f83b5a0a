import { TensorError } from "../tensor/errors.ts";
import { sameShape, show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { asLeaf } from "./parameter.ts";

/** State of a module that is saved with it but not trained, such as running statistics. */
export class Buffer {
  /** Whether checkpoints hold it. */
  readonly persistent: boolean;
  #value: Tensor;

  constructor(value: Tensor, { persistent = true }: { readonly persistent?: boolean } = {}) {
    this.#value = asLeaf(value, false);
    this.persistent = persistent;
  }

  /** The tensor that it holds. */
  get value(): Tensor {
    return this.#value;
  }

  /** The same as `value`: buffers are kept in the type that they are computed with. */
  get stored(): Tensor {
    return this.#value;
  }

  /** Takes another value of the same shape and dtype. */
  set(value: Tensor): void {
    if (!sameShape(value.shape, this.#value.shape) || value.dtype !== this.#value.dtype) {
      throw new TensorError(
        `Buffer.set: expected ${this.#value.dtype} ${show(this.#value.shape)}, ` +
          `got ${value.dtype} ${show(value.shape)}`,
      );
    }
    this.#value.lasting = false;
    this.#value = asLeaf(value, false);
  }
}
