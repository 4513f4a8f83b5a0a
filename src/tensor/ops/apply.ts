import type { Device } from "../device.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { isFloat, requireFit } from "../dtype.ts";
import { internal } from "../../base/errors.ts";
import { fail } from "../errors.ts";
import { toBFloat16, toFloat16 } from "../half.ts";
import type { OpName, Ops } from "./ops.ts";
import type { Signature } from "./rule.ts";
import { rules } from "./rules.ts";
import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { traits } from "./traits.ts";

/** How a tensor comes about: an operation on other tensors. */
export interface Origin<K extends OpName = OpName> {
  /** Its name in the list of operations. */
  readonly op: K;
  /** The tensors that it reads. */
  readonly inputs: readonly Tensor[];
  /** What is part of a program's signature. */
  readonly attributes: Ops[K];
  /** Shapes, bounds and counts: inputs of the program, not part of its signature. */
  readonly sizes: readonly (readonly number[])[];
  /** Whether the tensor keeps its values as soon as some program computes them, as parameters do. */
  readonly keep?: true;
}

/** What a tensor is made from: an origin (lazy), values (a leaf), or both. */
export interface Content {
  /** Sizes of the dimensions. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DType;
  /** Whether it depends on something that a gradient is wanted of. */
  readonly requiresGrad: boolean;
  /** The operation that computes it; undefined for given values. */
  readonly origin?: Origin;
  /** The elements, where they are known. */
  readonly values?: TypedArray | undefined;
  /** The device that it lives on. @default that of the operation's operands */
  readonly device?: Device | undefined;
}

let construct: (content: Content) => Tensor = () => internal("apply.ts used before tensor.ts");

/** Called once by tensor.ts; keeps the operations free of a cyclic import. */
export function provideConstructor(constructor: (content: Content) => Tensor): void {
  construct = constructor;
}

const NO_SIZES: readonly (readonly number[])[] = [];

/**
 * Records an operation: checks its operands by the shape rule and returns its lazy result.
 * Operands must already be of the dtype that the operation computes in.
 */
export function apply<K extends OpName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: Ops[K],
  sizes: readonly (readonly number[])[] = NO_SIZES,
): Tensor {
  const result = recorded(op, inputs, attributes, sizes, undefined);
  if ((isStorage(result) || inputs.some(isStorage)) && traits[op].does === "computes") {
    fail(op, 'bfloat16 is for storage only; compute in float32, with to("float32") first');
  }
  return result;
}

const isStorage = ({ dtype }: Tensor): boolean => dtype === "bfloat16";

/**
 * An operation's result whose values are known already, so that it is never computed; gradients
 * flow through it as through any other.
 */
export function held<K extends OpName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: Ops[K],
  values: TypedArray,
): Tensor {
  return recorded(op, inputs, attributes, NO_SIZES, values);
}

function recorded<K extends OpName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: Ops[K],
  sizes: readonly (readonly number[])[],
  values: TypedArray | undefined,
): Tensor {
  const rule = rules[op] as (
    inputs: readonly Tensor[],
    attributes: Ops[K],
    sizes: readonly (readonly number[])[],
  ) => Signature;
  const { shape, dtype } = rule(inputs, attributes, sizes);
  let requiresGrad = false;
  if (traits[op].gradient === "flows" && isFloat(dtype)) {
    for (const t of inputs) requiresGrad ||= t.requiresGrad;
  }
  const origin = { op, inputs, attributes, sizes };
  return construct({ shape, dtype, requiresGrad, origin, values });
}

/** A tensor that holds `values`; with an `origin`, gradients flow to that operation's inputs. */
export function leaf(values: TypedArray, shape: Shape, dtype: DType, requiresGrad = false): Tensor {
  return construct({ shape, dtype, requiresGrad, values });
}

/** A 0-d tensor of data: an input of the program, so that a changed number compiles nothing. */
export function scalar(value: number, dtype: DType): Tensor {
  return leaf(encodeNumbers([value], dtype), [], dtype);
}

/**
 * Numbers as host values of a dtype; integers are cut towards zero.
 * @throws TensorError for what an integer type cannot hold: NaN, infinities, numbers out of range.
 */
export function encodeNumbers(numbers: readonly number[], dtype: DType): TypedArray {
  requireFit("tensor", numbers, dtype);
  switch (dtype) {
    case "float32":
      return Float32Array.from(numbers);
    case "float64":
      return Float64Array.from(numbers);
    case "int64":
      return BigInt64Array.from(numbers, (n) => BigInt(Math.trunc(n)));
    case "int32":
      return Int32Array.from(numbers);
    case "uint8":
      return Uint8Array.from(numbers);
    case "int8":
      return Int8Array.from(numbers);
    case "bool":
      return Uint8Array.from(numbers, (n) => (n === 0 ? 0 : 1));
    case "float16":
    case "bfloat16":
      return Uint16Array.from(numbers, dtype === "float16" ? toFloat16 : toBFloat16);
  }
}
