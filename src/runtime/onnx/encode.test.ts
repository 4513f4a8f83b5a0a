import { InferenceSession, Tensor } from "#ort";
import { describe, expect, test } from "vitest";
import { onnxDTypeCode } from "./element-types.ts";
import { encodeModel } from "./encode.ts";
import type { OnnxGraph } from "./model.ts";

const LONG_NAME = "a name of more than 127 bytes ".repeat(10);

function bytes(array: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

async function outputs(
  graph: OnnxGraph,
  feeds: Record<string, Tensor>,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession.ReturnType> {
  const session = await InferenceSession.create(encodeModel(graph), options);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe("encodeModel", () => {
  test("one session serves several sizes when shapes are inputs", async () => {
    const model = encodeModel({
      name: "g",
      inputs: [
        { name: "x", dtype: "float32", rank: 2 },
        { name: "y", dtype: "float32", rank: 2, dims: ["rows", 1] },
        { name: "shape", dtype: "int64", rank: 1 },
      ],
      outputs: [{ name: "z", dtype: "float32", rank: 3 }],
      nodes: [
        { op: "Add", inputs: ["x", "y"], outputs: ["sum"] },
        { op: "Reshape", inputs: ["sum", "shape"], outputs: ["z"] },
      ],
    });
    const session = await InferenceSession.create(model);
    for (const [rows, columns] of [
      [2, 6],
      [3, 4],
      [1, 2],
    ] as const) {
      const x = Float32Array.from({ length: rows * columns }, (_, i) => i);
      const y = Float32Array.from({ length: rows }, (_, i) => 10 * i);
      const shape = BigInt64Array.of(2n, -1n, BigInt(rows));
      const { z } = await session.run({
        x: new Tensor("float32", x, [rows, columns]),
        y: new Tensor("float32", y, [rows, 1]),
        shape: new Tensor("int64", shape, [3]),
      });
      expect(z?.dims).toEqual([2, columns / 2, rows]);
      expect(z?.data).toEqual(x.map((v, i) => v + 10 * Math.floor(i / columns)));
    }
    await session.release();
  });

  test("a value may keep its shape to itself", async () => {
    const session = await InferenceSession.create(
      encodeModel({
        name: "g",
        inputs: [{ name: "x", dtype: "float32" }],
        outputs: [{ name: "y", dtype: "float32" }],
        nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
      }),
    );
    for (const dims of [[], [3], [2, 2], [0, 4]]) {
      const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
      const { y } = await session.run({ x: new Tensor("float32", data, dims) });
      expect(y?.dims).toEqual(dims);
      expect(y?.data).toEqual(data.map((v) => -v));
    }
    await session.release();
  });

  test("attributes of every kind reach the node", async () => {
    const { y, s, parts } = await outputs(
      {
        name: "g",
        inputs: [{ name: "x", dtype: "float32", rank: 2 }],
        outputs: [
          { name: "y", dtype: "float32", rank: 2 },
          { name: "s", dtype: "float32", rank: 2 },
          { name: "parts", dtype: "int64", rank: 1 },
        ],
        nodes: [
          {
            op: "Constant",
            inputs: [],
            outputs: [LONG_NAME],
            attributes: {
              value: {
                tensor: { dtype: "float32", dims: [1, 2], data: bytes(Float32Array.of(1, -2)) },
              },
            },
          },
          {
            op: "Gemm",
            inputs: [LONG_NAME, "x", ""],
            outputs: ["product"],
            attributes: { alpha: { float: 0.5 }, transB: { int: 1 } },
          },
          { op: "Identity", inputs: ["product"], outputs: ["y"] },
          {
            op: "Softmax",
            inputs: ["x"],
            outputs: ["s"],
            attributes: { axis: { int: -1 } },
          },
          {
            op: "Constant",
            inputs: [],
            outputs: ["parts"],
            attributes: { value_ints: { ints: [-1, 0, 300, 2 ** 40, -(2 ** 40)] } },
          },
        ],
      },
      { x: new Tensor("float32", Float32Array.of(3, 4, 0, 0), [2, 2]) },
    );
    expect(y?.data).toEqual(Float32Array.of(-2.5, 0));
    expect(s?.data[2]).toBe(0.5);
    expect(parts?.data).toEqual(BigInt64Array.of(-1n, 0n, 300n, 2n ** 40n, -(2n ** 40n)));
  });

  test("subgraphs, floats, strings and ONNX Runtime's own operators are written", async () => {
    const branch = (name: string, value: number): OnnxGraph => ({
      name,
      inputs: [],
      outputs: [{ name: `${name}.out`, dtype: "float32", rank: 1 }],
      nodes: [
        {
          op: "Constant",
          inputs: [],
          outputs: [`${name}.out`],
          attributes: { value_floats: { floats: [value, value / 2] } },
        },
      ],
    });
    const graph: OnnxGraph = {
      name: "g",
      inputs: [{ name: "test", dtype: "bool", rank: 0 }],
      outputs: [
        { name: "y", dtype: "float32", rank: 1 },
        { name: "z", dtype: "float32", rank: 1 },
      ],
      nodes: [
        {
          op: "If",
          inputs: ["test"],
          outputs: ["x"],
          attributes: {
            then_branch: { graph: branch("yes", 3) },
            else_branch: { graph: branch("no", -3) },
          },
        },
        { op: "FastGelu", domain: "com.microsoft", inputs: ["x"], outputs: ["y"] },
        {
          op: "Gelu",
          inputs: ["x"],
          outputs: ["z"],
          attributes: { approximate: { string: "tanh" } },
        },
      ],
    };
    for (const test of [1, 0]) {
      const { y, z } = await outputs(graph, {
        test: new Tensor("bool", Uint8Array.of(test), []),
      });
      const expected = [3, 1.5].map((v) => {
        const x = test === 1 ? v : -v;
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
      });
      for (const [i, value] of expected.entries()) {
        expect(y?.data[i]).toBeCloseTo(value, 5);
        expect(z?.data[i]).toBeCloseTo(value, 5);
      }
    }
  });
});

describe("encodeModel, what surrounds the nodes", () => {
  test("initializers stand in the model or in external data", async () => {
    const weights = Float32Array.from({ length: 1000 }, (_, i) => i);
    const { z } = await outputs(
      {
        name: "g",
        inputs: [{ name: "x", dtype: "float32", rank: 1 }],
        outputs: [{ name: "z", dtype: "float32", rank: 1 }],
        nodes: [
          { op: "Add", inputs: ["inside", "outside"], outputs: ["sum"] },
          { op: "Mul", inputs: ["sum", "x"], outputs: ["z"] },
        ],
        initializers: [
          { name: "inside", dtype: "float32", dims: [400], data: bytes(weights.slice(0, 400)) },
          {
            name: "outside",
            dtype: "float32",
            dims: [400],
            external: { location: "weights", offset: 800, length: 1600 },
          },
        ],
      },
      { x: new Tensor("float32", Float32Array.of(2), [1]) },
      { externalData: [{ path: "weights", data: bytes(weights) }] },
    );
    expect(z?.data).toEqual(Float32Array.from({ length: 400 }, (_, i) => 2 * (i + 200 + i)));
  });

  test.each([
    ["float32", Float32Array.of(1.5)],
    ["float64", Float64Array.of(1e-300)],
    ["int64", BigInt64Array.of(-(2n ** 60n))],
    ["int32", Int32Array.of(-7)],
    ["uint8", Uint8Array.of(200)],
    ["int8", Int8Array.of(-100)],
    ["uint16", Uint16Array.of(65_000)],
    ["bool", Uint8Array.of(1)],
  ] as const)("%s values pass through", async (dtype, data) => {
    const { y, n } = await outputs(
      {
        name: "g",
        inputs: [{ name: "x", dtype, rank: 1 }],
        outputs: [
          { name: "y", dtype, rank: 1 },
          { name: "n", dtype: "float64", rank: 1 },
        ],
        nodes: [
          { op: "Identity", inputs: ["x"], outputs: ["y"] },
          {
            op: "Cast",
            inputs: ["x"],
            outputs: ["n"],
            attributes: { to: { int: onnxDTypeCode("float64") } },
          },
        ],
      },
      { x: new Tensor(dtype, data as never, [1]) },
    );
    expect(y?.type).toBe(dtype);
    expect(y?.data).toEqual(data);
    expect(n?.data[0]).toBe(Number(data[0]));
  });
});
