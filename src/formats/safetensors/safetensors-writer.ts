import { bytesOf, rawDTypes, rawItemsize, type RawTensor, storesDType } from "../raw-tensor.ts";
import { quote } from "../json-values.ts";
import { elementTypeName } from "./element-types.ts";
import { SafetensorsError } from "./safetensors-error.ts";
import { MAX_HEADER_BYTES, METADATA_KEY, PREFIX_BYTES } from "./safetensors-header.ts";

/** What a tensor's entry in the header needs; its numbers may come later. */
export type TensorLayout = Pick<RawTensor, "dtype" | "shape">;

/** How a file will look: what comes first, and then which tensor after which. */
export interface SafetensorsPlan {
  /** Length prefix and JSON, padded so that the data begins at a multiple of 8. */
  readonly header: Uint8Array;
  /** Names in the order in which their bytes follow. */
  readonly order: readonly string[];
  /** Bytes of the whole file. */
  readonly size: number;
}

function layoutBytes(name: string, { dtype, shape }: TensorLayout): number {
  const bad = shape.find((dim) => !Number.isSafeInteger(dim) || dim < 0);
  if (bad !== undefined) {
    throw new SafetensorsError(
      `tensor ${quote(name)}: shape [${shape.join(", ")}] has the dimension ${bad}; ` +
        "non-negative integers were expected",
    );
  }
  return shape.reduce((product, dim) => product * dim, rawItemsize(dtype));
}

function checkLayout(name: string, layout: TensorLayout): void {
  if (name === METADATA_KEY) {
    throw new SafetensorsError(`a tensor cannot be named ${METADATA_KEY}: the format reserves it`);
  }
  if (!rawDTypes.includes(layout.dtype)) {
    throw new SafetensorsError(
      `tensor ${quote(name)}: dtype is ${JSON.stringify(layout.dtype)}; ` +
        `one of ${rawDTypes.join(", ")} was expected`,
    );
  }
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw new SafetensorsError(
      `metadata[${quote(key)}] is a ${typeof value}; a string was expected: the format holds no other`,
    );
  }
}

/** Wide elements first, then by name: every tensor is aligned, and equal content gives equal files. */
function inFileOrder(tensors: ReadonlyMap<string, TensorLayout>): [string, TensorLayout][] {
  return [...tensors].toSorted(([nameA, a], [nameB, b]) => {
    const wider = rawItemsize(b.dtype) - rawItemsize(a.dtype);
    if (wider !== 0) return wider;
    return nameA < nameB ? -1 : 1;
  });
}

function encodeHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      `the header would have ${length} bytes; the format allows ${MAX_HEADER_BYTES}: ` +
        "write fewer tensors or less metadata into one file",
    );
  }
  const header = new Uint8Array(PREFIX_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, PREFIX_BYTES);
  return header;
}

/**
 * Lays out a safetensors file.
 *
 * @param metadata free-form strings for the header's `__metadata__`.
 * @throws {@link SafetensorsError} for a name, element type, shape or metadata that the format
 * cannot hold.
 */
export function planSafetensors(
  tensors: ReadonlyMap<string, TensorLayout>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsPlan {
  checkMetadata(metadata);
  for (const [name, layout] of tensors) checkLayout(name, layout);
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) {
    parts.push(`${JSON.stringify(METADATA_KEY)}:${JSON.stringify(metadata)}`);
  }
  const ordered = inFileOrder(tensors);
  let offset = 0;
  for (const [name, layout] of ordered) {
    const end = offset + layoutBytes(name, layout);
    const dtype = elementTypeName(layout.dtype);
    const entry = { dtype, shape: layout.shape, data_offsets: [offset, end] };
    // Written by hand: an object would move names that look like integers to the front.
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const header = encodeHeader(`{${parts.join(",")}}`);
  return { header, order: ordered.map(([name]) => name), size: header.length + offset };
}

/** The bytes of a tensor as they go into a file; its data must agree with its type and shape. */
export function tensorBytes(name: string, tensor: RawTensor): Uint8Array {
  const { dtype, shape, data } = tensor;
  const elements = layoutBytes(name, tensor) / rawItemsize(dtype);
  if (storesDType(data, dtype) && data.length === elements) return bytesOf(data);
  throw new SafetensorsError(
    `tensor ${quote(name)}: ${dtype} of shape [${shape.join(", ")}] has ${elements} elements, ` +
      `but its data is a ${Object.prototype.toString.call(data).slice(8, -1)} of ${data.length}`,
  );
}

/**
 * A safetensors file in memory.
 *
 * @example
 * ```ts
 * const weight = { dtype: "float32" as const, shape: [2], data: Float32Array.of(1, 2) };
 * const bytes = encodeSafetensors(new Map([["weight", weight]]), { format: "pt" });
 * ```
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, RawTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const plan = planSafetensors(tensors, metadata);
  const file = new Uint8Array(plan.size);
  file.set(plan.header);
  let offset = plan.header.length;
  for (const name of plan.order) {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`internal: planned tensor ${quote(name)} is missing`);
    const bytes = tensorBytes(name, tensor);
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}
