import { internal } from "../../base/errors.ts";
import { mayAddWithin } from "./add-within.ts";
import { transportOf } from "./carriers.ts";
import { bodiesOf, GraphBuilder } from "./graph-builder.ts";
import { received, sent } from "./lower-halves.ts";
import { lowerStep, nameIn, type StepContext } from "./lower-step.ts";
import { CPU_FORMS, type Forms } from "./forms.ts";
import { encodeModel } from "../onnx/encode.ts";
import { loopBody, stepName } from "../onnx/loop-body.ts";
import type { OnnxGraph, OnnxValue } from "../onnx/model.ts";
import type { Weights } from "./packing.ts";
import { kernels } from "../program/kernels.ts";
import type { Feedback, Program } from "../program/program.ts";
import { isStep } from "../program/step.ts";

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
  const allSized = weights?.sized === "all";
  const context: StepContext = {
    graph,
    forms,
    names,
    addsWithin,
    sized: allSized,
    isBuiltIn: (id) => weights?.ids.has(id) === true,
    sizesOf: ({ sizes }, id) => {
      const within = weights?.sized === "all" || weights?.sized.has(id) === true;
      return sizes.map((slot) => (within ? sizeWithin(graph, program, slot) : sizeName(slot)));
    },
  };
  if (!allSized) program.sizes.forEach((_, slot) => graph.input(sizeName(slot), "int64"));
  program.values.forEach((value, id) => {
    const { dtype, shape } = value.tensor;
    if (isStep(value)) names.push(lowerStep(context, value, id));
    else if (weights?.ids.has(id) === true) {
      names.push(graph.weight(inputName(id), value.tensor, dtype));
    } else {
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
  const opset = opsetOf(once, hasOthersNodes(program) ? CPU_FORMS : forms);
  return { model: encodeModel(written, { opset }), externalData: graph.externalData };
}

/** The version of ONNX's operators that a graph needs, written in these forms. */
export function opsetOf({ nodes }: OnnxGraph, forms: Forms): number {
  const reinterprets = nodes.some(
    (node) =>
      node.op === "BitCast" ||
      bodiesOf(node).some((body) => body.nodes.some(({ op }) => op === "BitCast")),
  );
  return reinterprets ? BITCAST_OPSET : forms.opset;
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

function sizeWithin(graph: GraphBuilder, { sizes, scalarSizes }: Program, slot: number): string {
  const numbers = sizes[slot] ?? [];
  return graph.constant(numbers, "int64", scalarSizes.has(slot) ? [] : [numbers.length]);
}
