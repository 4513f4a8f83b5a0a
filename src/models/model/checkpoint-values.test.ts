import { expect, test } from "vitest";
import type { Checkpoint } from "../../formats/checkpoint.ts";
import { bytesOf, type RawData, type RawDType, type RawTensor } from "../../formats/raw-tensor.ts";
import { allocate, type DType, type TypedArray } from "../../tensor/dtype.ts";
import { convert, fitsDType, transposeInto, ValueReader } from "./checkpoint-values.ts";

test.each([
  [1, 1],
  [3, 5],
  [32, 32],
  [33, 70],
  [100, 1],
])("transposes %d x %d, some rows at a time", (rows, columns) => {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const turned = new Float32Array(data.length);
  const cut = Math.ceil(rows / 3);
  for (const [top, end] of [[0, cut], [cut, rows]] as const) {
    transposeInto(turned, { data: data.subarray(top * columns, end * columns), top, columns });
  } // prettier-ignore
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      expect(turned[j * rows + i]).toBe(data[i * columns + j]);
    }
  }
});

const KEPT: readonly [RawDType, RawData, DType, TypedArray][] = [
  ["float16", Uint16Array.of(0x3c00, 0xc000), "float32", Float32Array.of(1, -2)],
  ["bfloat16", Uint16Array.of(0x3f80, 0xc000), "float32", Float32Array.of(1, -2)],
  ["float64", Float64Array.of(0.5, 1e300), "float32", Float32Array.of(0.5, Infinity)],
  ["float32", Float32Array.of(1, -2), "float16", Uint16Array.of(0x3c00, 0xc000)],
  ["float64", Float64Array.of(1, -2), "bfloat16", Uint16Array.of(0x3f80, 0xc000)],
  ["float16", Uint16Array.of(0x3c00, 0xc000), "bfloat16", Uint16Array.of(0x3f80, 0xc000)],
  ["bfloat16", Uint16Array.of(0x3f80, 0xc000), "float16", Uint16Array.of(0x3c00, 0xc000)],
  ["int64", BigInt64Array.of(7n, -1n), "int64", BigInt64Array.of(7n, -1n)],
];

test("numbers of one type are kept as others", () => {
  for (const [from, data, dtype, wanted] of KEPT) {
    const into = allocate(dtype, wanted.length);
    convert(data, from, dtype, into);
    expect(into, `${from} as ${dtype}`).toStrictEqual(wanted);
  }
});

test("floats of every width can be kept as each other, other types only as themselves", () => {
  const floats = ["float16", "bfloat16", "float32", "float64"] as const;
  for (const kept of ["float32", "float16", "bfloat16"] as const) {
    expect(floats.map((dtype) => fitsDType(dtype, kept))).toEqual([true, true, true, true]);
    const others = ["int64", "int16", "uint8", "bool"] as const;
    expect(others.map((dtype) => fitsDType(dtype, kept))).toEqual([false, false, false, false]);
  }
  expect(fitsDType("int64", "int64")).toBe(true);
  expect(fitsDType("float32", "int64")).toBe(false);
});

/** A checkpoint of one tensor that lies in memory. */
function checkpointOf(tensor: RawTensor): Checkpoint {
  const { data, dtype, shape } = tensor;
  return {
    location: "memory",
    files: ["w.safetensors"],
    names: ["w"],
    has: () => true,
    info: () => ({ name: "w", elementType: dtype, dtype, shape }),
    read: async () => tensor,
    async *parts(_, buffer): AsyncGenerator<RawData> {
      const step = Math.floor(buffer.length / data.BYTES_PER_ELEMENT);
      for (let at = 0; at < data.length; at += step) {
        const part = data.subarray(at, at + step);
        const held = new Float32Array(buffer.buffer, 0, part.length);
        held.set(part as Float32Array);
        yield held;
      }
    },
    bytes: async () => bytesOf(data),
    byteLength: () => data.byteLength,
    absent: new Map(),
    close: async () => undefined,
  };
}

test("parts through one buffer make up the whole, transposed or not", async () => {
  const shape = [1500, 1201];
  const data = Float32Array.from({ length: 1500 * 1201 }, (_, i) => i % 2048);
  const reader = new ValueReader(checkpointOf({ dtype: "float32", shape, data }));
  expect(await reader.read("w", "float32", false)).toBe(data);
  const [turned, half, halfTurned] = [data.slice(), allocate("float16", data.length), allocate("float16", data.length)]; // prettier-ignore
  transposeInto(turned, { data, top: 0, columns: 1201 });
  convert(data, "float32", "float16", half);
  convert(turned, "float32", "float16", halfTurned);
  for (const [dtype, isTransposed, wanted] of [
    ["float32", true, turned],
    ["float16", false, half],
    ["float16", true, halfTurned],
  ] as const) {
    const found = await reader.read("w", dtype, isTransposed);
    expect(found.constructor).toBe(wanted.constructor);
    expect(Buffer.compare(bytesOf(found), bytesOf(wanted)), dtype).toBe(0);
  }
});
