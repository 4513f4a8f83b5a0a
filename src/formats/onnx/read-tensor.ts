import {
  elementBytes,
  elementTypeOf,
  type OnnxElementType,
} from "../../runtime/onnx/element-types.ts";
import { numel, show } from "../../tensor/shape.ts";
import type { ExternalPlace, FileTensor } from "./onnx-content.ts";
import { OnnxFileError } from "./onnx-file-error.ts";
import type { Wire } from "./wire.ts";

/** What was found of a tensor's numbers; one of them holds all. */
interface Parts {
  raw: Uint8Array | undefined;
  /** Of float32 and float64. */
  readonly fixed: Uint8Array[];
  /** Of whole numbers, in protobuf's own form. */
  readonly varints: Uint8Array[];
  readonly texts: string[];
  readonly external: Map<string, string>;
  isExternal: boolean;
}

/** Reads a tensor. */
export function readTensor(wire: Wire): FileTensor {
  const dims: number[] = [];
  let [name, code] = ["", 0];
  const parts: Parts = {
    raw: undefined,
    fixed: [],
    varints: [],
    texts: [],
    external: new Map(),
    isExternal: false,
  };
  wire.fields((field) => {
    if (field === 1) wire.ints(dims);
    else if (field === 2) code = wire.int();
    else if (field === 8) name = wire.text();
    else readPart(wire, field, parts);
  });
  const where = `${wire.file}: the tensor ${JSON.stringify(name)}`;
  const dtype = elementTypeOf(code);
  if (dtype === undefined) {
    throw new OnnxFileError(`${where} has the element type ${code}, which is unknown`);
  }
  const count = countOf(dims, where);
  const texts = dtype === "string" ? parts.texts : undefined;
  if (texts !== undefined) requireCount(where, "texts", texts.length, count);
  const external = parts.isExternal ? placeOf(parts.external, dtype, count, where) : undefined;
  const inside = external === undefined && texts === undefined;
  const bytes = inside ? bytesOf(parts, dtype, count, where) : undefined;
  return { name, dtype, dims, bytes, external, texts };
}

function readPart(wire: Wire, field: number, parts: Parts): void {
  if (field === 9) parts.raw = wire.bytes();
  else if (field === 4) parts.fixed.push(wire.fixed(4));
  else if (field === 10) parts.fixed.push(wire.fixed(8));
  else if (field === 5 || field === 7 || field === 11) parts.varints.push(wire.varints());
  else if (field === 6) parts.texts.push(wire.text());
  else if (field === 13) readEntry(wire.message(), parts.external);
  else if (field === 14) parts.isExternal = wire.int() === 1;
}

/** Reads a name and what stands for it. */
export function readEntry(wire: Wire, into: Map<string, string>): void {
  let [key, value] = ["", ""];
  wire.fields((field) => {
    if (field === 1) key = wire.text();
    else if (field === 2) value = wire.text();
  });
  into.set(key, value);
}

function countOf(dims: readonly number[], where: string): number {
  const count = numel(dims);
  if (dims.every((n) => n >= 0) && Number.isSafeInteger(count)) return count;
  throw new OnnxFileError(`${where} has the shape ${show(dims)}, which no tensor can have`);
}

function requireCount(where: string, what: string, got: number, wanted: number): void {
  if (got === wanted) return;
  throw new OnnxFileError(`${where} has ${got} ${what} where its shape asks for ${wanted}`);
}

function placeOf(
  entries: ReadonlyMap<string, string>,
  dtype: OnnxElementType,
  count: number,
  where: string,
): ExternalPlace {
  const location = entries.get("location") ?? "";
  const wanted = elementBytes(dtype, count);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? wanted);
  if (location === "" || !Number.isSafeInteger(offset) || offset < 0) {
    throw new OnnxFileError(`${where} lies in another file, but does not say where`);
  }
  requireCount(where, `bytes in ${JSON.stringify(location)}`, length, wanted);
  return { location, offset, length };
}

/** Fields of whole numbers hold each of them as a number of its own, however few bits it has. */
function bytesOf(
  { raw, fixed, varints }: Parts,
  dtype: OnnxElementType,
  count: number,
  where: string,
): () => Uint8Array {
  const wanted = elementBytes(dtype, count);
  const plain = raw ?? (fixed.length > 0 ? joined(fixed) : undefined);
  if (plain !== undefined) {
    requireCount(where, "bytes", plain.length, wanted);
    return () => plain;
  }
  const written = varints.flatMap((part) => (part.length === 0 ? [] : [part]));
  const found = written.reduce((sum, part) => sum + numbersIn(part), 0);
  requireCount(where, "numbers", found, fieldsFor(dtype, count));
  return () => fromVarints(written, dtype, wanted);
}

/** Numbers of less than a byte stand in one together. */
function fieldsFor(dtype: OnnxElementType, count: number): number {
  const bytes = elementBytes(dtype, count);
  return bytes < count ? bytes : count;
}

function numbersIn(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte < 0x80) count++;
  return count;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whole numbers in protobuf's own form, each cut to the bytes that its type has. */
function fromVarints(
  parts: readonly Uint8Array[],
  dtype: OnnxElementType,
  length: number,
): Uint8Array {
  const bytes = new Uint8Array(length);
  const size = Math.max(1, elementBytes(dtype, 1));
  let at = 0;
  for (const part of parts) {
    let [value, shift] = [0n, 0n];
    for (const byte of part) {
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte >= 0x80) continue;
      for (let i = 0; i < size; i++) bytes[at++] = Number((value >> BigInt(8 * i)) & 0xffn);
      [value, shift] = [0n, 0n];
    }
  }
  return bytes;
}
