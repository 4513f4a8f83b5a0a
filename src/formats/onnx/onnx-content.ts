import type { OnnxElementType } from "../../runtime/onnx/element-types.ts";
import type { OnnxPlainAttribute } from "../../runtime/onnx/model.ts";

/** Where the bytes of a tensor are that lie in another file. */
export interface ExternalPlace {
  /** Path of the file, from the folder of the model. */
  readonly location: string;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  /** How many bytes. */
  readonly length: number;
}

/** A tensor of a file; its numbers are read when they are asked for. */
export interface FileTensor {
  /** Name, which a tensor that is an attribute need not have. */
  readonly name: string;
  /** Element type. */
  readonly dtype: OnnxElementType;
  /** Sizes of the dimensions. */
  readonly dims: readonly number[];
  /** Row-major little-endian bytes, where they lie in the model's own file. */
  readonly bytes: (() => Uint8Array) | undefined;
  /** Where they lie otherwise. */
  readonly external: ExternalPlace | undefined;
  /** The texts of a tensor of texts. */
  readonly texts: readonly string[] | undefined;
}

/** An attribute of a node, by its kind. */
export type FileAttribute =
  | OnnxPlainAttribute
  | { readonly tensor: FileTensor }
  | { readonly graph: FileGraph }
  /** In the body of a function: the attribute of the node that calls it. */
  | { readonly reference: string }
  /** Tensors that are mostly zero, types, and lists of graphs: no operator of a model needs them. */
  | { readonly other: string };

/** A node of a graph. */
export interface FileNode {
  /** Its own name, or "". */
  readonly name: string;
  /** The operator, such as "Conv". */
  readonly op: string;
  /** Whose operator it is: "" of ONNX itself. */
  readonly domain: string;
  /** Tells operators of one name apart. */
  readonly overload: string;
  /** Names of the values that it reads; "" for one that is left out. */
  readonly inputs: readonly string[];
  /** Names of the values that it makes; "" for one that nobody reads. */
  readonly outputs: readonly string[];
  /** Its attributes by name. */
  readonly attributes: ReadonlyMap<string, FileAttribute>;
}

/** What a file says of a value. */
export interface FileValue {
  /** Its name. */
  readonly name: string;
  /** Element type; undefined where nothing is said, or the value is no tensor. */
  readonly dtype: OnnxElementType | undefined;
  /** Sizes, or names of sizes, or "" where nothing is said; undefined where even their number is open. */
  readonly dims: readonly (number | string)[] | undefined;
  /** Whether it is a list of tensors, a table or the like. */
  readonly isOther: boolean;
}

/** A graph of nodes, in the order in which they run. */
export interface FileGraph {
  /** Its name. */
  readonly name: string;
  /** The nodes, each after those that it reads. */
  readonly nodes: readonly FileNode[];
  /** Tensors that the file holds. */
  readonly initializers: readonly FileTensor[];
  /** What is given to it. */
  readonly inputs: readonly FileValue[];
  /** What it gives. */
  readonly outputs: readonly FileValue[];
  /** What is said of other values. */
  readonly values: readonly FileValue[];
}

/** An operator that a file defines by others. */
export interface FileFunction {
  /** Its name. */
  readonly name: string;
  /** Its domain. */
  readonly domain: string;
  /** Tells functions of one name apart. */
  readonly overload: string;
  /** Names of its inputs. */
  readonly inputs: readonly string[];
  /** Names of its outputs. */
  readonly outputs: readonly string[];
  /** Attributes that a call may give, and what they are where it does not. */
  readonly defaults: ReadonlyMap<string, FileAttribute>;
  /** Version of the operators of each domain in its body. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Its body. */
  readonly nodes: readonly FileNode[];
}

/** What an ONNX file holds. */
export interface FileModel {
  /** Version of the format. */
  readonly irVersion: number;
  /** What wrote it, such as "pytorch". */
  readonly producer: string;
  /** That one's version. */
  readonly producerVersion: string;
  /** Version of the operators of each domain, "" being ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Whatever the writer noted, by name. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Its text about the model. */
  readonly description: string;
  /** What it computes. */
  readonly graph: FileGraph;
  /** Operators of its own. */
  readonly functions: readonly FileFunction[];
}
