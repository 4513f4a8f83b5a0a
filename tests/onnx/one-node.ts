import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { type DType, evaluate, grad, OnnxModel, Parameter, type Tensor, tensor } from "tsvene";
import { encodeModel } from "../../src/runtime/onnx/encode.ts";
import type { OnnxAttribute, OnnxGraph, OnnxNode } from "../../src/runtime/onnx/model.ts";

/** What is given to a node. */
export interface Operand {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly values: readonly number[];
  /** Whether it is a tensor of the file, rather than an input. */
  readonly held?: boolean;
}

/** Numbers that differ, between -1 and 1, or as `map` has them. */
export function numbers(dims: readonly number[], map: (n: number) => number = (n) => n): Operand {
  const count = dims.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, (_, i) =>
    map(Math.sin(1.3 + 2.7 * i + 0.31 * i * i)),
  );
  return { dtype: "float32", dims, values };
}

/** Whole numbers that the file holds. */
export function held(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Operand {
  return { dtype: "int64", dims, values, held: true };
}

/** Floats that the file holds. */
export function weights(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Operand {
  return { dtype: "float32", dims, values, held: true };
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function arrayOf({ dtype, values }: Operand) {
  if (dtype === "int64") return BigInt64Array.from(values, BigInt);
  if (dtype === "int32") return Int32Array.from(values);
  if (dtype === "uint8" || dtype === "bool") return Uint8Array.from(values);
  if (dtype === "int8") return Int8Array.from(values);
  return Float32Array.from(values);
}

/** One node and what is given to it. */
export interface Case {
  readonly op: string;
  readonly inputs: readonly (Operand | undefined)[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
  readonly outputs?: number;
  readonly opset?: number;
  /** Element type of the first output. */
  readonly result?: DType;
}

/** A file of one node. */
export function fileOf(c: Case): Uint8Array {
  const { op, inputs, attributes = {}, domain, outputs = 1, opset = 21, result = "float32" } = c;
  const node: OnnxNode = {
    op,
    name: "/the/node",
    inputs: inputs.map((operand, i) => (operand === undefined ? "" : `x${i}`)),
    outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    attributes,
    ...(domain === undefined ? {} : { domain }),
  };
  const graph: OnnxGraph = {
    name: "one",
    nodes: [node],
    inputs: inputs.flatMap((operand, i) =>
      operand === undefined || operand.held === true
        ? []
        : [{ name: `x${i}`, dtype: operand.dtype, dims: operand.dims }],
    ),
    outputs: [{ name: "y0", dtype: result }],
    initializers: inputs.flatMap((operand, i) =>
      operand?.held === true
        ? [
            {
              name: `x${i}`,
              dtype: operand.dtype,
              dims: operand.dims,
              data: bytesOf(arrayOf(operand)),
            },
          ]
        : [],
    ),
  };
  return encodeModel(graph, { opset });
}

function feedsOf(operands: Case["inputs"]): Record<string, OrtTensor> {
  const feeds: Record<string, OrtTensor> = {};
  operands.forEach((operand, i) => {
    if (operand === undefined || operand.held === true) return;
    feeds[`x${i}`] = new OrtTensor(
      operand.dtype as "float32",
      arrayOf(operand) as Float32Array,
      operand.dims,
    );
  });
  return feeds;
}

/** Numbers as they are in memory, of any element type. */
const plain = (data: ArrayLike<number | bigint>): number[] => Array.from(data, Number);

/** What ONNX Runtime, the file as it is, its translation and its gradient say of a node. */
export interface Comparison {
  readonly wanted: readonly number[];
  readonly dims: readonly number[];
  readonly whole: Tensor;
  readonly translated: Tensor;
  /** The change of a weighted sum of the results in one direction: by ONNX Runtime, and by the gradient. */
  readonly slopes: readonly [numeric: number, own: number];
}

const EPSILON = 2e-3;

/** Runs a node in all ways. */
export async function compare(c: Case): Promise<Comparison> {
  const file = fileOf(c);
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const model = await OnnxModel.fromBytes(file);
  const run = async (inputs: Case["inputs"]): Promise<OrtTensor> => {
    const { y0 } = await session.run(feedsOf(inputs));
    if (y0 === undefined) throw new Error("no result");
    return y0;
  };
  try {
    const wanted = await run(c.inputs);
    const given: Record<string, Tensor> = {};
    c.inputs.forEach((operand, i) => {
      if (operand === undefined || operand.held === true) return;
      given[`x${i}`] = tensor(operand.values, { shape: operand.dims, dtype: operand.dtype });
    });
    const floats = Object.entries(given).filter(([, t]) => t.dtype === "float32");
    const free = floats.map(([name, t]) => [name, new Parameter(t).value] as const);
    const whole = model.forward(given)["y0"];
    const translated = model.forward({ ...given, ...Object.fromEntries(free) })["y0"];
    if (whole === undefined || translated === undefined) throw new Error("no result");
    await evaluate(whole, translated.detach());
    const slopes = await slopesOf(
      c,
      run,
      translated,
      free.map(([, t]) => t),
    );
    return {
      wanted: plain(wanted.data as Float32Array),
      dims: wanted.dims,
      whole,
      translated,
      slopes,
    };
  } finally {
    await session.release();
  }
}

const weight = (i: number): number => Math.cos(0.7 + 1.9 * i);
const direction = (i: number): number => Math.sin(0.4 + 3.1 * i);

async function slopesOf(
  c: Case,
  run: (inputs: Case["inputs"]) => Promise<OrtTensor>,
  result: Tensor,
  free: readonly Tensor[],
): Promise<readonly [number, number]> {
  if (!result.requiresGrad) return [0, 0];
  const moved = (step: number): Case["inputs"] =>
    c.inputs.map((operand) =>
      operand?.dtype === "float32" && operand.held !== true
        ? { ...operand, values: operand.values.map((n, i) => n + step * direction(i)) }
        : operand,
    );
  const weighted = ({ data }: OrtTensor): number =>
    plain(data as Float32Array).reduce((sum, n, i) => sum + n * weight(i), 0);
  const [after, before] = [await run(moved(EPSILON)), await run(moved(-EPSILON))];
  const numeric = (weighted(after) - weighted(before)) / (2 * EPSILON);
  const weightsOf = tensor(
    Array.from({ length: result.numel }, (_, i) => weight(i)),
    { shape: result.shape },
  );
  const gradients = grad(result.mul(weightsOf).sum(), [...free]);
  let own = 0;
  for (const g of gradients) {
    const values = await g.data();
    plain(values).forEach((n, i) => (own += n * direction(i)));
  }
  return [numeric, own];
}
