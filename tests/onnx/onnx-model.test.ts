import { describe, expect, test } from "vitest";
import {
  Adam,
  CollectIntervention,
  EditScope,
  evaluate,
  inspectOnnx,
  IntervenableModel,
  LowRankRotatedSpaceIntervention,
  OnnxModel,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { encodeModel } from "../../src/runtime/onnx/encode.ts";
import type { OnnxGraph, OnnxNode } from "../../src/runtime/onnx/model.ts";

const node = (
  op: string,
  inputs: string[],
  output: string,
  more: Partial<OnnxNode> = {},
): OnnxNode => ({
  op,
  name: `node of ${output}`,
  inputs,
  outputs: [output],
  ...more,
});

function floats(
  name: string,
  dims: number[],
  shift: number,
): NonNullable<OnnxGraph["initializers"]>[number] {
  const count = dims.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: count }, (_, i) => Math.sin(shift + 1.7 * i));
  return { name, dtype: "float32", dims, data: new Uint8Array(values.buffer) };
}

/** Two layers [batch, position, 4] with a residual stream, and a mean over positions. */
const network = (): OnnxGraph => ({
  name: "network",
  inputs: [{ name: "input.1", dtype: "float32", dims: ["batch", "length", 4] }],
  outputs: [{ name: "logits", dtype: "float32", dims: ["batch", 3] }],
  initializers: [
    floats("h.0.weight", [4, 4], 1),
    floats("h.1.weight", [4, 4], 2),
    floats("head.weight", [4, 3], 3),
  ],
  nodes: [
    node("MatMul", ["input.1", "h.0.weight"], "/h.0/MatMul_output_0"),
    node("Tanh", ["/h.0/MatMul_output_0"], "/h.0/Tanh_output_0"),
    node("Add", ["input.1", "/h.0/Tanh_output_0"], "/h.0/Add_output_0"),
    node("MatMul", ["/h.0/Add_output_0", "h.1.weight"], "/h.1/MatMul_output_0"),
    node("Tanh", ["/h.1/MatMul_output_0"], "/h.1/Tanh_output_0"),
    node("Add", ["/h.0/Add_output_0", "/h.1/Tanh_output_0"], "/h.1/Add_output_0"),
    node("ReduceMean", ["/h.1/Add_output_0"], "/pool", {
      attributes: { axes: { ints: [1] }, keepdims: { int: 0 } },
    }),
    node("MatMul", ["/pool", "head.weight"], "logits"),
  ],
});

const open = (graph: OnnxGraph = network()): Promise<OnnxModel> =>
  OnnxModel.fromBytes(encodeModel(graph, { opset: 17 }));

function inputs(shift: number, rows = 2, length = 3): { readonly "input.1": Tensor } {
  const values = Array.from({ length: rows * length * 4 }, (_, i) => Math.cos(shift + 0.9 * i));
  return { "input.1": tensor(values, { shape: [rows, length, 4] }) };
}

const PLACE = "/h.0/Add_output_0";

async function logitsOf(output: Record<string, Tensor>): Promise<number[]> {
  return Array.from(await (output["logits"] as Tensor).data(), Number);
}

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((n, i) => expect(n).toBeCloseTo(wanted[i] ?? NaN, 5));
}

describe("interventions by the file's own names", () => {
  test("an interchange of all positions gives the source's answer", async () => {
    const model = await open();
    const edited = new IntervenableModel(
      {
        component: PLACE,
        intervention: VanillaIntervention,
      },
      model,
    );
    const { original, intervened } = edited.forward(inputs(1), {
      sources: [inputs(2)],
      unitLocations: { "sources->base": [0, 1, 2] },
    });
    const wanted = await logitsOf(model.forward(inputs(2)));
    await evaluate(...Object.values(original), ...Object.values(intervened));
    expectClose(await logitsOf(intervened), wanted);
    expectClose(await logitsOf(original), await logitsOf(model.forward(inputs(1))));
  });

  test("zero, collect and functions see what the file computes", async () => {
    const model = await open();
    const edited = new IntervenableModel(
      [
        { component: "/h.0/Tanh_output_0", intervention: ZeroIntervention },
        { component: PLACE, intervention: CollectIntervention },
      ],
      model,
    );
    const base = inputs(1);
    const { collected } = edited.forward(base, { unitLocations: { base: "all" } });
    expectClose(
      Array.from((await collected[0]?.data()) ?? [], Number),
      Array.from(await base["input.1"].data(), Number),
    );
  });

  test("inputs and tensors of the file are places, whose edits run on", async () => {
    const model = await open();
    const double = (name: string) =>
      new EditScope().on(model.placeAt(name), "output", (t) => t.mul(2));
    const twice = double("input.1").run(() => model.forward(inputs(1)));
    expectClose(
      await logitsOf(twice),
      await logitsOf(model.forward({ "input.1": inputs(1)["input.1"].mul(2) })),
    );
    const weight = double("head.weight").run(() => model.forward(inputs(1)));
    const plain = await logitsOf(model.forward(inputs(1)));
    expectClose(
      await logitsOf(weight),
      plain.map((n) => 2 * n),
    );
  });

  test("a trained rotation learns through the rest of the file", async () => {
    const model = await open();
    const edited = new IntervenableModel(
      {
        component: PLACE,
        intervention: LowRankRotatedSpaceIntervention.with({ lowRankDimension: 2 }),
      },
      model,
    );
    const at = { unitLocations: { "sources->base": 1 } };
    edited.inferWidths(inputs(1));
    const target = model.forward(inputs(2))["logits"] as Tensor;
    const optimizer = new Adam(edited.parameters(), { lr: 0.1 });
    const losses: number[] = [];
    for (let step = 0; step < 12; step++) {
      const { intervened } = edited.forward(inputs(1), { sources: [inputs(2)], ...at });
      const loss = (intervened["logits"] as Tensor).sub(target.detach()).square().mean();
      await optimizer.step(loss);
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(0.95 * (losses[0] ?? 0));
  });

  test("axes: rows that stand second are given first", async () => {
    const graph: OnnxGraph = {
      ...network(),
      nodes: [
        node("Transpose", ["input.1"], "turned", { attributes: { perm: { ints: [1, 0, 2] } } }),
        node("ReduceMean", ["turned"], "mean", {
          attributes: { axes: { ints: [0] }, keepdims: { int: 0 } },
        }),
        node("MatMul", ["mean", "head.weight"], "logits"),
      ],
    };
    const model = await OnnxModel.fromBytes(encodeModel(graph, { opset: 17 }), {
      axes: { "turn*": { rows: 1, positions: 0 } },
    });
    const edited = new IntervenableModel(
      {
        component: "turned",
        intervention: CollectIntervention,
      },
      model,
    );
    const { collected } = edited.forward(inputs(1), { unitLocations: { base: [0] } });
    expect(collected[0]?.shape.slice(0, 1)).toEqual([2]);
    expectClose(
      Array.from((await collected[0]?.data()) ?? [], Number),
      Array.from(await inputs(1)["input.1"].slice(1, 0, 1).data(), Number),
    );
  });
});

describe("OnnxModel", () => {
  test("weights are a state dict by the file's names, frozen until they are asked to be trained", async () => {
    const model = await open();
    expect(Object.keys(model.stateDict())).toEqual(
      ["h.0.weight", "h.1.weight", "head.weight"].map((n) => `weights.${n}`),
    );
    expect(model.parameters().some(({ requiresGrad }) => requiresGrad)).toBe(false);
    const before = await logitsOf(model.forward(inputs(1)));
    model.requiresGrad();
    const optimizer = new Adam(model.parameters(), { lr: 0.05 });
    await optimizer.step((model.forward(inputs(1))["logits"] as Tensor).square().mean());
    const after = await logitsOf(model.forward(inputs(1)));
    expect(Math.max(...after.map((n, i) => Math.abs(n - (before[i] ?? 0))))).toBeGreaterThan(1e-3);
    model.requiresGrad(false);
    expectClose(await logitsOf(model.forward(inputs(1))), after);
  });

  test("an input chooses a branch, whose values are places", async () => {
    const branch = (op: string): OnnxGraph => ({
      name: op,
      inputs: [],
      outputs: [{ name: `${op}.out`, dtype: "float32" }],
      nodes: [node(op, ["input.1"], `${op}.out`)],
    });
    const graph: OnnxGraph = {
      name: "branches",
      inputs: [
        { name: "input.1", dtype: "float32", dims: ["n"] },
        { name: "flag", dtype: "bool", dims: [] },
      ],
      outputs: [{ name: "logits", dtype: "float32", dims: ["n"] }],
      nodes: [
        node("If", ["flag"], "logits", {
          attributes: {
            then_branch: { graph: branch("Neg") },
            else_branch: { graph: branch("Relu") },
          },
        }),
      ],
    };
    const model = await open(graph);
    const given = (flag: number) => ({
      "input.1": tensor([-1, 2]),
      flag: tensor([flag], { dtype: "bool", shape: [] }),
    });
    expect(await logitsOf(model.forward(given(1)))).toEqual([1, -2]);
    expect(await logitsOf(model.forward(given(0)))).toEqual([0, 2]);
    const scope = new EditScope().on(model.placeAt("Neg.out"), "output", (t) => t.mul(10));
    expect(await logitsOf(scope.run(() => model.forward(given(1))))).toEqual([10, -20]);
    const lazy = { ...given(1), flag: tensor(1).gt(0) };
    expect(await logitsOf(model.forward(lazy))).toEqual([1, -2]);
  });

  test("an operator that nobody translates runs as it is, and is edited around", async () => {
    const graph = network();
    const nodes = graph.nodes.map((n) =>
      n.outputs[0] === "/h.0/Tanh_output_0"
        ? { ...n, op: "QuickGeluOfNobody", domain: "com.microsoft" }
        : n,
    );
    const unknown = await open({ ...graph, nodes });
    expect(() => unknown.forward(inputs(1))).toThrow(
      /"node of \/h.0\/Tanh_output_0".*does not say the shape.*infer_shapes/,
    );
    const loop: OnnxGraph = {
      name: "opaque",
      inputs: [{ name: "input.1", dtype: "float32", dims: ["n", 4] }],
      outputs: [{ name: "logits", dtype: "float32", dims: ["n", 4] }],
      nodes: [node("Exp", ["input.1"], "before"), node("Hardmax", ["before"], "logits")],
    };
    const model = await open(loop);
    const zero = new EditScope().on(model.placeAt("before"), "output", (t) => t.mul(0));
    const given = { "input.1": tensor([[1, 2, 3, 4]]) };
    expect(await logitsOf(zero.run(() => model.forward(given)))).toEqual([1, 0, 0, 0]);
    expect(await logitsOf(model.forward(given))).toEqual([0, 0, 0, 1]);
  });

  test.each([
    [{}, /the input "input.1" is missing; the file has "input.1" float32 \[batch, length, 4\]/],
    [
      { "input.1": tensor([[1, 2, 3, 4]]) },
      /"input.1" float32 \[batch, length, 4\] got the shape \[1, 4\]/,
    ],
    [
      { "input.1": tensor([[[1, 2, 3, 4]]], { dtype: "int64" }) },
      /got int64; write to\("float32"\)/,
    ],
    [{ input1: tensor(1) }, /no input "input1"; the nearest is "input.1"/],
    [[1], /takes tensors by name|no input "0"/],
  ] as const)("refuses inputs that do not fit (%#)", async (given, message) => {
    const model = await open();
    expect(() => model.forward(given as never)).toThrow(message);
  });

  test("a misspelt name gets suggestions, and patterns find many", async () => {
    const model = await open();
    const misspelt = { component: "/h.0/Add_output_1", intervention: ZeroIntervention };
    expect(() => new IntervenableModel(misspelt, model)).toThrow(
      /no value "\/h.0\/Add_output_1"; did you mean .*\/h.0\/Add_output_0/,
    );
    expect(model.places("/h.*/Tanh*")).toEqual(["/h.0/Tanh_output_0", "/h.1/Tanh_output_0"]);
    expect(model.places()[0]).toBe("input.1");
  });

  test("shapes that contradict are refused with the node's name", async () => {
    const model = await open({
      ...network(),
      initializers: [
        floats("h.0.weight", [5, 4], 1),
        floats("h.1.weight", [4, 4], 2),
        floats("head.weight", [4, 3], 3),
      ],
    });
    expect(() => model.forward(inputs(1))).toThrow(
      /the node MatMul "node of \/h.0\/MatMul_output_0" cannot be computed/,
    );
  });
});

test("inspectOnnx groups values by scopes, layers that look alike as one", async () => {
  const layers = Array.from({ length: 3 }, (_, i) => [
    node("Tanh", [i === 0 ? "input.1" : `/m/h.${i - 1}/Neg`], `/m/h.${i}/act/Tanh`),
    node("Neg", [`/m/h.${i}/act/Tanh`], `/m/h.${i}/Neg`),
  ]);
  const nodes = [...layers.flat(), node("Identity", ["/m/h.2/Neg"], "logits")];
  const { initializers: _, ...rest } = network();
  const found = await inspectOnnx(encodeModel({ ...rest, nodes }, { opset: 17 }));
  expect(found).toMatchObject({
    producer: "tsvene",
    operators: { Tanh: 3, Neg: 3, Identity: 1 },
    opaque: [],
  });
  const [m] = found.tree.scopes;
  expect(m?.scopes.map(({ name, count, last }) => [name, count, last])).toEqual([
    ["h.0", 3, "h.2"],
  ]);
  expect(found.tree.values.map(({ name }) => name)).toEqual(["logits"]);
});
