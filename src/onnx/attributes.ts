import { nodeLabel } from "../formats/onnx/graphs-of.ts";
import type {
  FileAttribute,
  FileGraph,
  FileNode,
  FileTensor,
} from "../formats/onnx/onnx-content.ts";
import { OnnxFileError } from "../formats/onnx/onnx-file-error.ts";

/** What an attribute of an operator is, and what it is where a node does not say it. */
export interface AttributeKind<T> {
  /** What it is in words. */
  readonly wanted: string;
  /** Its value, or undefined for an attribute of another kind. */
  readonly read: (attribute: FileAttribute) => T | undefined;
  /** What holds where it is left out. */
  readonly otherwise: T;
}

/** A whole number. */
export function int<D extends number | undefined>(otherwise: D): AttributeKind<number | D> {
  return { wanted: "a whole number", read: (a) => ("int" in a ? a.int : undefined), otherwise };
}

/** A number. */
export function float<D extends number | undefined>(otherwise: D): AttributeKind<number | D> {
  return { wanted: "a number", read: (a) => ("float" in a ? a.float : undefined), otherwise };
}

/** A text. */
export function text(otherwise: string): AttributeKind<string> {
  return { wanted: "a text", read: (a) => ("string" in a ? a.string : undefined), otherwise };
}

/** Whole numbers. */
export function ints(): AttributeKind<readonly number[] | undefined> {
  const read = (a: FileAttribute): readonly number[] | undefined =>
    "ints" in a ? a.ints : undefined;
  return { wanted: "whole numbers", read, otherwise: undefined };
}

/** Numbers. */
export function floats(): AttributeKind<readonly number[] | undefined> {
  const read = (a: FileAttribute): readonly number[] | undefined =>
    "floats" in a ? a.floats : undefined;
  return { wanted: "numbers", read, otherwise: undefined };
}

/** Texts. */
export function texts(): AttributeKind<readonly string[] | undefined> {
  const read = (a: FileAttribute): readonly string[] | undefined =>
    "strings" in a ? a.strings : undefined;
  return { wanted: "texts", read, otherwise: undefined };
}

/** A tensor. */
export function tensorValue(): AttributeKind<FileTensor | undefined> {
  const read = (a: FileAttribute): FileTensor | undefined => ("tensor" in a ? a.tensor : undefined);
  return { wanted: "a tensor", read, otherwise: undefined };
}

/** A graph, which the operator runs. */
export function graph(): AttributeKind<FileGraph | undefined> {
  const read = (a: FileAttribute): FileGraph | undefined => ("graph" in a ? a.graph : undefined);
  return { wanted: "a graph", read, otherwise: undefined };
}

/** The attributes of an operator, by name. */
export type AttributeKinds = Readonly<Record<string, AttributeKind<unknown>>>;

/** The values of attributes. */
export type AttributesOf<K extends AttributeKinds> = {
  readonly [N in keyof K]: K[N] extends AttributeKind<infer T> ? T : never;
};

/** Attributes of a node that its operator does not have. */
export function unknownAttributes({ attributes }: FileNode, kinds: AttributeKinds): string[] {
  return [...attributes.keys()].filter((name) => !Object.hasOwn(kinds, name));
}

/**
 * The attributes of a node.
 * @throws OnnxFileError for one of another kind than its operator has.
 */
export function attributesOf<K extends AttributeKinds>(node: FileNode, kinds: K): AttributesOf<K> {
  const entries = Object.entries(kinds).map(([name, kind]) => {
    const given = node.attributes.get(name);
    if (given === undefined) return [name, kind.otherwise] as const;
    const value = kind.read(given);
    if (value !== undefined) return [name, value] as const;
    throw new OnnxFileError(`${nodeLabel(node)}: the attribute ${name} must be ${kind.wanted}`);
  });
  return Object.fromEntries(entries) as AttributesOf<K>;
}
