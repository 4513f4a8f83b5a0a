import type { OpName, Ops } from "../../tensor/ops/ops.ts";
import { internal } from "../../base/errors.ts";
import { mayAddWithin } from "./add-within.ts";
import type { BlockedWeight } from "./by-blocks.ts";
import { transportOf } from "./carriers.ts";
import { bodiesOf, GraphBuilder } from "./graph-builder.ts";
import { inBlocks, received, sent, widenedCopy } from "./lower-halves.ts";
import { CPU_FORMS, type Forms } from "./forms.ts";
import type { Lower, Lowering } from "./lower.ts";
import { encodeModel } from "../onnx/encode.ts";
import { loopBody, stepName } from "../onnx/loop-body.ts";
import type { OnnxGraph, OnnxValue } from "../onnx/model.ts";
import type { Weights } from "./packing.ts";
import { kernels } from "../program/kernels.ts";
import type { Feedback, Program } from "../program/program.ts";
import { type Attention, isStep, type Step } from "../program/step.ts";

/** Name of the program's input for a value from outside, by the value's id. */
export const inputName = (id: number): string => `x${id}`;
/** Name of the program's input for a size operand, by its slot. */
export const sizeName = (slot: number): string => `s${slot}`;
/** Name of the i-th output. */
export const outputName = (i: number): string => `y${i}`;
/** Name of the input that says how many steps a loop has. */
export const TIMES = "times";

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
 *
 * @param forms How it is written for the device that is to run it.
 */
export function compileModel(
  program: Program,
  weights?: Weights,
  forms: Forms = CPU_FORMS,
): CompiledModel {
  const graph = new GraphBuilder();
  const names: string[] = [];
  const addsWithin = mayAddWithin(program, weights !== undefined);
  const context: Context = { graph, program, weights, forms, names, addsWithin };
  const allSized = weights?.sized === "all";
  if (!allSized) program.sizes.forEach((_, slot) => graph.input(sizeName(slot), "int64"));
  program.values.forEach((value, id) => {
    const { dtype, shape } = value.tensor;
    if (isStep(value)) names.push(lowerStep(context, value, id));
    else if (weights?.ids.has(id) === true) names.push(graph.weight(inputName(id), value.tensor));
    else {
      const bits = graph.input(inputName(id), transportOf(dtype), allSized ? shape : undefined);
      names.push(received(graph, bits, dtype));
    }
  });
  const { feedback, each = [] } = program;
  const rename = feedback === undefined ? outputName : bodyOutputName;
  const outputs = program.outputs.map((id, i) => {
    const tensor = program.values[id]?.tensor ?? internal(`no value ${id}`);
    const name = sent(graph, nameIn(names, id), tensor.dtype);
    graph.output(name, rename(i), feedback === undefined ? "elements" : "shape");
    return { name: rename(i), dtype: transportOf(tensor.dtype) };
  });
  const once = graph.graph(outputs);
  const written = feedback === undefined ? once : loopOf(once, feedback, each);
  const reinterprets = once.nodes.some(
    (node) =>
      node.op === "BitCast" ||
      bodiesOf(node).some(({ nodes }) => nodes.some(({ op }) => op === "BitCast")),
  );
  const opset = hasOthersNodes(program) ? CPU_FORMS.opset : forms.opset;
  const model = encodeModel(written, { opset: reinterprets ? BITCAST_OPSET : opset });
  return { model, externalData: graph.externalData };
}

/** Whether nodes are in a program that others wrote, in the version of operators of {@link CPU_FORMS}. */
export function hasOthersNodes({ values }: Program): boolean {
  return values.some((value) => isStep(value) && kernels[value.origin.op].asWritten);
}

/** Name of the input for what a loop's state is at first, by the id of the value. */
export const initialName = (id: number): string => `${inputName(id)}_0`;

/** Name of the input that has a value for each step, stacked, by the id of the value. */
export const eachName = (id: number): string => `${inputName(id)}_each`;

const bodyOutputName = (i: number): string => `step_y${i}`;

/**
 * A graph as the body of a loop: what is fed back are the loop's states, all other outputs are
 * stacked, and all other inputs are the same in each step, but for those of which there is one `each`.
 */
function loopOf(
  graph: OnnxGraph,
  feedback: readonly Feedback[],
  each: readonly number[],
): OnnxGraph {
  const inner = new Set([...feedback.map(({ input }) => input), ...each].map(inputName));
  const outer = graph.inputs.filter(({ name }) => !inner.has(name));
  const stacks = each.map((id) => ({
    name: eachName(id),
    dtype: inputOf(graph, id).dtype,
  }));
  const picks = each.map((id) => ({
    op: "Gather",
    inputs: [eachName(id), stepName(BODY)],
    outputs: [inputName(id)],
  }));
  const states = feedback.map(({ input, output }) => ({
    id: input,
    input: inputOf(graph, input),
    output: graph.outputs[output] ?? internal("no such output"),
    place: output,
  }));
  const fed = new Set(states.map(({ place }) => place));
  const stacked = graph.outputs.flatMap((value, place) =>
    fed.has(place) ? [] : [{ value, place }],
  );
  const initial = states.map(({ id, input }) => ({ ...input, name: initialName(id) }));
  const body = loopBody({
    name: BODY,
    nodes: [...picks, ...graph.nodes],
    states: states.map(({ input }) => input),
    results: [...states.map(({ output }) => output), ...stacked.map(({ value }) => value)],
  });
  const places = [...states, ...stacked].map(({ place }) => place);
  return {
    ...graph,
    nodes: [
      {
        op: "Loop",
        inputs: [TIMES, "", ...initial.map(({ name }) => name)],
        outputs: places.map(outputName),
        attributes: { body: { graph: body } },
      },
    ],
    inputs: [{ name: TIMES, dtype: "int64", rank: 0 }, ...outer, ...stacks, ...initial],
    outputs: graph.outputs.map(({ dtype }, i) => ({ name: outputName(i), dtype })),
  };
}

/** Name of the body of a loop. */
const BODY = "step";

function inputOf({ inputs }: OnnxGraph, id: number): OnnxValue {
  return inputs.find(({ name }) => name === inputName(id)) ?? internal(`no input ${id}`);
}

/** What has been written of a program. */
interface Context {
  readonly graph: GraphBuilder;
  readonly program: Program;
  /** The weights that are built in. */
  readonly weights: Weights | undefined;
  readonly forms: Forms;
  /** Names of the values so far, by their ids. */
  readonly names: readonly string[];
  readonly addsWithin: boolean;
}

function lowerStep(context: Context, step: Step, id: number): string {
  const { graph, program, weights, forms, names, addsWithin } = context;
  if (step.attention !== undefined && forms.attention === "kernel") {
    return lowerAttention(graph, step.attention, names);
  }
  const lower = forms.lowerings[step.origin.op] as Lower<Ops[OpName]>;
  const sized = weights?.sized === "all" || weights?.sized.has(id) === true;
  const packed = weights?.ids.has(step.inputs[1] ?? -1) === true;
  return lower({
    graph,
    ...weightsRead(context, step),
    operands: step.origin.inputs,
    result: { dtype: step.tensor.dtype, rank: step.tensor.shape.length },
    attributes: step.origin.attributes,
    sized: weights?.sized === "all",
    sizes: step.sizes.map((slot) => (sized ? sizeWithin(graph, program, slot) : sizeName(slot))),
    // What is inside is packed beforehand: nothing is won by turning the product round.
    variant: packed ? "" : step.variant,
    addsWithin,
  });
}

/** The operands by name, and which of them is widened while it is read. */
function weightsRead({ graph, names }: Context, { inputs, widenings }: Step): WeightsRead {
  let blocked: BlockedWeight | undefined;
  const operands = inputs.map((input) => {
    const widening = widenings?.get(input);
    if (widening === undefined) return nameIn(names, input);
    const source = nameIn(names, widening.source);
    blocked ??= inBlocks(graph, source, widening);
    return widening.blocks ? (blocked?.source ?? source) : widenedCopy(graph, source, widening);
  });
  return { inputs: operands, blocked };
}

type WeightsRead = Pick<Lowering<unknown>, "inputs" | "blocked">;

function lowerAttention(
  graph: GraphBuilder,
  { query, key, value, mask, scale, cache }: Attention,
  names: readonly string[],
): string {
  const name = (id: number | undefined): string => (id === undefined ? "" : nameIn(names, id));
  const attributes = { scale: { float: scale } };
  if (cache === undefined) {
    const operands = [query, key, value, ...(mask === undefined ? [] : [mask])];
    return graph.node("Attention", operands.map(name), attributes);
  }
  const operands = [
    query,
    cache.key.added,
    cache.value.added,
    mask,
    cache.key.past,
    cache.value.past,
  ];
  const [mixed = "", keys = "", values = ""] = graph.nodes(
    "Attention",
    operands.map(name),
    attributes,
    {
      outputs: 3,
    },
  );
  // The kernel puts keys and values together itself.
  graph.replace(name(key), keys);
  graph.replace(name(value), values);
  return mixed;
}

function nameIn(names: readonly string[], id: number): string {
  return names[id] ?? internal(`no name for value ${id}`);
}

function sizeWithin(graph: GraphBuilder, { sizes, scalarSizes }: Program, slot: number): string {
  const numbers = sizes[slot] ?? [];
  return graph.constant(numbers, "int64", scalarSizes.has(slot) ? [] : [numbers.length]);
}
