import type { OpName, Ops } from "../tensor/ops.ts";
import { internal } from "../tensor/errors.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { carrierOf } from "./half-carriers.ts";
import { type Lower, lowerings } from "./lower.ts";
import { encodeModel } from "./onnx/encode.ts";
import { isStep, type Program, type Step } from "./program.ts";

/** Name of the program's input for a value from outside, by the value's id. */
export const inputName = (id: number): string => `x${id}`;
/** Name of the program's input for a size operand, by its slot. */
export const sizeName = (slot: number): string => `s${slot}`;
/** Name of the i-th output. */
export const outputName = (i: number): string => `y${i}`;

/** The version of ONNX's operators that has `BitCast`. */
const BITCAST_OPSET = 26;

/**
 * Writes a program as an ONNX model. Only what the signature covers may influence it. Ranks are left
 * out: with a rank but no sizes, ONNX Runtime plans its memory in quadratic time.
 */
export function compileModel(program: Program): Uint8Array {
  const graph = new GraphBuilder();
  const names: string[] = [];
  program.sizes.forEach((_, slot) => {
    graph.input(sizeName(slot), "int64");
  });
  program.values.forEach((value, id) => {
    if (isStep(value)) names.push(lowerStep(graph, value, names));
    else names.push(graph.input(inputName(id), carrierOf(value.tensor.dtype)));
  });
  const outputs = program.outputs.map((id, i) => {
    const tensor = program.values[id]?.tensor ?? internal(`no value ${id}`);
    graph.output(names[id] ?? internal(`no name for value ${id}`), outputName(i));
    return { name: outputName(i), dtype: carrierOf(tensor.dtype) };
  });
  const written = graph.graph(outputs);
  const reinterprets = written.nodes.some(({ op }) => op === "BitCast");
  return encodeModel(written, reinterprets ? { opset: BITCAST_OPSET } : {});
}

function lowerStep(graph: GraphBuilder, step: Step, names: readonly string[]): string {
  const lower = lowerings[step.origin.op] as Lower<Ops[OpName]>;
  return lower({
    graph,
    inputs: step.inputs.map((id) => names[id] ?? internal(`no name for value ${id}`)),
    operands: step.origin.inputs,
    result: { dtype: step.tensor.dtype, rank: step.tensor.shape.length },
    attributes: step.origin.attributes,
    sizes: step.sizes.map(sizeName),
    variant: step.variant,
  });
}
