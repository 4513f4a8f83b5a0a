import type { RawDType } from "../raw-tensor.ts";

/** What a safetensors file may hold. */
export interface ElementType {
  readonly bits: number;
  /** Undefined for a type of the format that this library has no numbers for. */
  readonly dtype: RawDType | undefined;
}

/** The element types of the format, by their names in it. */
export const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  F64: { bits: 64, dtype: "float64" },
  F32: { bits: 32, dtype: "float32" },
  F16: { bits: 16, dtype: "float16" },
  BF16: { bits: 16, dtype: "bfloat16" },
  I64: { bits: 64, dtype: "int64" },
  I32: { bits: 32, dtype: "int32" },
  I16: { bits: 16, dtype: "int16" },
  I8: { bits: 8, dtype: "int8" },
  U8: { bits: 8, dtype: "uint8" },
  BOOL: { bits: 8, dtype: "bool" },
  U64: { bits: 64, dtype: undefined },
  U32: { bits: 32, dtype: undefined },
  U16: { bits: 16, dtype: undefined },
  C64: { bits: 64, dtype: undefined },
  F8_E4M3: { bits: 8, dtype: undefined },
  F8_E5M2: { bits: 8, dtype: undefined },
  F8_E4M3FNUZ: { bits: 8, dtype: undefined },
  F8_E5M2FNUZ: { bits: 8, dtype: undefined },
  F8_E8M0: { bits: 8, dtype: undefined },
  F6_E2M3: { bits: 6, dtype: undefined },
  F6_E3M2: { bits: 6, dtype: undefined },
  F4: { bits: 4, dtype: undefined },
};

/** Names of the element types that can be read and written. */
export const supportedElementTypes: readonly string[] = Object.keys(ELEMENT_TYPES).filter(
  (name) => ELEMENT_TYPES[name]?.dtype !== undefined,
);

const ELEMENT_TYPE_NAMES: ReadonlyMap<RawDType | undefined, string> = new Map(
  supportedElementTypes.map((name) => [ELEMENT_TYPES[name]?.dtype, name]),
);

/** The format's name of an element type: `"F32"` for `"float32"`; undefined for what it lacks. */
export function elementTypeName(dtype: RawDType): string | undefined {
  return ELEMENT_TYPE_NAMES.get(dtype);
}
