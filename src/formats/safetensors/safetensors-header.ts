import { isCount } from "../../base/is-count.ts";
import { FileSourceError } from "../../files/file-source-error.ts";
import { duplicateKey } from "../../files/json-keys.ts";
import { parseJson } from "../../files/parse-json.ts";
import { isObject, quote, shown } from "../json-values.ts";
import type { RawDType } from "../raw-tensor.ts";
import { ELEMENT_TYPES } from "./element-types.ts";
import { SafetensorsError } from "./safetensors-error.ts";

/** Bytes before the JSON header: its length, little-endian. */
export const PREFIX_BYTES = 8;

/** The reference implementation's limit on the JSON header. */
export const MAX_HEADER_BYTES = 100_000_000;

/** More dimensions than NumPy and PyTorch have arrays of. */
const MOST_DIMENSIONS = 64;
/** The header's key that does not name a tensor. */
export const METADATA_KEY = "__metadata__";

/** Where a tensor is in a safetensors file, and how to read it. */
export interface SafetensorsEntry {
  /** Name of the tensor in the file. */
  readonly name: string;
  /** The format's own name of the element type, such as `"BF16"`. */
  readonly elementType: string;
  /** Undefined when this library cannot hold the element type. */
  readonly dtype: RawDType | undefined;
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** First byte and byte after the last, counted from the beginning of the file. */
  readonly begin: number;
  /** The byte after its last, counted from the beginning of the file. */
  readonly end: number;
}

/** The checked header of a safetensors file. */
export interface SafetensorsHeader {
  /** By name, in the order in which they lie in the file. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** The texts beside the tensors, such as `{ format: "pt" }`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Length of the JSON header, from the first 8 bytes of a file.
 *
 * @param prefix the first 8 bytes, or all of a shorter file.
 * @param fileSize bytes of the whole file.
 * @throws {@link SafetensorsError} when it is over the cap or past the end of the file.
 */
export function headerLength(prefix: Uint8Array, fileSize: number, file: string): number {
  if (prefix.byteLength < PREFIX_BYTES) {
    throw new SafetensorsError(
      `${file}: the file has ${fileSize} bytes; a safetensors file begins with 8 bytes that hold ` +
        "the length of its header",
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(
      `${file}: the header says it has ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed, ` +
        "so this is probably not a safetensors file",
    );
  }
  const available = fileSize - PREFIX_BYTES;
  if (length > BigInt(available)) {
    throw new SafetensorsError(
      `${file}: the header says it has ${length} bytes, but only ${available} follow: ` +
        "the file is truncated or not a safetensors file",
    );
  }
  return Number(length);
}

function jsonOf(text: string, file: string): unknown {
  try {
    return parseJson(text, `${file}: the header`);
  } catch (error) {
    throw error instanceof FileSourceError
      ? new SafetensorsError(error.message, { cause: error })
      : error;
  }
}

function headerJson(bytes: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SafetensorsError(`${file}: the header is not valid UTF-8`);
  }
  if (!/^\s*\{/.test(text)) {
    throw new SafetensorsError(
      `${file}: the header begins with ${shown(text.slice(0, 1))}; a JSON object ("{") was expected`,
    );
  }
  const value = jsonOf(text, file);
  const twice = duplicateKey(text);
  if (twice !== undefined) {
    throw new SafetensorsError(`${file}: the header has the key ${quote(twice)} twice`);
  }
  if (isObject(value)) return value;
  throw new SafetensorsError(`${file}: the header is not a JSON object`);
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) {
    throw new SafetensorsError(
      `${file}: ${METADATA_KEY} is ${shown(value)}; an object of strings was expected`,
    );
  }
  const entries = Object.entries(value).flatMap(([key, text]): [string, string][] => {
    if (typeof text === "string") return [[key, text]];
    // Tools that write what they do not know as null mean nothing by it.
    if (text === null) return [];
    throw new SafetensorsError(
      `${file}: ${METADATA_KEY}[${quote(key)}] is ${shown(text)}; a string was expected`,
    );
  });
  return Object.fromEntries(entries);
}

/** The bytes of a tensor, or undefined when no file could hold it, or it ends within a byte. */
function byteLength(shape: readonly number[], bits: number): number | undefined {
  // Asked first: other dimensions may be so many that their product is infinite.
  if (shape.includes(0)) return 0;
  let elements = 1;
  for (const dim of shape) {
    elements *= dim;
    if (!Number.isSafeInteger(elements * bits)) return undefined;
  }
  return (elements * bits) % 8 === 0 ? (elements * bits) / 8 : undefined;
}

/** The part of a file that holds the numbers of all tensors. */
interface DataRange {
  readonly file: string;
  /** Where the data begins in the file, and how many bytes of it there are. */
  readonly dataBegin: number;
  readonly dataSize: number;
}

function parseEntry(name: string, value: unknown, data: DataRange): SafetensorsEntry {
  const fail = (message: string): never => {
    throw new SafetensorsError(`${data.file}: tensor ${quote(name)}: ${message}`);
  };
  if (!isObject(value)) {
    return fail(`described by ${shown(value)}; { dtype, shape, data_offsets } was expected`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  const type =
    typeof dtype === "string" && Object.hasOwn(ELEMENT_TYPES, dtype)
      ? ELEMENT_TYPES[dtype]
      : undefined;
  if (type === undefined || typeof dtype !== "string") {
    const known = Object.keys(ELEMENT_TYPES).join(", ");
    return fail(`dtype is ${shown(dtype)}; one of ${known} was expected`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`shape is ${shown(shape)}; an array of non-negative integers was expected`);
  }
  if (shape.length > MOST_DIMENSIONS) {
    return fail(`shape has ${shape.length} dimensions, at most ${MOST_DIMENSIONS} are read`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`data_offsets is ${shown(offsets)}; two non-negative integers were expected`);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end) return fail(`data_offsets [${begin}, ${end}] end before they begin`);
  if (end > data.dataSize) {
    return fail(
      `data_offsets [${begin}, ${end}] reach past the file's ${data.dataSize} bytes of data: ` +
        "the file is truncated or damaged",
    );
  }
  const bytes = byteLength(shape, type.bits);
  if (bytes !== end - begin) {
    return fail(
      `data_offsets [${begin}, ${end}] hold ${end - begin} bytes, but shape ${shown(shape)} of ` +
        `${dtype} takes ${bytes ?? "more than any file has"}`,
    );
  }
  return {
    name,
    elementType: dtype,
    dtype: type.dtype,
    // Adding 0 turns the JSON number -0 into 0.
    shape: shape.map((dim) => dim + 0),
    begin: data.dataBegin + begin,
    end: data.dataBegin + end,
  };
}

/** The format allows neither overlaps nor holes: every byte of the data belongs to one tensor. */
function checkLayout(sorted: readonly SafetensorsEntry[], data: DataRange): void {
  let cursor = data.dataBegin;
  let before = "";
  const at = (byte: number): number => byte - data.dataBegin;
  for (const entry of sorted) {
    if (entry.begin < cursor) {
      throw new SafetensorsError(
        `${data.file}: tensor ${quote(entry.name)} begins at byte ${at(entry.begin)} of the data, ` +
          `inside of tensor ${quote(before)}, which ends at ${at(cursor)}: tensors must not overlap`,
      );
    }
    if (entry.begin > cursor) {
      throw new SafetensorsError(
        `${data.file}: bytes ${at(cursor)} to ${at(entry.begin)} of the data, before tensor ` +
          `${quote(entry.name)}, belong to no tensor: there must be no holes`,
      );
    }
    cursor = entry.end;
    before = entry.name;
  }
  if (at(cursor) !== data.dataSize) {
    throw new SafetensorsError(
      `${data.file}: the last ${data.dataSize - at(cursor)} bytes belong to no tensor: ` +
        "the tensors must fill the file",
    );
  }
}

/**
 * Reads and checks the JSON header of a safetensors file.
 *
 * @param bytes the header alone, without the 8 bytes before it.
 * @param fileSize bytes of the whole file.
 * @param file what messages call the file.
 * @throws {@link SafetensorsError} with the file, the tensor, what came and what was wanted.
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  const dataBegin = PREFIX_BYTES + bytes.byteLength;
  const data: DataRange = { file, dataBegin, dataSize: fileSize - dataBegin };
  const json = headerJson(bytes, file);
  const metadata = parseMetadata(json[METADATA_KEY], file);
  const entries = Object.entries(json)
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => parseEntry(name, value, data))
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(entries, data);
  return { entries: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}
