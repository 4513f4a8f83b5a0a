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

test("what the step of a scan reads from around it is kept, and follows its new name", () => {
  const graph = new GraphBuilder();
  const x = graph.input("x", "float32");
  const rates = graph.node("Exp", [x]);
  graph.node("Neg", [x]);
  const step = {
    name: "step",
    nodes: [{ op: "Mul", inputs: ["state", rates], outputs: ["next"] }],
    inputs: [{ name: "state", dtype: "float32" as const }],
    outputs: [{ name: "next", dtype: "float32" as const }],
  };
  const last = graph.node("Scan", [x], { body: { graph: step } });
  graph.output(last, "last");
  const outputs = (...names: string[]) =>
    names.map((name) => ({ name, dtype: "float32" }) as const);
  expect(graph.graph(outputs("last")).nodes.map(({ op }) => op)).toEqual(["Exp", "Scan"]);
  graph.output(rates, "rates");
  const [exp, scan] = graph.graph(outputs("last", "rates")).nodes;
  expect(exp?.outputs).toEqual(["rates"]);
  expect(scan?.attributes?.["body"]).toMatchObject({
    graph: { nodes: [{ op: "Mul", inputs: ["state", "rates"] }] },
  });
});
