import { internal } from "../../base/errors.ts";
import type { Ops } from "../../tensor/ops/ops.ts";
import type { Lower, Lowering } from "./lower.ts";
import { int, type OnnxNode, type OnnxValue } from "../onnx/model.ts";
import { ONE_TEXT } from "../program/kernels.ts";

/** Names within a body; other graphs have no such names. */
const within = (label: string): string => `scan_${label}`;

/** One node of a body. */
const node = (op: string, inputs: readonly string[], output: string): OnnxNode => ({
  op,
  inputs,
  outputs: [within(output)],
});

/** A step: of `scan_state` and an entry of each sequence it makes `scan_next` and `scan_output`. */
interface Body {
  /** The state before the first step. */
  readonly initial: string;
  /** The state before that one, for steps that read `scan_older` too. */
  readonly older?: string;
  /** Values [steps, ...]. */
  readonly sequences: readonly { readonly name: string; readonly value: string }[];
  readonly nodes: readonly OnnxNode[];
  /** The rank of the state, of entries and of outputs. */
  readonly rank: number;
}

/** An ONNX `Scan`. @returns the last state, and the outputs of all steps. */
function scan(l: Lowering<unknown>, body: Body, reverse = false): readonly [string, string] {
  const { dtype } = l.result;
  const { initial, older, sequences, nodes, rank } = body;
  const isLong = older !== undefined;
  const value = (label: string): OnnxValue => ({ name: within(label), dtype, rank });
  const graph = {
    name: "step",
    nodes: isLong ? [...nodes, node("Identity", [within("state")], "kept")] : nodes,
    inputs: [
      value("state"),
      ...(isLong ? [value("older")] : []),
      ...sequences.map(({ name }) => value(name)),
    ],
    outputs: [value("next"), ...(isLong ? [value("kept")] : []), value("output")],
  };
  const direction = reverse ? 1 : 0;
  const results = l.graph.nodes(
    "Scan",
    [initial, ...(isLong ? [older] : []), ...sequences.map((sequence) => sequence.value)],
    {
      body: { graph },
      num_scan_inputs: { int: sequences.length },
      scan_input_directions: { ints: sequences.map(() => direction) },
      scan_output_directions: { ints: [direction] },
    },
    { outputs: graph.outputs.length },
  );
  const [last, outputs] = [results.at(0), results.at(-1)];
  if (last === undefined || outputs === undefined) return internal("Scan has outputs");
  return [last, outputs];
}

/** [a, b, ...] -> [b, a, ...] */
function swapped(l: Lowering<unknown>, value: string, rank: number): string {
  const rest = Array.from({ length: rank - 2 }, (_, d) => d + 2);
  return l.graph.node("Transpose", [value], { perm: { ints: [1, 0, ...rest] } });
}

export const recurrence: Lower<Ops["recurrence"]> = (l) => {
  const [decay = "", input = "", initial = ""] = l.inputs;
  const { rank } = l.result;
  const [, states] = scan(
    l,
    {
      initial,
      sequences: [
        { name: "decay", value: swapped(l, decay, rank) },
        { name: "input", value: swapped(l, input, rank) },
      ],
      nodes: [
        node("Mul", [within("state"), within("decay")], "faded"),
        node("Add", [within("faded"), within("input")], "next"),
        node("Identity", [within("next")], "output"),
      ],
      rank: rank - 1,
    },
    l.attributes.reverse,
  );
  return swapped(l, states, rank);
};

/** Columns are multiplied, for a matrix that is no constant times few columns is faster than rows times it. */
export const threeTerm: Lower<Ops["threeTerm"]> = (l) => {
  const { graph } = l;
  const [matrix = "", input = ""] = l.inputs;
  const sizes = graph.node("Shape", [input], { start: int(1) });
  const none = graph.node("Expand", [graph.constant([0], l.result.dtype, []), sizes]);
  const nodes = [
    node("MatMul", [matrix, within("state")], "turned"),
    node("Add", [within("turned"), within("older")], "both"),
    node("Add", [within("both"), within("input")], "next"),
    node("Identity", [within("next")], "output"),
  ];
  const sequences = [{ name: "input", value: input }];
  const body = { initial: none, older: none, sequences, nodes, rank: 2 };
  return scan(l, body, l.attributes.reverse)[1];
};

/**
 * A step at a time, and all of it: what a step reads and makes stays in the processor's cache, and
 * only the outputs are written out. States have their width last: there are more channels than
 * numbers in each one's state, and elementwise operations are fast along long rows.
 *
 * A single text's states are matrices, to which one kernel adds a product.
 */
export const selectiveScan: Lower<Ops["selectiveScan"]> = (l) => {
  const { graph } = l;
  const [x = "", dt = "", rates = "", into = "", out = "", initial = ""] = l.inputs;
  const single = l.variant === ONE_TEXT;
  const without = (value: string, axis: number): string =>
    graph.node("Squeeze", [value, graph.ints([axis])]);
  // [batch, steps, n] -> rows [steps, batch, 1, n] or columns [steps, batch, n, 1]
  const sequence = (name: string, value: string, row: boolean): Body["sequences"][number] => {
    const entries = single ? without(value, 0) : swapped(l, value, 3);
    return { name, value: graph.node("Unsqueeze", [entries, graph.ints([row ? -2 : -1])]) };
  };
  const rank = single ? 2 : 3;
  const [state, outputs] = scan(l, {
    initial: single ? without(initial, 0) : initial,
    sequences: [
      sequence("x", x, true),
      sequence("dt", dt, true),
      sequence("into", into, false),
      sequence("out", out, true),
    ],
    nodes: [
      node("Mul", [within("dt"), rates], "exponent"),
      node("Exp", [within("exponent")], "decay"),
      node("Mul", [within("state"), within("decay")], "faded"),
      ...(single ? ADDED_PRODUCT : PRODUCT_AND_SUM),
      node("MatMul", [within("out"), within("next")], "output"),
    ],
    rank,
  });
  const ofOne = (value: string): string => graph.node("Unsqueeze", [value, graph.ints([0])]);
  if (l.attributes.result === "state") return single ? ofOne(state) : state;
  const rows = without(outputs, -2);
  return single ? ofOne(rows) : swapped(l, rows, 3);
};

const ADDED_PRODUCT = [node("Gemm", [within("into"), within("x"), within("faded")], "next")];
const PRODUCT_AND_SUM = [
  node("MatMul", [within("into"), within("x")], "driven"),
  node("Add", [within("faded"), within("driven")], "next"),
];
