import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ones, tensor } from "../tensor/functions/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import "../runtime/default-runtime.ts";
import { Buffer } from "./buffer.ts";
import { Conv1D } from "./layers/conv1d.ts";
import { Embedding } from "./layers/embedding.ts";
import { Linear } from "./layers/linear.ts";
import { ModuleList, Sequential } from "./module-list.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";
import { withoutInit } from "./without-init.ts";

class Tied extends Module {
  readonly embedding = new Embedding(5, 3);
  readonly scale = new Parameter(ones([3]));
  readonly count = new Buffer(tensor(7));
  readonly scratch = new Buffer(tensor(0), { persistent: false });
  readonly layers = new ModuleList([new Linear(3, 3), new Conv1D(4, 3, 0.1)]);
  readonly head = new Linear(3, 5, { bias: false, weight: this.embedding.weight });

  override forward(ids: Tensor): Tensor {
    return this.head.forward(this.embedding.forward(ids).mul(this.scale.value));
  }
}

describe("Module", () => {
  test("names parameters and buffers as torch does, shared ones once", () => {
    const names = [...new Tied().namedParameters()].map(([name]) => name);
    expect(names).toEqual([
      "scale",
      "embedding.weight",
      "layers.0.weight",
      "layers.0.bias",
      "layers.1.weight",
      "layers.1.bias",
    ]);
    expect([...new Tied().namedBuffers()].map(([name]) => name)).toEqual(["count", "scratch"]);
  });

  test("state dicts hold shared values under each name and Conv1D weights transposed", async () => {
    const model = new Tied();
    const dict = model.stateDict();
    expect(Object.keys(dict)).toContain("head.weight");
    expect(Object.keys(dict)).toContain("count");
    expect(Object.keys(dict)).not.toContain("scratch");
    expect(dict["layers.1.weight"]?.shape).toEqual([3, 4]);
    const other = new Tied();
    other.loadStateDict(dict);
    const ids = tensor([0, 3], { dtype: "int64" });
    expect(await other.forward(ids).toArray()).toEqual(await model.forward(ids).toArray());
  });

  test("a shared value may come under one of its names", () => {
    const { "head.weight": _, ...dict } = new Tied().stateDict();
    expect(() => new Tied().loadStateDict(dict)).not.toThrow();
  });

  test("loading lists every problem and changes nothing", async () => {
    const model = new Tied();
    const before = await model.scale.value.toArray();
    const { count: _, ...dict } = new Tied().stateDict();
    const bad = {
      ...dict,
      scale: tensor([5, 5, 5]),
      "layers.1.weight": ones([9, 9]),
      extra: ones([1]),
    };
    expect(() => model.loadStateDict(bad)).toThrow(
      "loadStateDict: the values do not fit the model:\n" +
        "  missing: count\n" +
        "  unexpected: extra\n" +
        "  layers.1.weight has shape [9, 9], wanted [3, 4]",
    );
    expect(await model.scale.value.toArray()).toEqual(before);
    model.loadStateDict({ scale: tensor([5, 5, 5]), extra: ones([1]) }, { strict: false });
    expect(await model.scale.value.toArray()).toEqual([5, 5, 5]);
  });

  test("train and eval reach every module and return it", () => {
    const model = new Tied();
    expect(model.eval()).toBe(model);
    expect([...model.namedModules()].every(([, module]) => !module.training)).toBe(true);
    expect(model.train().layers.at(0).training).toBe(true);
  });

  test("prints as a tree", () => {
    expect(String(new Sequential(new Linear(2, 3), new Linear(3, 1, { bias: false })))).toBe(
      "Sequential(\n  (0): Linear(2, 3)\n  (1): Linear(3, 1, bias=false)\n)",
    );
  });

  test("the console shows modules and parameters as they print", () => {
    const layer = new Linear(2, 3);
    expect(inspect(layer)).toBe("Linear(2, 3)");
    layer.bias?.set(tensor([1, 2.5, 3]));
    expect(inspect(layer.bias)).toBe(
      "Parameter containing:\ntensor([1.0000, 2.5000, 3.0000], requiresGrad=true)",
    );
  });

  test("withoutInit leaves random parameters zero", async () => {
    const layer = withoutInit(() => new Linear(2, 2));
    expect(await layer.weight.value.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(await new Linear(2, 2).weight.value.abs().sum().item()).toBeGreaterThan(0);
  });

  test("a list of modules says that it cannot be called", () => {
    expect(() => new ModuleList([]).forward()).toThrow("a list of modules cannot be called");
    expect(() => new ModuleList([]).at(0)).toThrow("index 0 is out of range for 0 modules");
  });
});
