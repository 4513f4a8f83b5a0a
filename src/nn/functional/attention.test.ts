import { describe, expect, test } from "vitest";
import "../../runtime/index.ts";
import { grad } from "../../tensor/autograd.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Generator, randn } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { scaledDotProductAttention as attention } from "./attention.ts";

const draw = (seed: number, ...shape: number[]): Tensor =>
  randn(shape, { generator: new Generator(seed) });
const [q, k, v] = [draw(1, 2, 3, 4), draw(2, 2, 5, 4), draw(3, 2, 5, 2)];

async function expectSame(a: Tensor, b: Tensor): Promise<void> {
  expect(await a.sub(b).abs().amax().item()).toBeLessThan(1e-6);
}

describe("scaledDotProductAttention", () => {
  test("with a mask is that over the keys it leaves", async () => {
    const mask = tensor([[true, true, false, true, false]]);
    const kept = [0, 1, 3];
    const wanted = attention(q, k.indexSelect(1, kept), v.indexSelect(1, kept));
    await expectSame(attention(q, k, v, { attnMask: mask }), wanted);
    const added = tensor([[0, 0, -Infinity, 0, -Infinity]]);
    await expectSame(attention(q, k, v, { attnMask: added }), wanted);
  });
  test("gives zeros, and finite gradients, where a query may look nowhere", async () => {
    const open = tensor([[true], [false], [true]]).expand([3, 5]);
    const added = tensor([[0], [-Infinity], [0]]).expand([3, 5]);
    for (const attnMask of [open, added]) {
      const y = attention(q, k, v, { attnMask });
      const gradients = grad(y.square().sum(), [q, k, v]);
      await evaluate(y, ...gradients);
      expect(await y.select(1, 1).abs().amax().item()).toBe(0);
      expect(await y.select(1, 0).abs().amax().item()).toBeGreaterThan(0);
      for (const g of gradients) expect(await g.isfinite().all().item()).toBe(1);
      expect(await gradients[0].select(1, 1).abs().amax().item()).toBe(0);
    }
  });
  test("shares heads of keys and values in groups", async () => {
    const [heads, few] = [draw(4, 1, 4, 3, 4), draw(5, 1, 2, 3, 4)];
    const grouped = attention(heads, few, few, { enableGqa: true });
    const second = attention(heads.select(1, 3), few.select(1, 1), few.select(1, 1));
    await expectSame(grouped.select(1, 3), second);
  });
  test("drops weights at random while training", async () => {
    const options = { dropoutP: 0.5, generator: new Generator(1) };
    const dropped = attention(q, k, v, options);
    expect(
      await dropped
        .sub(attention(q, k, v))
        .abs()
        .amax()
        .item(),
    ).toBeGreaterThan(0.01);
    await expectSame(attention(q, k, v, { ...options, training: false }), attention(q, k, v));
  });
});
