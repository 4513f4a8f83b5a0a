import { fail } from "./errors.ts";

/** Element types of a tensor, with torch's names. */
export type DType =
  "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "uint8" | "int8" | "bool";

/**
 * Host storage of a tensor. `int64` is a `BigInt64Array`, `bool` a `Uint8Array` of 0 and 1,
 * `float16` and `bfloat16` a `Uint16Array` of bit patterns.
 */
export type TypedArray =
  Float32Array | Float64Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;

interface DTypeInfo {
  readonly category: "bool" | "int" | "float";
  readonly itemsize: number;
  /** Rank within its category, for promotion. */
  readonly width: number;
  readonly allocate: (length: number) => TypedArray;
}

const DTYPES: { readonly [K in DType]: DTypeInfo } = {
  float64: { category: "float", itemsize: 8, width: 4, allocate: (n) => new Float64Array(n) },
  float32: { category: "float", itemsize: 4, width: 3, allocate: (n) => new Float32Array(n) },
  float16: { category: "float", itemsize: 2, width: 2, allocate: (n) => new Uint16Array(n) },
  bfloat16: { category: "float", itemsize: 2, width: 1, allocate: (n) => new Uint16Array(n) },
  int64: { category: "int", itemsize: 8, width: 4, allocate: (n) => new BigInt64Array(n) },
  int32: { category: "int", itemsize: 4, width: 3, allocate: (n) => new Int32Array(n) },
  int8: { category: "int", itemsize: 1, width: 2, allocate: (n) => new Int8Array(n) },
  uint8: { category: "int", itemsize: 1, width: 1, allocate: (n) => new Uint8Array(n) },
  bool: { category: "bool", itemsize: 1, width: 0, allocate: (n) => new Uint8Array(n) },
};

/** All element types. */
export const dtypes: readonly DType[] = Object.keys(DTYPES) as DType[];

/** Bytes of one element. */
export function itemsize(dtype: DType): number {
  return DTYPES[dtype].itemsize;
}

export function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].category === "float";
}

/** True for the signed and unsigned integers, not for `bool`. */
export function isInteger(dtype: DType): boolean {
  return DTYPES[dtype].category === "int";
}

/** Throws unless a string, which may come from JavaScript, names an element type. */
export function requireDType(op: string, name: string): void {
  if (!Object.hasOwn(DTYPES, name)) {
    fail(op, `there is no dtype ${name}; expected one of ${dtypes.join(", ")}`);
  }
}

/** Throws for numbers that an integer type cannot hold, once cut towards zero. */
export function requireFit(op: string, numbers: readonly number[], dtype: DType): void {
  requireDType(op, dtype);
  if (!isInteger(dtype)) return;
  const values = 2 ** (8 * itemsize(dtype));
  const [from, before] = dtype === "uint8" ? [0, values] : [-values / 2, values / 2];
  const bad = numbers.find((n) => !(Math.trunc(n) >= from && Math.trunc(n) < before));
  if (bad !== undefined) fail(op, `${dtype} cannot hold ${bad}; use a wider or a floating type`);
}

/** A zero-filled host array for `length` elements. */
export function allocate(dtype: DType, length: number): TypedArray {
  return DTYPES[dtype].allocate(length);
}

/** The element types a typed array can hold; the first is the one assumed when none is given. */
export function dtypesOf(data: TypedArray): readonly DType[] {
  if (data instanceof Float32Array) return ["float32"];
  if (data instanceof Float64Array) return ["float64"];
  if (data instanceof BigInt64Array) return ["int64"];
  if (data instanceof Int32Array) return ["int32"];
  if (data instanceof Int8Array) return ["int8"];
  if (data instanceof Uint16Array) return ["float16", "bfloat16"];
  if (data instanceof Uint8Array) return ["uint8", "bool"];
  return fail(
    "Tensor.fromData",
    `no dtype is held in a ${(data as object).constructor.name}; copy it into another typed array, ` +
      "such as Int32Array.from(data)",
  );
}

const CATEGORY_ORDER = { bool: 0, int: 1, float: 2 } as const;

/** The smallest element type that both fit in, by torch's rules for two tensors of equal standing. */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const [x, y] = [DTYPES[a], DTYPES[b]];
  if (x.category !== y.category) {
    return CATEGORY_ORDER[x.category] > CATEGORY_ORDER[y.category] ? a : b;
  }
  if (x.itemsize === 2 && y.itemsize === 2) return "float32";
  if (x.itemsize === 1 && y.itemsize === 1 && x.category === "int") return "int32";
  return x.width > y.width ? a : b;
}

/**
 * The result type of an operation on tensors, with torch's precedence: a 0-d tensor only counts
 * when it is of a higher category (bool < integer < float) than every tensor that has dimensions.
 */
export function resultType(operands: readonly { dtype: DType; shape: readonly number[] }[]): DType {
  const withDims = operands.filter((o) => o.shape.length > 0).map((o) => o.dtype);
  const scalars = operands.filter((o) => o.shape.length === 0).map((o) => o.dtype);
  const dimensioned = withDims.length > 0 ? withDims.reduce(promote) : undefined;
  const scalar = scalars.length > 0 ? scalars.reduce(promote) : undefined;
  if (dimensioned === undefined) return scalar ?? "float32";
  if (scalar === undefined) return dimensioned;
  const higher =
    CATEGORY_ORDER[DTYPES[scalar].category] > CATEGORY_ORDER[DTYPES[dimensioned].category];
  return higher ? scalar : dimensioned;
}
