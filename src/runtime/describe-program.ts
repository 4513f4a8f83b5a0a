import { itemsize } from "../tensor/dtype.ts";
import { numel } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { narrow } from "./narrow.ts";
import { buildProgram, type Program } from "./program.ts";
import { isStep, type Step, type Value } from "./step.ts";

/** What a program does, known before it is compiled or run. */
export interface ProgramDescription {
  /** Operations. */
  readonly nodes: number;
  /** The same by operation, as `{ linear: 12, ... }`. */
  readonly nodesByOp: Readonly<Record<string, number>>;
  /** Multiply-adds in matrix products and convolutions. */
  readonly multiplyAdds: number;
  /** Bytes of what comes from outside: weights and other data. */
  readonly inputBytes: number;
  /**
   * Most bytes of computed values that are needed at one time, results included, when the
   * operations run one after the other. The engine may need less, by writing over operands, or more.
   */
  readonly peakBytes: number;
}

/** Multiply-adds of one step; only products count. */
export function multiplyAdds({ tensor, origin }: Step): number {
  const [x, w] = origin.inputs;
  const isProduct = origin.op === "matmul" || origin.op === "linear";
  if (isProduct) return numel(tensor.shape) * (x?.shape.at(-1) ?? 0);
  if (origin.op === "conv") return numel(tensor.shape) * numel(w?.shape.slice(1) ?? []);
  if (origin.op === "convTranspose") return numel(x?.shape ?? []) * numel(w?.shape.slice(1) ?? []);
  // Each number of a state fades and is read out at each step.
  if (origin.op === "selectiveScan") return 2 * numel(x?.shape ?? []) * (origin.inputs[2]?.shape[0] ?? 0); // prettier-ignore
  if (origin.op === "recurrence") return numel(tensor.shape);
  return 0;
}

/**
 * What evaluating these tensors together would do: exactly the program that would run, after
 * everything that is not asked for has been cut away. Nothing is compiled or computed.
 */
export function describeProgram(tensors: readonly Tensor[]): ProgramDescription {
  const program = buildProgram(narrow([...new Set(tensors)].filter((t) => t.values === undefined)));
  const nodesByOp: Record<string, number> = {};
  let [nodes, products, inputBytes] = [0, 0, 0];
  for (const value of program.values) {
    if (!isStep(value)) {
      inputBytes += bytesOf(value);
      continue;
    }
    const { op } = value.origin;
    nodes++;
    nodesByOp[op] = (nodesByOp[op] ?? 0) + 1;
    products += multiplyAdds(value);
  }
  return { nodes, nodesByOp, multiplyAdds: products, inputBytes, peakBytes: peakOf(program) };
}

/** One number for each tensor; equal ones are computed once when the tensors are computed together. */
export function valueIds(tensors: readonly Tensor[]): readonly number[] {
  return buildProgram(tensors).outputs.slice(0, tensors.length);
}

function bytesOf({ tensor: { shape, dtype } }: Value): number {
  return numel(shape) * itemsize(dtype);
}

function peakOf({ values, outputs }: Program): number {
  const lastUse = values.map((_, id) => id);
  values.forEach((value, id) => {
    if (isStep(value)) for (const input of value.inputs) lastUse[input] = id;
  });
  for (const id of outputs) lastUse[id] = values.length;
  const freed = new Map<number, number>();
  let [held, peak] = [0, 0];
  values.forEach((value, id) => {
    if (!isStep(value)) return;
    const bytes = bytesOf(value);
    held += bytes;
    peak = Math.max(peak, held);
    const end = lastUse[id] ?? id;
    freed.set(end, (freed.get(end) ?? 0) + bytes);
    held -= freed.get(id) ?? 0;
  });
  return peak;
}
