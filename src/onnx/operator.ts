import { nodeLabel } from "../formats/onnx/graphs-of.ts";
import type { FileGraph, FileNode } from "../formats/onnx/onnx-content.ts";
import { fail } from "../nn/errors.ts";
import type { DType } from "../tensor/dtype.ts";
import { normalizeDim, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type AttributeKinds, type AttributesOf, attributesOf } from "./attributes.ts";
import { Host, knownNumbers, lifted, type Value } from "./values.ts";

/** What a result looks like. */
export interface Looks {
  /** Sizes of the dimensions. */
  readonly shape: Shape;
  /** Element type. */
  readonly dtype: DType;
}

/** What surrounds a node while it is translated. */
export interface Surroundings {
  /**
   * Runs a graph of the node's, with values for its inputs.
   * @returns what it gives, in order.
   */
  readonly run: (graph: FileGraph, inputs: readonly Value[]) => Value[];
  /** Has ONNX Runtime compute the node itself; there is no gradient then. */
  readonly native: (
    node: FileNode,
    inputs: readonly (Value | undefined)[],
    results: readonly Looks[],
  ) => Value[];
  /** Takes note that what is traced holds only for the numbers of this value. */
  readonly noteUse: (value: Value) => void;
}

/** A node that is being translated, with what it reads. */
export class Call {
  readonly node: FileNode;
  readonly inputs: readonly (Value | undefined)[];
  readonly #around: Surroundings;

  constructor(node: FileNode, inputs: readonly (Value | undefined)[], around: Surroundings) {
    this.node = node;
    this.inputs = inputs;
    this.#around = around;
  }

  /** Throws with the node's name. */
  fail(message: string): never {
    return fail("OnnxModel", `the node ${nodeLabel(this.node)} ${message}`);
  }

  /** Whether an input is there. */
  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  /** An input that must be there. */
  value(i: number): Value {
    return this.inputs[i] ?? this.fail(`lacks its input ${i}`);
  }

  /** An input as a tensor. */
  tensor(i: number): Tensor {
    return lifted(this.value(i));
  }

  /** An input as a tensor, if it is there. */
  optional(i: number): Tensor | undefined {
    const value = this.inputs[i];
    return value && lifted(value);
  }

  /** The numbers of an input that must be known before anything is computed, if it is there. */
  numbers(i: number, what: string): readonly number[] | undefined {
    const value = this.inputs[i];
    if (value === undefined) return undefined;
    const numbers = knownNumbers(value);
    if (numbers === undefined) {
      this.fail(
        `takes ${what} from ${JSON.stringify(this.node.inputs[i])}, which is computed of the model's inputs: shapes must ` +
          "follow from the inputs' shapes",
      );
    }
    if (!(value instanceof Host)) this.#around.noteUse(value);
    return numbers;
  }

  /** The numbers of an input that must be there, and known. */
  knownNumbers(i: number, what: string): readonly number[] {
    return this.numbers(i, what) ?? this.fail(`lacks ${what}, its input ${i}`);
  }

  /** A dimension of a rank; negative ones count from the end. */
  dim(axis: number, rank: number): number {
    return normalizeDim(`OnnxModel: the node ${nodeLabel(this.node)}`, axis, rank);
  }

  /** How many of its outputs somebody reads. */
  get outputs(): number {
    return this.node.outputs.length;
  }

  /** Takes note that what is traced holds only for the numbers of this value. */
  noteUse(value: Value): void {
    this.#around.noteUse(value);
  }

  /** Runs one of the node's graphs. */
  run(graph: FileGraph, inputs: readonly Value[]): Value[] {
    return this.#around.run(graph, inputs);
  }

  /** Has ONNX Runtime compute the node itself. */
  native(...results: readonly Looks[]): Value[] {
    return this.#around.native(this.node, this.inputs, results);
  }

  /** A value that stands in the place of others among the inputs. */
  with(inputs: readonly (Value | undefined)[]): Call {
    return new Call(this.node, inputs, this.#around);
  }
}

/** What a node gives: one value, or several in order. */
export type Given = Value | readonly (Value | undefined)[];

/** One operator of ONNX. */
export interface Operator {
  /** All attributes that it has: a node with another one is run by ONNX Runtime. */
  readonly kinds: AttributeKinds;
  /** Translates a node. */
  readonly translate: (call: Call) => Given;
}

/** An operator, by its attributes and what it does with them. */
export function operator<K extends AttributeKinds>(
  kinds: K,
  translate: (call: Call, attributes: AttributesOf<K>) => Given,
): Operator {
  return { kinds, translate: (call) => translate(call, attributesOf(call.node, kinds)) };
}

/** Operators by name. */
export type Operators = Readonly<Record<string, Operator>>;

/** What a value looks like. */
export const looksOf = ({ shape, dtype }: Value): Looks => ({ shape, dtype });

/** Numbers as a value that is known. */
export function host(numbers: readonly number[], shape?: Shape, dtype?: DType): Host {
  return new Host(numbers, shape, dtype);
}
