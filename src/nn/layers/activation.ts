import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";

/** An elementwise function as a module, so that its input and output are sites. */
export class Activation extends Module {
  readonly #name: string;
  readonly #apply: (x: Tensor) => Tensor;

  constructor(name: string, apply: (x: Tensor) => Tensor) {
    super();
    this.#name = name;
    this.#apply = apply;
  }

  /** The function of each element, in the shape of `x`. */
  override forward(x: Tensor): Tensor {
    return this.#apply(x);
  }

  override describe(): string {
    return this.#name;
  }
}
