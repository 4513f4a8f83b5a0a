import { expect, test } from "vitest";
import { GraphBuilder } from "./graph-builder.ts";

test("conversions of inputs stand first, and each before what it gives to", () => {
  const graph = new GraphBuilder();
  const [x, w, v] = [graph.input("x", "float32"), graph.input("w", "uint16"), graph.input("v", "float16")]; // prettier-ignore
  const a = graph.node("Gemm", [x, graph.node("Cast", [graph.node("BitCast", [w])])]);
  const b = graph.node("Cast", [a]);
  graph.output(graph.node("Gemm", [b, graph.node("Cast", [v])]), "y");
  const { nodes } = graph.graph([{ name: "y", dtype: "float32" }]);
  expect(nodes.map(({ op }) => op)).toEqual(["BitCast", "Cast", "Cast", "Gemm", "Cast", "Gemm"]);
  const known = new Set(["x", "w", "v"]);
  for (const { inputs, outputs } of nodes) {
    expect(inputs.every((name) => known.has(name))).toBe(true);
    outputs.forEach((name) => known.add(name));
  }
});
