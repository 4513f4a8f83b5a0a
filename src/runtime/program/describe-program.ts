import { itemsize } from "../../tensor/dtype.ts";
import { numel } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { narrow } from "./narrow.ts";
import { buildProgram, type Program } from "./program.ts";
import { isStep, type Value } from "./step.ts";

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

/**
 * What evaluating these tensors together would do: exactly the program that would run, after
 * everything that is not asked for has been cut away. Nothing is compiled or computed.
 */
export function describeProgram(tensors: readonly Tensor[]): ProgramDescription {
  const program = buildProgram(narrow([...new Set(tensors)].filter((t) => t.values === undefined)));
  const { nodes, byOp, multiplyAdds } = program.work;
  return {
    nodes,
    nodesByOp: Object.fromEntries(byOp),
    multiplyAdds,
    inputBytes: program.values.reduce((n, value) => (isStep(value) ? n : n + bytesOf(value)), 0),
    peakBytes: peakOf(program),
  };
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
