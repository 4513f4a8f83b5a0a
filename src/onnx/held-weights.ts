import { Module } from "../nn/module.ts";
import { Buffer } from "../nn/buffer.ts";
import { Parameter } from "../nn/parameter.ts";
import type { FileTensor } from "../formats/onnx/onnx-content.ts";
import { isFloat } from "../tensor/dtype.ts";
import { numel } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Host, knownNumbers, type Value } from "./values.ts";

/** Numbers of a tensor of whole numbers that is taken for a shape, an index or the like. */
const MOST_KNOWN = 1024;

/** Larger ones of float32 are inputs of programs, which hold them twice only where that pays. */
const MOST_WRITTEN = 4096;

/** The tensors of a file by its names, as a module has them: floats can be trained, but are frozen at first. */
export class Weights extends Module {
  override forward(): never {
    throw new Error("the weights of a model compute nothing by themselves");
  }
}

/** One tensor of a file. */
export class HeldWeight {
  /** Its name in the file. */
  readonly name: string;
  /** As the file has it. */
  readonly file: FileTensor;
  /** Where its value is kept. */
  readonly holder: Parameter | Buffer;
  readonly #first: Tensor;
  readonly #known: Host | undefined;

  constructor(file: FileTensor, tensor: Tensor) {
    this.name = file.name;
    this.file = file;
    this.holder = isFloat(tensor.dtype)
      ? new Parameter(tensor, { requiresGrad: false, name: file.name })
      : new Buffer(tensor);
    this.#first = this.holder.stored;
    const isKnown = !isFloat(tensor.dtype) && numel(tensor.shape) <= MOST_KNOWN;
    const numbers = isKnown ? knownNumbers(tensor) : undefined;
    this.#known = numbers && new Host(numbers, tensor.shape, tensor.dtype);
  }

  /** Whether it was set to another value than the file's. */
  get isMoved(): boolean {
    return this.holder.stored.values !== this.#first.values;
  }

  /** Whether a gradient is wanted of it. */
  get requiresGrad(): boolean {
    return this.holder instanceof Parameter && this.holder.requiresGrad;
  }

  /** Whether programs have it written down in them, rather than as an input. */
  get isWritten(): boolean {
    const { dtype, shape } = this.holder.stored;
    if (this.isMoved || this.requiresGrad) return false;
    return dtype !== "float32" || numel(shape) <= MOST_WRITTEN;
  }

  /** Its value, known numbers as such. */
  get value(): Value {
    if (this.#known !== undefined && !this.isMoved) return this.#known;
    return this.tensor;
  }

  /** Its value in the element type of the file. */
  get tensor(): Tensor {
    const { holder } = this;
    const isHalf = holder.stored.dtype !== holder.value.dtype;
    return isHalf && !this.requiresGrad ? holder.stored : holder.value;
  }
}

/** Makes a module of weights; a name that modules have for themselves gets an underscore. */
export function weightsModule(held: Iterable<HeldWeight>): Weights {
  const weights = new Weights();
  for (const { name, holder } of held) {
    let own = name;
    while (own in weights) own += "_";
    Object.defineProperty(weights, own, { value: holder, enumerable: true });
  }
  return weights;
}
