import type { DType } from "../../tensor/dtype.ts";
import type { OnnxElementType } from "./element-types.ts";

/** Element types that a program's values can have. */
export type OnnxDType = DType | "uint16";

/** Contents that travel with the model, as raw little-endian bytes. */
export interface OnnxTensor {
  /** Name by which nodes refer to it; needed for initializers, not for attributes. */
  readonly name?: string;
  /** Element type. */
  readonly dtype: OnnxElementType;
  /** Sizes of the dimensions. */
  readonly dims: readonly number[];
  /** Row-major little-endian bytes. */
  readonly data: Uint8Array;
}

/** An initializer whose bytes are in another file, so that a model may pass 2 GiB. */
export interface OnnxExternalTensor {
  /** Name by which nodes refer to it. */
  readonly name: string;
  /** Element type. */
  readonly dtype: OnnxElementType;
  /** Sizes of the dimensions. */
  readonly dims: readonly number[];
  /** Where its bytes are. */
  readonly external: {
    /** Name of the file, as in the session option `externalData`. */
    readonly location: string;
    /** Bytes from the start of the file. */
    readonly offset: number;
    /** Length in bytes. */
    readonly length: number;
  };
}

/** Numbers and texts as an attribute. ONNX tells integers from floats, which a JavaScript number cannot. */
export type OnnxPlainAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] };

/** One attribute of a node. */
export type OnnxAttribute =
  OnnxPlainAttribute | { readonly tensor: OnnxTensor } | { readonly graph: OnnxGraph };

/** An integer as an attribute. */
export const int = (value: number): { readonly int: number } => ({ int: value });

/** A switch as an attribute, which ONNX writes as an integer. */
export const flag = (value: boolean): { readonly int: number } => int(value ? 1 : 0);

export type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

/** A node of a graph. */
export interface OnnxNode {
  /** The operator, such as "Conv". */
  readonly op: string;
  /** What messages call it. @default nothing */
  readonly name?: string;
  /** @default "" which is ONNX itself; `"com.microsoft"` holds ONNX Runtime's own operators. */
  readonly domain?: string;
  /** An empty name leaves an optional input out. */
  readonly inputs: readonly string[];
  /** Names of the values that it makes. */
  readonly outputs: readonly string[];
  /** @default none */
  readonly attributes?: OnnxAttributes;
}

/**
 * An input or output of a graph. Say nothing of its shape when sizes vary: ONNX Runtime takes time
 * in the square of the number of nodes to plan memory for values of known rank and unnamed sizes
 * (1,000 element-wise nodes: 220 ms instead of 27), and gains nothing by the rank.
 */
export interface OnnxValue {
  /** Its name. */
  readonly name: string;
  /** Element type. */
  readonly dtype: OnnxElementType;
  /** Whether nothing is said of it, its element type included. @default false */
  readonly untyped?: boolean;
  /** Number of dimensions, all of unknown size. @default not said */
  readonly rank?: number;
  /** Sizes, instead of `rank`: a number is fixed, a string a name for an unknown size. */
  readonly dims?: readonly (number | string)[];
}

/** A graph: the model's, or one that a node runs. */
export interface OnnxGraph {
  /** Its name. */
  readonly name: string;
  /** Its nodes, each after those that it reads. */
  readonly nodes: readonly OnnxNode[];
  /** What is given to it. */
  readonly inputs: readonly OnnxValue[];
  /** What it gives. */
  readonly outputs: readonly OnnxValue[];
  /** @default none */
  readonly initializers?: readonly (OnnxTensor | OnnxExternalTensor)[];
}
