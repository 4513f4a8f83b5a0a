import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { PbfWriter } from "pbf";
import { evaluate, type FileValue, OnnxFile, OnnxModel, type Tensor, tensor } from "tsvene";
import type { CaseResult } from "./case-result.ts";

/** Of the largest number in a value. */
const TOLERANCE = 1e-4;

/**
 * Compares every value that an ONNX file computes with ONNX Runtime's own: both are asked for all of them, the
 * runtime by a file that has them as outputs.
 */
export async function replayOnnxFile(path: string): Promise<CaseResult> {
  const name = basename(path);
  const failed = { name, worst: NaN, tolerance: TOLERANCE, tensor: "", compared: 0, failed: true };
  try {
    const [wanted, got] = await bothRuns(await readFile(path));
    let [worst, at] = [0, ""];
    for (const [value, t] of Object.entries(got)) {
      const error = distance(t, wanted[value]);
      if (!(error <= worst)) [worst, at] = [error, value];
    }
    const compared = Object.keys(got).length;
    return {
      ...failed,
      worst,
      tensor: at,
      compared,
      failed: compared === 0 || !(worst <= TOLERANCE),
    };
  } catch (error) {
    return { ...failed, reason: error instanceof Error ? error.message : String(error) };
  }
}

type Runs = readonly [wanted: InferenceSession.ReturnType, got: Record<string, Tensor>];

async function bothRuns(bytes: Uint8Array): Promise<Runs> {
  const { graph } = (await OnnxFile.open(bytes)).model;
  const outputs = graph.outputs.map((value) => value.name);
  const made = graph.nodes.filter(({ op }) => op !== "Constant").flatMap((node) => node.outputs);
  const inner = made.filter((value) => value !== "" && !outputs.includes(value));
  const model = await OnnxModel.fromBytes(bytes, { outputs: [...inner, ...outputs] });
  const given = Object.fromEntries(model.inputs.map((value) => [value.name, someTensor(value)]));
  const got = model.forward(given);
  await evaluate(...Object.values(got));
  const session = await InferenceSession.create(withOutputs(bytes, inner), { logSeverityLevel: 4 });
  try {
    const feeds = Object.entries(given).map(([value, t]) => [value, fed(t)] as const);
    return [await session.run(Object.fromEntries(feeds)), got];
  } finally {
    await session.release();
  }
}

const fed = (t: Tensor): OrtTensor =>
  new OrtTensor(t.dtype as "float32", t.values as Float32Array, t.shape);

/** A file with more outputs: protobufs that stand one after the other are one. */
function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const writer = new PbfWriter();
  const value = (name: string, w: PbfWriter): void => w.writeStringField(1, name);
  const graph = (_: undefined, w: PbfWriter): void => {
    for (const name of names) w.writeMessage(12, value, name);
  };
  writer.writeMessage(7, graph, undefined);
  return Buffer.concat([bytes, writer.finish()]);
}

/** Sound of a length that detectors of voices take, and images of 64 by 64, where sizes are open. */
function someTensor({ name, dtype, dims = [] }: FileValue): Tensor {
  const open = dims.length === 2 ? 512 : 64;
  const sizeOf = (dim: number | string, i: number): number => {
    if (typeof dim === "number") return dim;
    return i === 0 || dim.startsWith("batch") || !/^(?:input|x|audio)/.test(name) ? 1 : open;
  };
  const shape = dims.map(sizeOf);
  const count = shape.reduce((product, n) => product * n, 1);
  const numbers = Array.from({ length: count }, (_, i) => Math.sin(1.7 * i) / 2);
  if (dtype === "float32") return tensor(numbers, { shape });
  const whole = dims.length === 0 ? 16_000 : 1;
  const kind = dtype === "int64" || dtype === "int32" || dtype === "bool" ? dtype : "float64";
  return tensor(Array<number>(count).fill(whole), { shape, dtype: kind });
}

function distance(t: Tensor, wanted: OrtTensor | undefined): number {
  const other = wanted?.data as ArrayLike<number | bigint> | undefined;
  const own = t.values;
  if (own === undefined || other?.length !== own.length) return Infinity;
  let [error, largest] = [0, 1e-6];
  for (let i = 0; i < own.length; i++) {
    const n = Number(other[i]);
    const difference = Math.abs(Number(own[i]) - n);
    if (!(difference <= error)) error = difference;
    largest = Math.max(largest, Math.abs(n));
  }
  return error / largest;
}
