import type { OpName, Ops } from "../tensor/ops.ts";
import { internal } from "../tensor/errors.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { carrierOf } from "./half-carriers.ts";
import { type Lower, lowerings } from "./lower.ts";
import { encodeModel } from "./onnx/encode.ts";
import type { Weights } from "./packing.ts";
import type { Program } from "./program.ts";
import { type Attention, isStep, type Step } from "./step.ts";

/** Name of the program's input for a value from outside, by the value's id. */
export const inputName = (id: number): string => `x${id}`;
/** Name of the program's input for a size operand, by its slot. */
export const sizeName = (slot: number): string => `s${slot}`;
/** Name of the i-th output. */
export const outputName = (i: number): string => `y${i}`;

/** The version of ONNX's operators that has `BitCast`. */
const BITCAST_OPSET = 26;

/** A program in ONNX Runtime's hands: the model, and the weights built into it. */
export interface CompiledModel {
  readonly model: Uint8Array;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/**
 * Writes a program as an ONNX model, with these weights inside. Only what the signature and the key
 * of the weights cover may influence it. Ranks are left out: with a rank but no sizes, ONNX Runtime
 * plans its memory in quadratic time.
 */
export function compileModel(program: Program, weights?: Weights): CompiledModel {
  const graph = new GraphBuilder();
  const names: string[] = [];
  const allSized = weights?.sized === "all";
  if (!allSized) program.sizes.forEach((_, slot) => graph.input(sizeName(slot), "int64"));
  program.values.forEach((value, id) => {
    const { dtype, shape } = value.tensor;
    if (isStep(value)) names.push(lowerStep(graph, program, id, { step: value, names, weights }));
    else if (weights?.ids.has(id) === true) names.push(graph.weight(inputName(id), value.tensor));
    else names.push(graph.input(inputName(id), carrierOf(dtype), allSized ? shape : undefined));
  });
  const outputs = program.outputs.map((id, i) => {
    const tensor = program.values[id]?.tensor ?? internal(`no value ${id}`);
    graph.output(names[id] ?? internal(`no name for value ${id}`), outputName(i));
    return { name: outputName(i), dtype: carrierOf(tensor.dtype) };
  });
  const written = graph.graph(outputs);
  const reinterprets = written.nodes.some(({ op }) => op === "BitCast");
  const model = encodeModel(written, reinterprets ? { opset: BITCAST_OPSET } : {});
  return { model, externalData: graph.externalData };
}

interface Place {
  readonly step: Step;
  readonly names: readonly string[];
  readonly weights: Weights | undefined;
}

function lowerStep(
  graph: GraphBuilder,
  program: Program,
  id: number,
  { step, names, weights }: Place,
): string {
  if (step.attention !== undefined) return lowerAttention(graph, step.attention, names);
  const lower = lowerings[step.origin.op] as Lower<Ops[OpName]>;
  const sized = weights?.sized === "all" || weights?.sized.has(id) === true;
  const packed = weights?.ids.has(step.inputs[1] ?? -1) === true;
  return lower({
    graph,
    inputs: step.inputs.map((input) => names[input] ?? internal(`no name for value ${input}`)),
    operands: step.origin.inputs,
    result: { dtype: step.tensor.dtype, rank: step.tensor.shape.length },
    attributes: step.origin.attributes,
    sized: weights?.sized === "all",
    sizes: step.sizes.map((slot) => (sized ? sizeWithin(graph, program, slot) : sizeName(slot))),
    // What is inside is packed beforehand: nothing is won by turning the product round.
    variant: packed ? "" : step.variant,
  });
}

function lowerAttention(
  graph: GraphBuilder,
  { query, key, value, mask, scale }: Attention,
  names: readonly string[],
): string {
  const inputs = [query, key, value, ...(mask === undefined ? [] : [mask])];
  const operands = inputs.map((id) => names[id] ?? internal(`no name for value ${id}`));
  return graph.node("Attention", operands, { scale: { float: scale } });
}

function sizeWithin(graph: GraphBuilder, { sizes, scalarSizes }: Program, slot: number): string {
  const numbers = sizes[slot] ?? [];
  return graph.constant(numbers, "int64", scalarSizes.has(slot) ? [] : [numbers.length]);
}
