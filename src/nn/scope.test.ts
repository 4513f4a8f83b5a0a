import { describe, expect, test } from "vitest";
import { tensor } from "../tensor/functions/creation.ts";
import type { Tensor } from "../tensor/tensor.ts";
import "../runtime/default-runtime.ts";
import { Module } from "./module.ts";
import { EditScope, site } from "./scope.ts";

class Double extends Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

class Pair extends Module {
  readonly inner = new Double();
  override forward({ x }: { x: Tensor }, note: string): { y: Tensor; note: string } {
    const y = this.inner.forward(this.inner.forward(x));
    return { y: site(this, "gate", y.add(1)), note };
  }
}

const one = tensor([1]);

describe("EditScope", () => {
  test("reads and edits inputs, outputs and named values, in the order given", async () => {
    const model = new Pair();
    const seen: string[] = [];
    const scope = new EditScope()
      .on(model, "input", (x) => x.add(1))
      .on(model.inner, "output", (_, { call }) => {
        seen.push(`inner ${call}`);
        return undefined;
      })
      .on(model, "gate", (y) => y.mul(10))
      .on(model, "gate", (y) => y.add(0.5))
      .on(model, "output", (y) => y.neg());
    const { y, note } = scope.run(() => model.forward({ x: one }, "kept"));
    expect(await y.item()).toBe(-90.5);
    expect(note).toBe("kept");
    expect(seen).toEqual(["inner 0", "inner 1"]);
  });

  test("leaves the model as it was, also after an error", async () => {
    const model = new Pair();
    const scope = new EditScope().on(model.inner, "input", () => {
      throw new Error("no");
    });
    expect(() => scope.run(() => model.forward({ x: one }, ""))).toThrow("no");
    expect(await model.forward({ x: one }, "").y.item()).toBe(5);
  });

  test("passes values on to the scope around it", async () => {
    const model = new Double();
    const outer = new EditScope().on(model, "output", (y) => y.add(100));
    const inner = new EditScope().on(model, "output", (y) => y.mul(3));
    const y = outer.run(() => inner.run(() => model.forward(one)));
    expect(await y.item()).toBe(106);
  });

  test("tells what the trace never passed", () => {
    const [model, other] = [new Double(), new Double()];
    const scope = new EditScope()
      .on(model, "output", () => undefined)
      .on(other, "input", () => undefined);
    scope.run(() => model.forward(one));
    expect(scope.unvisited()).toEqual([[other, "input"]]);
  });

  test("refuses a trace that is not synchronous", () => {
    expect(() => new EditScope().run(() => Promise.resolve(1))).toThrow(
      "EditScope.run: the trace returned a promise",
    );
  });

  test("is seen by no other trace", async () => {
    const model = new Double();
    const scope = new EditScope().on(model, "output", (y) => y.mul(0));
    const edited = scope.run(() => model.forward(one));
    const plain = model.forward(one);
    expect([await edited.item(), await plain.item()]).toEqual([0, 2]);
  });
});
