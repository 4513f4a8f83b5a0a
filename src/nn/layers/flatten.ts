import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";

/** Makes one dimension of those from `start` to `end`; by default all but the first. */
export class Flatten extends Module {
  /** First dimension that is joined; negative from the end. */
  readonly start: number;
  /** Last dimension that is joined; negative from the end. */
  readonly end: number;

  constructor(start = 1, end = -1) {
    super();
    this.start = start;
    this.end = end;
  }

  /** `x` with the dimensions from `start` to `end` as one. */
  override forward(x: Tensor): Tensor {
    return x.flatten(this.start, this.end);
  }

  override describe(): string {
    return `${this.start}, ${this.end}`;
  }
}
