import { float16ToFloat32 } from "../formats/half-arrays.ts";
import type { FileTensor } from "../formats/onnx/onnx-content.ts";
import { OnnxFileError } from "../formats/onnx/onnx-file-error.ts";
import { FLOAT8_E4M3, FLOAT8_E5M2, POWERS } from "../formats/quantization/small-floats.ts";
import { viewAs } from "../formats/raw-tensor.ts";
import type { OnnxElementType } from "../runtime/onnx/element-types.ts";
import { type DType, dtypes, type TypedArray } from "../tensor/dtype.ts";
import { leaf } from "../tensor/ops/apply.ts";
import { numel } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How elements that tensors do not have are read, and as what. */
interface Widening {
  readonly dtype: DType;
  readonly read: (bytes: Uint8Array, count: number) => TypedArray;
}

const aligned = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer;
/** Whole numbers of so many bits, side by side from the lowest bits on. */
const packed =
  (bits: number, signed: boolean) =>
  (bytes: Uint8Array, count: number): TypedArray => {
    const [per, values, half] = [8 / bits, 2 ** bits, 2 ** (bits - 1)];
    const all = Array.from({ length: count }, (_, i) => {
      const n = ((bytes[Math.floor(i / per)] ?? 0) >> (bits * (i % per))) & (values - 1);
      return signed && n >= half ? n - values : n;
    });
    return signed ? Int8Array.from(all) : Uint8Array.from(all);
  };
const table =
  (numbers: Float32Array) =>
  (bytes: Uint8Array): TypedArray =>
    Float32Array.from(bytes, (byte) => numbers[byte] ?? 0);

/** Those of which a wider type of tensors holds all numbers. */
const WIDENINGS: Readonly<Partial<Record<OnnxElementType, Widening>>> = {
  uint16: { dtype: "int32", read: (b) => Int32Array.from(new Uint16Array(aligned(b))) },
  int16: { dtype: "int32", read: (b) => Int32Array.from(new Int16Array(aligned(b))) },
  uint32: {
    dtype: "int64",
    read: (b) => BigInt64Array.from(new Uint32Array(aligned(b)), (n) => BigInt(n)),
  },
  uint64: { dtype: "int64", read: (b) => new BigInt64Array(aligned(b)) },
  int4: { dtype: "int8", read: packed(4, true) },
  uint4: { dtype: "uint8", read: packed(4, false) },
  int2: { dtype: "int8", read: packed(2, true) },
  uint2: { dtype: "uint8", read: packed(2, false) },
  float8e4m3fn: { dtype: "float32", read: table(FLOAT8_E4M3) },
  float8e5m2: { dtype: "float32", read: table(FLOAT8_E5M2) },
  float8e8m0: { dtype: "float32", read: table(POWERS) },
};

/** The element type that a tensor of a file's has here; undefined for texts and complex numbers. */
export function dtypeHere(dtype: OnnxElementType): DType | undefined {
  return dtypes.find((name) => name === dtype) ?? WIDENINGS[dtype]?.dtype;
}

/**
 * A tensor of a file, of its bytes: without a copy where they are aligned.
 * @throws OnnxFileError for an element type that tensors cannot hold.
 */
export function tensorOfBytes({ name, dtype, dims }: FileTensor, bytes: Uint8Array): Tensor {
  const own = dtypes.find((known) => known === dtype);
  if (own !== undefined) return leaf(viewAs(bytes, own) as TypedArray, dims, own);
  const widening = WIDENINGS[dtype];
  if (widening !== undefined) return leaf(widening.read(bytes, numel(dims)), dims, widening.dtype);
  throw new OnnxFileError(
    `the tensor ${JSON.stringify(name)} is of type ${dtype}, which tensors cannot hold`,
  );
}

/** A small tensor that lies in the model's own file. */
export function tensorOfFile(tensor: FileTensor): Tensor {
  const bytes = tensor.bytes?.();
  if (bytes !== undefined) return tensorOfBytes(tensor, bytes);
  throw new OnnxFileError(
    `the tensor ${JSON.stringify(tensor.name)} of a node lies in another file`,
  );
}

/** The first number of a small tensor of a file. */
export function firstNumber(tensor: FileTensor): number {
  const { values, dtype } = tensorOfFile(tensor);
  if (values instanceof Uint16Array && dtype === "float16") return float16ToFloat32(values)[0] ?? 0;
  return Number(values?.[0] ?? 0);
}
