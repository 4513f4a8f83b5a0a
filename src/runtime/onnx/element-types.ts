import type { DType } from "../../tensor/dtype.ts";

/** Name of an element type of ONNX: those of tensors here, and more. */
export type OnnxElementType =
  | DType | "uint16" | "int16" | "uint32" | "uint64" | "string" | "complex64" | "complex128"
  | "float8e4m3fn" | "float8e4m3fnuz" | "float8e5m2" | "float8e5m2fnuz" | "float8e8m0" | "float4e2m1"
  | "uint4" | "int4" | "uint2" | "int2"; // prettier-ignore

/** One element type of ONNX. */
interface ElementType {
  /** The number by which files know it. */
  readonly code: number;
  /** Bits of an element; 0 for texts, which have no fixed length. */
  readonly bits: number;
}

/**
 * All element types of ONNX, by the names that tensors here have or would have. Numbers are those of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
const ELEMENT_TYPES: { readonly [K in OnnxElementType]: ElementType } = {
  float32: { code: 1, bits: 32 },
  uint8: { code: 2, bits: 8 },
  int8: { code: 3, bits: 8 },
  uint16: { code: 4, bits: 16 },
  int16: { code: 5, bits: 16 },
  int32: { code: 6, bits: 32 },
  int64: { code: 7, bits: 64 },
  string: { code: 8, bits: 0 },
  bool: { code: 9, bits: 8 },
  float16: { code: 10, bits: 16 },
  float64: { code: 11, bits: 64 },
  uint32: { code: 12, bits: 32 },
  uint64: { code: 13, bits: 64 },
  complex64: { code: 14, bits: 64 },
  complex128: { code: 15, bits: 128 },
  bfloat16: { code: 16, bits: 16 },
  float8e4m3fn: { code: 17, bits: 8 },
  float8e4m3fnuz: { code: 18, bits: 8 },
  float8e5m2: { code: 19, bits: 8 },
  float8e5m2fnuz: { code: 20, bits: 8 },
  uint4: { code: 21, bits: 4 },
  int4: { code: 22, bits: 4 },
  float4e2m1: { code: 23, bits: 4 },
  float8e8m0: { code: 24, bits: 8 },
  uint2: { code: 25, bits: 2 },
  int2: { code: 26, bits: 2 },
};

const BY_CODE: ReadonlyMap<number, OnnxElementType> = new Map(
  Object.entries(ELEMENT_TYPES).map(([name, { code }]) => [code, name as OnnxElementType]),
);

/** The number by which ONNX knows an element type, as `Cast` wants it in `to`. */
export function onnxDTypeCode(dtype: OnnxElementType): number {
  return ELEMENT_TYPES[dtype].code;
}

/** The element type of a number, or undefined where ONNX has none. */
export function elementTypeOf(code: number): OnnxElementType | undefined {
  return BY_CODE.get(code);
}

/** Bytes of so many elements, which stand side by side where they are smaller than a byte. */
export function elementBytes(dtype: OnnxElementType, count: number): number {
  return Math.ceil((count * ELEMENT_TYPES[dtype].bits) / 8);
}
