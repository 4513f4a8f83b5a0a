import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DType, saveTorchFile, Tensor, type TypedArray } from "tsvene";
import { describe, expect, onTestFinished, test } from "vitest";
import { askPython, missingFromPython } from "./python.ts";

const missing = await missingFromPython("torch");

const halves = Uint16Array.of(0x3c00, 0x8001, 0x7e01);
const numbers: readonly (readonly [DType, TypedArray])[] = [
  ["float64", Float64Array.of(1e300, -0, NaN)],
  ["float32", Float32Array.of(0.1, -0, Infinity)],
  ["float16", halves],
  ["bfloat16", halves.slice()],
  ["int64", BigInt64Array.of(2n ** 62n, -1n, 0n)],
  ["int32", Int32Array.of(-(2 ** 31), 7, 0)],
  ["int8", Int8Array.of(-128, 127, 0)],
  ["uint8", Uint8Array.of(0, 255, 1)],
  ["bool", Uint8Array.of(1, 0, 1)],
];

/** What the script says of a tensor that has a storage of its own. */
function said(dtype: string, data: TypedArray, storage: number): object {
  const { buffer, byteOffset, byteLength } = data;
  const hex = Buffer.from(buffer, byteOffset, byteLength).toString("hex");
  return { tensor: dtype, shape: [data.length], stride: [1], hex, storage, bytes: byteLength };
}

async function readInPython(value: Parameters<typeof saveTorchFile>[1]): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), "tsvene-interop-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "file.bin");
  await saveTorchFile(path, value);
  const [found] = (await askPython("describe_torch.py", path)) as unknown[];
  return found;
}

describe.skipIf(missing !== undefined)(
  `torch.load${missing ? ` (skipped: ${missing})` : ""}`,
  () => {
    test("reads every element type to the bit, in an OrderedDict", async () => {
      const state = new Map(
        numbers.map(([dtype, data]) => [dtype, Tensor.fromData(data, [3], dtype)]),
      );
      const wanted = numbers.map(([dtype, data], i) => [dtype, said(dtype, data, i)]);
      expect(await readInPython(state)).toEqual({ OrderedDict: wanted });
    }, 120_000);

    test("sees which tensors share a storage", async () => {
      const all = Float32Array.from({ length: 10 }, (_, i) => i);
      const [whole, part] = [all.subarray(1, 7), all.subarray(3, 5)];
      const found = await readInPython({
        part: Tensor.fromData(part, [2, 1]),
        whole: Tensor.fromData(whole, [2, 3]),
        apart: Tensor.fromData(all.subarray(7), [3]),
      });
      expect(found).toEqual({
        dict: [
          ["part", { ...said("float32", part, 0), shape: [2, 1], stride: [1, 1], bytes: 24 }],
          ["whole", { ...said("float32", whole, 0), shape: [2, 3], stride: [3, 1] }],
          ["apart", said("float32", all.subarray(7), 1)],
        ],
      });
    }, 120_000);

    test("reads plain values, scalars and what is empty", async () => {
      const found = await readInPython([
        [1, -5, 1000, 2 ** 40, 0.1, -0, true, null, "é"],
        [2n ** 70n, -(2n ** 63n)],
        { "": [], a: new Map([[3, false]]) },
        Tensor.fromData(Int8Array.of(3), [], "int8"),
        Tensor.fromData(new Float32Array(), [0, 2]),
      ]);
      expect(found).toEqual([
        [1, -5, 1000, 2 ** 40, { float: "0.1" }, { float: "-0.0" }, true, null, "é"],
        [{ int: String(2n ** 70n) }, { int: String(-(2n ** 63n)) }],
        { dict: [["", []], ["a", { OrderedDict: [[3, false]] }]] }, // prettier-ignore
        { ...said("int8", Int8Array.of(3), 0), shape: [], stride: [] },
        { ...said("float32", new Float32Array(), 1), shape: [0, 2], stride: [2, 1] },
      ]);
    }, 120_000);
  },
);
