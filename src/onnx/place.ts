import { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Which dimensions of a value are its rows and positions. */
export interface PlaceAxes {
  /** The dimension that has the texts, images or other examples. @default 0 */
  readonly rows?: number;
  /** The dimension that locations count. @default the first of the others */
  readonly positions?: number;
}

/** A value of an ONNX file, by its name there, as a module that interventions find. */
export class OnnxPlace extends Module {
  /** Its name in the file. */
  readonly name: string;
  readonly #axes: PlaceAxes;

  constructor(name: string, axes: PlaceAxes = {}) {
    super();
    this.name = name;
    this.#axes = axes;
  }

  override forward(value: Tensor): Tensor {
    return value;
  }

  /** Passes a value on to whoever reads or edits it, with rows first and then positions. */
  pass(value: Tensor): Tensor {
    const order = this.#order(value.ndim);
    if (order.every((dim, i) => dim === i)) return this.forward(value);
    const back = order.map((_, i) => order.indexOf(i));
    return this.forward(value.permute(order)).permute(back);
  }

  #order(rank: number): readonly number[] {
    const { rows = 0, positions } = this.#axes;
    const dims = Array.from({ length: rank }, (_, d) => d);
    const first = dims.at(rows);
    const second = positions === undefined ? undefined : dims.at(positions);
    const named = [first, second].filter((d) => d !== undefined);
    return [...new Set([...named, ...dims])];
  }

  override describe(): string {
    return JSON.stringify(this.name);
  }
}
