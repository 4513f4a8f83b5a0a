import type { DType } from "../tensor/dtype.ts";
import type { Ops } from "../tensor/ops.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { Lowering } from "./lower.ts";
import { onnxDTypeCode } from "./onnx/encode.ts";
import type { OnnxDType } from "./onnx/model.ts";

/**
 * The type that values of a dtype have in a program: ONNX Runtime's JavaScript interface has no
 * bfloat16, whose bits travel as whole numbers.
 */
export function carrierOf(dtype: DType): Exclude<OnnxDType, "bfloat16"> {
  return dtype === "bfloat16" ? "uint16" : dtype;
}

function convert(graph: GraphBuilder, value: string, from: DType, to: DType): string {
  const read = from === "bfloat16" ? reinterpret(graph, value, "bfloat16") : value;
  const cast = graph.node("Cast", [read], { to: { int: onnxDTypeCode(to) } });
  return to === "bfloat16" ? reinterpret(graph, cast, "uint16") : cast;
}

function reinterpret(graph: GraphBuilder, value: string, as: OnnxDType): string {
  return graph.node("BitCast", [value], { to: { int: onnxDTypeCode(as) } });
}

/** Another element type. What only widens 16 bits is known as such, for {@link select}. */
export function cast({ graph, inputs, operands, attributes }: Lowering<Ops["cast"]>): string {
  const [source = ""] = inputs;
  const from = operands[0]?.dtype ?? attributes.dtype;
  const result = convert(graph, source, from, attributes.dtype);
  const widens = (from === "float16" || from === "bfloat16") && attributes.dtype === "float32";
  if (widens) graph.markWidened(result, { source, from });
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
    : convert(graph, gather(half.source), half.from, "float32");
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
