import type { OnnxGraph, OnnxNode, OnnxValue } from "./model.ts";

/** What a loop does in each step. */
export interface LoopStep {
  /** Of the body, and of what is only in it: another one than that of a loop around it. */
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  /** What the step reads of the last one. */
  readonly states: readonly OnnxValue[];
  /** What the next step reads, and then what is stacked. */
  readonly results: readonly OnnxValue[];
}

/** Name of the number of the step, from 0, in a body of a name. */
export const stepName = (body: string): string => `${body}_i`;

/** The body of an ONNX `Loop` that ends only by its count. */
export function loopBody({ name, nodes, states, results }: LoopStep): OnnxGraph {
  const flag = { dtype: "bool", rank: 0 } as const;
  const [i, go, on] = [stepName(name), `${name}_go`, `${name}_on`];
  return {
    name,
    nodes: [{ op: "Identity", inputs: [go], outputs: [on] }, ...nodes],
    inputs: [{ name: i, dtype: "int64", rank: 0 }, { name: go, ...flag }, ...states],
    outputs: [{ name: on, ...flag }, ...results],
  };
}
