import type { Ops } from "../../tensor/ops/ops.ts";
import { numel } from "../../tensor/shape.ts";
import { byBlocks } from "./by-blocks.ts";
import { MICROSOFT } from "./graph-builder.ts";
import type { Lower, Lowering } from "./lower.ts";
import { flag, int, type OnnxAttributes } from "../onnx/model.ts";
import { SAME_SHAPE } from "../program/kernels.ts";

/** The matrix of an operand. */
function rowsOf({ graph, inputs, operands, sized }: Lowering<unknown>, i: number): string {
  const [x = "", shape = []] = [inputs[i], operands[i]?.shape];
  const known = shape.length === 2 ? x : graph.form(x)?.rows;
  if (known !== undefined) return known;
  if (!sized || graph.source(x) === x) {
    return graph.node("Flatten", [x], { axis: int(shape.length - 1) });
  }
  return graph.reshape(x, graph.ints([numel(shape.slice(0, -1)), shape.at(-1) ?? 1]));
}

/** A product of matrices; with a weight that is to be widened block by block, block by block. */
export function product(
  l: Lowering<unknown>,
  op: string,
  inputs: readonly string[],
  attributes: OnnxAttributes = {},
  options: { readonly custom?: boolean } = {},
): string {
  if (l.blocked === undefined) return l.graph.node(op, inputs, attributes, options);
  const domain = options.custom === true ? { domain: MICROSOFT } : {};
  return byBlocks(l.graph, l.blocked, { op, inputs, attributes, ...domain });
}

/** a bᵀ, or a b, of matrices. */
type Product = (l: Lowering<unknown>, a: string, b: string, turnsB?: boolean) => string;

const gemm: Product = (l, a, b, turnsB = true) =>
  product(l, "Gemm", [a, b], { transB: flag(turnsB) });

/** ONNX Runtime has the kernel without a sum for float32 only. */
const fused: Product = (l, a, b, turnsB = true) =>
  l.result.dtype === "float32"
    ? product(l, "FusedMatMul", [a, b], { transB: flag(turnsB) }, { custom: true })
    : gemm(l, a, b, turnsB);

/** x Wᵀ + b as it is written. */
function straight(l: Lowering<Ops["linear"]>, productOf: Product): string {
  const { graph, inputs, sizes } = l;
  const [, w = "", b] = inputs;
  const rows = rowsOf(l, 0);
  if (b === undefined) return graph.fromRows(productOf(l, rows, w), sizes[0]);
  const sum = l.addsWithin
    ? product(l, "Gemm", [rows, w, b], { transB: int(1) })
    : graph.node("Add", [productOf(l, rows, w), b]);
  return graph.fromRows(sum, sizes[0]);
}

/** x Wᵀ + b, where there is one way to compute it and one kernel for it. */
export const plainLinear: Lower<Ops["linear"]> = (l) => straight(l, gemm);

/** x Wᵀ + b; `linearVariant` says why there are two ways. */
export const linear: Lower<Ops["linear"]> = (l) => {
  const { graph, inputs, sizes, variant } = l;
  if (variant !== "turned") return straight(l, fused);
  const [x = "", w = "", b] = inputs;
  const before = graph.form(x)?.columns;
  const turned = fused(l, w, before ?? rowsOf(l, 0), before === undefined);
  if (b === undefined) return graph.fromColumns(turned, sizes[0]);
  const column = graph.node("Unsqueeze", [b, graph.ints([1])]);
  return graph.fromColumns(graph.node("Add", [turned, column]), sizes[0]);
};

/** What is done along the last dimension, or to each element, of one operand: on its matrix. */
export function byRows(l: Lowering<unknown>, emit: (x: string) => string): string {
  const form = l.graph.form(l.inputs[0] ?? "");
  return form === undefined
    ? emit(l.inputs[0] ?? "")
    : l.graph.fromRows(emit(form.rows), form.shape);
}

/** An elementwise operation: on the matrices, or their transposes, where operands have such. */
export function elementwise(l: Lowering<unknown>, emit: (x: string[]) => string): string {
  const { graph, inputs, operands } = l;
  const ranks = operands.map(({ shape }) => shape.length);
  const forms = inputs.map((x) => graph.form(x));
  const large = ranks.filter((rank) => rank > 1).length;
  const shape = forms.find((form) => form !== undefined)?.shape;
  const known = forms.some((form) => form !== undefined);
  if (!known || (large > 1 && l.variant !== SAME_SHAPE)) return emit([...inputs]);
  const columns = inputs.map((x, i) => (ranks[i] === 0 ? x : forms[i]?.columns));
  if (columns.every((x) => x !== undefined)) return graph.fromColumns(emit(columns), shape);
  return graph.fromRows(
    emit(inputs.map((x, i) => ((ranks[i] ?? 0) > 1 ? rowsOf(l, i) : x))),
    shape,
  );
}

/** A norm over the last dimensions. */
export const norm =
  (op: string): Lower<{ readonly axes: number; readonly eps: number }> =>
  (l) => {
    const { axes, eps } = l.attributes;
    const attributes = { axis: int(-axes), epsilon: { float: eps } };
    const emit = (x: string): string => l.graph.node(op, [x, ...l.inputs.slice(1)], attributes);
    return axes === 1 ? byRows(l, emit) : emit(l.inputs[0] ?? "");
  };
