import type { DType } from "../../tensor/dtype.ts";
import type { Ops } from "../../tensor/ops/ops.ts";
import type { Widening } from "../program/step.ts";
import type { BlockedWeight } from "./by-blocks.ts";
import { carrierOf, transportOf } from "./carriers.ts";
import type { GraphBuilder, Widened } from "./graph-builder.ts";
import type { Lowering } from "./lower.ts";
import { byRows } from "./lower-matrices.ts";
import { onnxDTypeCode } from "../onnx/element-types.ts";
import type { OnnxDType } from "../onnx/model.ts";

/** A value from outside, as the program computes with it. */
export function received(graph: GraphBuilder, bits: string, dtype: DType): string {
  if (transportOf(dtype) === carrierOf(dtype)) return bits;
  const value = reinterpret(graph, bits, dtype);
  graph.markBits(value, bits);
  return value;
}

/** A value as it is handed out. */
export function sent(graph: GraphBuilder, value: string, dtype: DType): string {
  const transport = transportOf(dtype);
  return transport === carrierOf(dtype) ? value : reinterpret(graph, value, transport);
}

function convert(graph: GraphBuilder, value: string, to: DType, how: Conversion): string {
  const { from, isBits = from === "bfloat16", copy } = how;
  const apart = copy === undefined ? {} : { copy };
  const read = isBits ? reinterpret(graph, value, from, apart) : value;
  const cast = graph.node("Cast", [read], { to: { int: onnxDTypeCode(to) } }, apart);
  return to === "bfloat16" ? reinterpret(graph, cast, "uint16") : cast;
}

/** What is converted, and whether on its own. */
interface Conversion {
  readonly from: DType;
  /** Whether it is whole numbers with the bits. */
  readonly isBits?: boolean;
  readonly copy?: number;
}

function reinterpret(
  graph: GraphBuilder,
  value: string,
  as: OnnxDType,
  options: { readonly copy?: number } = {},
): string {
  return graph.node("BitCast", [value], { to: { int: onnxDTypeCode(as) } }, options);
}

/** Another element type. What only widens 16 bits is known as such, for {@link select}. */
export function cast(l: Lowering<Ops["cast"]>): string {
  const { graph, inputs, operands, attributes } = l;
  const [source = ""] = inputs;
  const from = operands[0]?.dtype ?? attributes.dtype;
  const result = byRows(l, (x) => convert(graph, x, attributes.dtype, { from }));
  const widens = (from === "float16" || from === "bfloat16") && attributes.dtype === "float32";
  if (widens) graph.markWidened(result, { from, ...keptAs(graph, source, from) });
  return result;
}

/** What holds a value of 16 bits in a program, and whether that is whole numbers. */
function keptAs(graph: GraphBuilder, value: string, from: DType): Omit<Widened, "from"> {
  const bits = graph.bitsOf(value);
  return { source: bits ?? value, isBits: from === "bfloat16" || bits !== undefined };
}

/** One of the copies in float32 of a weight in 16 bits. */
export function widenedCopy(graph: GraphBuilder, source: string, widening: Widening): string {
  const { from, copy } = widening;
  const kept = keptAs(graph, source, from);
  const value = convert(graph, kept.source, "float32", { from, isBits: kept.isBits, copy });
  graph.markWidened(value, { from, ...kept });
  return value;
}

/** The same weight, of which a product widens a block after the other. */
export function inBlocks(
  graph: GraphBuilder,
  source: string,
  { from, blocks }: Widening,
): BlockedWeight | undefined {
  return blocks && { from, ...keptAs(graph, source, from), ...blocks };
}

/** Rows by number. Of a table that is kept in 16 bits, only the rows are widened. */
export function select({
  graph,
  inputs,
  operands,
  attributes,
}: Lowering<Ops["indexSelect"]>): string {
  const [table = "", given = ""] = inputs;
  const axis = { int: attributes.dim };
  const fromZero = attributes.fromZero === true;
  const index = fromZero ? unsigned(graph, given, operands[1]?.dtype) : given;
  const gather = (from: string): string =>
    graph.node("Gather", [from, index], { axis }, fromZero ? { name: "embedding" } : {});
  const half = graph.widened(table);
  return half === undefined
    ? gather(table)
    : convert(graph, gather(half.source), "float32", { from: half.from, isBits: half.isBits });
}

/** An index without its sign: a negative one is then larger than any table. */
function unsigned(graph: GraphBuilder, index: string, dtype: DType | undefined): string {
  const wide =
    dtype === "int64"
      ? index
      : graph.node("Cast", [index], { to: { int: onnxDTypeCode("int64") } });
  // 2 ** 63 - 1, which is no number of JavaScript.
  const all = graph.node("BitwiseNot", [graph.constant([-(2 ** 63)], "int64", [])]);
  return graph.node("BitwiseAnd", [wide, all]);
}
