import { expect, test } from "vitest";
import { fitsDType, transposed, valuesAs } from "./checkpoint-values.ts";

test.each([
  [1, 1],
  [3, 5],
  [32, 32],
  [33, 70],
  [100, 1],
])("transposes %d x %d", (rows, columns) => {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const turned = transposed(data, rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      expect(turned[j * rows + i]).toBe(data[i * columns + j]);
    }
  }
  expect(data[0]).toBe(0);
});

test("widens 16-bit floats, narrows doubles, keeps the rest uncopied", () => {
  const half = { dtype: "float16" as const, shape: [2], data: Uint16Array.of(0x3c00, 0xc000) };
  expect(valuesAs(half, "float32")).toEqual(Float32Array.of(1, -2));
  const brain = { dtype: "bfloat16" as const, shape: [2], data: Uint16Array.of(0x3f80, 0xc000) };
  expect(valuesAs(brain, "float32")).toEqual(Float32Array.of(1, -2));
  const double = { dtype: "float64" as const, shape: [1], data: Float64Array.of(0.5) };
  expect(valuesAs(double, "float32")).toEqual(Float32Array.of(0.5));
  const ids = { dtype: "int64" as const, shape: [1], data: BigInt64Array.of(7n) };
  expect(valuesAs(ids, "int64")).toBe(ids.data);
});

test("floats of every width can be kept as float32, other types only as themselves", () => {
  const floats = ["float16", "bfloat16", "float32", "float64"] as const;
  expect(floats.map((dtype) => fitsDType(dtype, "float32"))).toEqual([true, true, true, true]);
  const others = ["int64", "int16", "uint8", "bool"] as const;
  expect(others.map((dtype) => fitsDType(dtype, "float32"))).toEqual([false, false, false, false]);
  expect(fitsDType("int64", "int64")).toBe(true);
  expect(fitsDType("float32", "int64")).toBe(false);
});
