import type { DType } from "../../tensor/dtype.ts";
import type { Ops } from "../../tensor/ops/ops.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { Lowering } from "./lower.ts";
import { byRows } from "./lower-matrices.ts";
import { onnxDTypeCode } from "../onnx/encode.ts";
import type { OnnxDType } from "../onnx/model.ts";

/**
 * The type that values of a dtype have in a program: ONNX Runtime's JavaScript interface has no
 * bfloat16, whose bits travel as whole numbers.
 */
export function carrierOf(dtype: DType): Exclude<OnnxDType, "bfloat16"> {
  return dtype === "bfloat16" ? "uint16" : dtype;
}

/**
 * The type that values of a dtype come and go as. Where JavaScript has a Float16Array, ONNX Runtime's
 * own tensors hold one, which its addon for Node cannot read; then these bits travel as numbers too.
 */
export function transportOf(dtype: DType): Exclude<OnnxDType, "bfloat16"> {
  const bits = dtype === "float16" && "Float16Array" in globalThis;
  return bits ? "uint16" : carrierOf(dtype);
}

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

function convert(
  graph: GraphBuilder,
  value: string,
  from: DType,
  to: DType,
  isBits = from === "bfloat16",
): string {
  const read = isBits ? reinterpret(graph, value, from) : value;
  const cast = graph.node("Cast", [read], { to: { int: onnxDTypeCode(to) } });
  return to === "bfloat16" ? reinterpret(graph, cast, "uint16") : cast;
}

function reinterpret(graph: GraphBuilder, value: string, as: OnnxDType): string {
  return graph.node("BitCast", [value], { to: { int: onnxDTypeCode(as) } });
}

/** Another element type. What only widens 16 bits is known as such, for {@link select}. */
export function cast(l: Lowering<Ops["cast"]>): string {
  const { graph, inputs, operands, attributes } = l;
  const [source = ""] = inputs;
  const from = operands[0]?.dtype ?? attributes.dtype;
  const result = byRows(l, (x) => convert(graph, x, from, attributes.dtype));
  const widens = (from === "float16" || from === "bfloat16") && attributes.dtype === "float32";
  const bits = graph.bitsOf(source);
  const isBits = from === "bfloat16" || bits !== undefined;
  if (widens) graph.markWidened(result, { source: bits ?? source, from, isBits });
  return result;
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
    : convert(graph, gather(half.source), half.from, "float32", half.isBits);
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
