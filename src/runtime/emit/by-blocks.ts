import { onnxDTypeCode } from "../onnx/element-types.ts";
import type { OnnxNode, OnnxValue } from "../onnx/model.ts";
import type { Blocks } from "../program/step.ts";
import { carrierOf } from "./carriers.ts";
import type { GraphBuilder, Widened } from "./graph-builder.ts";

/** A weight in 16 bits that is widened block by block. */
export interface BlockedWeight extends Blocks, Widened {}

/** Names within a body; other graphs have no such names. */
const within = (label: string): string => `block_${label}`;

const node = (op: string, inputs: readonly string[], output: string): OnnxNode => ({
  op,
  inputs,
  outputs: [within(output)],
});

/** How a body comes by its blocks: what is handed to it, one entry a block, and what it does first. */
interface Source {
  readonly sequences: readonly { readonly name: string; readonly value: OnnxValue }[];
  readonly nodes: readonly OnnxNode[];
}

/**
 * A product of matrices one of which is a weight in 16 bits: an ONNX `Scan` over the blocks of the
 * weight, each of which is widened, multiplied and forgotten.
 *
 * @param product The node for the whole weight, which reads `weight.source`; a third operand is a
 * bias, of which each block has its part.
 */
export function byBlocks(
  graph: GraphBuilder,
  weight: BlockedWeight,
  product: Omit<OnnxNode, "outputs">,
): string {
  const [, , bias] = product.inputs;
  const { sequences, nodes } = isEven(weight)
    ? viewed(graph, weight, bias)
    : sliced(graph, weight, bias);
  const own = new Map([
    [weight.source, within("weight")],
    [bias ?? "", within("bias")],
  ]);
  const multiplied = {
    ...product,
    inputs: product.inputs.map((name) => own.get(name) ?? name),
    outputs: [within("product")],
  };
  const body = {
    name: "block",
    nodes: [...nodes, ...widening(weight), multiplied],
    inputs: sequences.map(({ value }) => value),
    outputs: [{ name: within("product"), dtype: "float32", rank: 2 }] as const,
  };
  const stack = graph.node(
    "Scan",
    sequences.map(({ name }) => name),
    { body: { graph: body }, num_scan_inputs: { int: sequences.length } },
  );
  return joined(graph, weight, stack, product.inputs[0] === weight.source ? 0 : 1);
}

function isEven({ dim, size, starts, shape }: Blocks): boolean {
  return dim === 0 && size * starts.length === shape[0];
}

/** Blocks of rows that come out even are read where they lie. */
function viewed(graph: GraphBuilder, weight: BlockedWeight, bias: string | undefined): Source {
  const { source, size, starts, shape } = weight;
  const entry = (name: string, sizes: readonly number[], value: OnnxValue) => ({
    name: graph.node("Reshape", [name, graph.ints([starts.length, size, ...sizes])]),
    value,
  });
  const dtype = weight.isBits ? "uint16" : carrierOf(weight.from);
  const biases =
    bias === undefined
      ? []
      : [entry(bias, [], { name: within("bias"), dtype: "float32", rank: 1 })];
  return {
    sequences: [entry(source, [shape[1]], { name: within("kept"), dtype, rank: 2 }), ...biases],
    nodes: [],
  };
}

/** Others are copied, in 16 bits. */
function sliced(graph: GraphBuilder, weight: BlockedWeight, bias: string | undefined): Source {
  const { source, dim, size, starts } = weight;
  const slice = (whole: string, along: number, output: string): OnnxNode =>
    node("Slice", [whole, within("start"), within("end"), graph.ints([along])], output);
  return {
    sequences: [
      {
        name: graph.constant(starts, "int64", [starts.length, 1]),
        value: { name: within("start"), dtype: "int64", rank: 1 },
      },
    ],
    nodes: [
      node("Add", [within("start"), graph.ints([size])], "end"),
      slice(source, dim, "kept"),
      ...(bias === undefined ? [] : [slice(bias, 0, "bias")]),
    ],
  };
}

function widening({ from, isBits }: BlockedWeight): readonly OnnxNode[] {
  const to = (dtype: typeof from | "float32"): Pick<OnnxNode, "attributes"> => ({
    attributes: { to: { int: onnxDTypeCode(dtype) } },
  });
  const half = isBits ? "half" : "kept";
  return [
    ...(isBits ? [{ ...node("BitCast", [within("kept")], half), ...to(from) }] : []),
    { ...node("Cast", [within(half)], "weight"), ...to("float32") },
  ];
}

/** The products of all blocks as one matrix, along its dimension `along`. */
function joined(graph: GraphBuilder, blocks: Blocks, stack: string, along: 0 | 1): string {
  const { size, starts, dim, shape } = blocks;
  const all = size * starts.length;
  const columns = (): string => graph.node("Transpose", [stack], { perm: { ints: [1, 0, 2] } });
  const matrix =
    along === 0
      ? graph.node("Reshape", [stack, graph.ints([all, -1])])
      : graph.node("Reshape", [columns(), graph.ints([0, all])]);
  if (all === shape[dim]) return matrix;
  const part = (from: number, to: number): string =>
    graph.node("Slice", [matrix, ...[[from], [to], [along]].map((n) => graph.ints(n))]);
  const twice = all - shape[dim];
  const parts = [part(0, all - size), part(all - size + twice, all)];
  return graph.node("Concat", parts, { axis: { int: along } });
}
