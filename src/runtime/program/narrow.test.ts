import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arange, eye, ones, tensor } from "../../tensor/functions/creation.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import { layerNorm } from "../../tensor/functions/normalisation.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { NONE } from "../../tensor/ops/ops.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { narrow } from "./narrow.ts";
import { grad } from "../../tensor/autograd.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { resetStats, runtimeStats } from "../default-runtime.ts";

/** Different small numbers, the same every time. */
function numbers(shape: Shape, seed: number): Tensor {
  const values = Float32Array.from({ length: numel(shape) }, (_, i) => Math.sin(i * 1.7 + seed));
  return tensor(values, { shape });
}

/** Whole numbers below a bound, in another order than counted. */
function wholes(shape: Shape, below: number): Tensor {
  const values = BigInt64Array.from({ length: numel(shape) }, (_, i) =>
    BigInt((2 * i + 1) % below),
  );
  return tensor(values, { shape });
}

/** Steps on [a, b, c] tensors that keep that shape. */
const STEPS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  exp: (x) => x.tanh().exp(),
  scale: (x) => x.mul(numbers([x.size(2)], 1)),
  column: (x) => x.add(numbers([x.size(0), 1, 1], 2)),
  residual: (x) => x.add(x.relu()),
  softmax: (x) => x.softmax(-1),
  across: (x) => x.softmax(1),
  norm: (x) => layerNorm(x, [x.size(2)], { weight: numbers([x.size(2)], 3) }),
  linear: (x) => linear(x, numbers([x.size(2), x.size(2)], 4), numbers([x.size(2)], 5)),
  attend: (x) => x.matmul(x.transpose(1, 2)).softmax(-1).matmul(x),
  heads: (x) => {
    const [a, b, c] = x.shape as [number, number, number];
    const split = x.reshape([a, b, 2, c / 2]).permute([0, 2, 1, 3]);
    return split.mul(2).permute([0, 2, 1, 3]).reshape([a, b, c]);
  },
  halves: (x) => cat([x.slice(2, x.size(2) / 2), x.slice(2, 0, x.size(2) / 2)], 2),
  joined: (x) => cat([x.slice(1, 0, 2).mul(2), x.slice(1, 2, 4).exp(), x.slice(1, 4)], 1),
  // The gradient of a slice is padded.
  padded: (x) => x.add(grad(x.slice(1, 1, 4).sin().sum(), [x])[0]),
  where: (x) => x.add(x.gt(0).to("float32")),
  sum: (x) => x.sub(x.mean({ dim: 2, keepdim: true })),
  prefix: (x) => x.cumsum(1),
  expand: (x) => x.mul(x.sum({ dim: 0 }).expand(x.shape)),
  rows: (x) => x.indexSelect(1, arange(x.size(1))),
  best: (x) => x.add(x.argmax(1, true).to("float32")),
  sorted: (x) => x.mul(0).scatter(-1, x.topk(2).indices, x.gather(-1, x.topk(2).indices)),
  inverse: (x) => {
    const square = x
      .matmul(x.transpose(1, 2))
      .tril()
      .tanh()
      .add(eye(x.size(1)).mul(3));
    const volume = apply("det", [square], NONE).reshape([-1, 1, 1]);
    return apply("inverse", [square], NONE).matmul(x).add(volume.mul(0.01));
  },
  mirrored: (x) =>
    apply("pad", [x], { mode: "reflect", value: 0 }, [[0, 2, 0, 0, 0, 0]]).slice(1, 1, 6),
  turned: (x) => apply("gatherNd", [x, wholes([x.size(0), 1], x.size(0))], NONE),
  image: (x) => {
    const sides = [1, 1] as const;
    const window = { stride: sides, padding: [sides, sides], dilation: sides, groups: 1 };
    return apply("conv", [x.unsqueeze(1), numbers([1, 1, 3, 3], 6)], window).squeeze(1);
  },
  pooled: (x) => {
    const sides = [1, 1] as const;
    const window = { stride: sides, padding: sides, dilation: sides, kernel: [3, 3] };
    return apply("maxPool", [x.unsqueeze(0)], { ...window, ceilMode: false }).squeeze(0);
  },
};

describe("narrow", () => {
  test("gives the values that computing all and slicing gives", async () => {
    const step = fc.constantFrom(...Object.keys(STEPS));
    const part = fc.record({
      dim: fc.integer({ min: 0, max: 2 }),
      from: fc.integer({ min: 0, max: 3 }),
      length: fc.integer({ min: 1, max: 3 }),
      step: fc.integer({ min: 1, max: 2 }),
      twice: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), part, async (names, p) => {
        const build = (): Tensor =>
          names.reduce((x, name) => STEPS[name]?.(x) ?? x, numbers([3, 5, 4], 0));
        const first = (x: Tensor): Tensor => x.slice(p.dim, p.from, p.from + p.length, p.step);
        const cut = (x: Tensor): Tensor =>
          p.twice ? first(x).slice((p.dim + 2) % 3, 0, 2) : first(x);
        const whole = build();
        await evaluate(whole);
        const [expected, actual] = [cut(whole), cut(build())];
        await evaluate(expected);
        await evaluate(actual);
        expect(actual.shape).toEqual(expected.shape);
        const [want, got] = [await expected.data(), await actual.data()];
        got.forEach((value, i) => expect(Number(value)).toBeCloseTo(Number(want[i]), 4));
      }),
      { numRuns: 60 },
    );
  });

  test("computes one row of a product where one is read", async () => {
    const x = numbers([1, 8, 4], 0);
    const weight = numbers([16, 4], 1);
    resetStats();
    await linear(x.mul(2), weight).slice(1, -1).data();
    expect(runtimeStats().multiplyAdds).toBe(4 * 16);
  });

  test("computes one row of a product where one number of it is read", async () => {
    const x = numbers([1, 8, 4], 0);
    const weight = numbers([16, 4], 1);
    resetStats();
    await linear(x.mul(2), weight).select(1, -1).select(1, 3).data();
    expect(runtimeStats().multiplyAdds).toBe(4 * 16);
  });

  test("computes all where all is read too, once", async () => {
    const y = linear(numbers([1, 8, 4], 0).mul(2), numbers([16, 4], 1));
    resetStats();
    await evaluate(y.slice(1, -1), y.sum());
    expect(runtimeStats().multiplyAdds).toBe(8 * 4 * 16);
    expect(runtimeStats().nodesByOp["linear"]).toBe(1);
  });

  test("computes of what is joined the part that is read, and its gradient", async () => {
    const weight = numbers([16, 4], 1);
    const [a, b] = [numbers([1, 8, 4], 0), numbers([1, 2, 4], 2)].map((x) => linear(x, weight));
    const joined = cat([a as Tensor, b as Tensor], 1);
    resetStats();
    await joined.slice(1, 9).data();
    expect(runtimeStats().multiplyAdds).toBe(4 * 16);
    const x = numbers([1, 2, 4], 3);
    const loss = cat([a as Tensor, linear(x, weight)], 1)
      .slice(1, -1)
      .square()
      .sum();
    resetStats();
    await grad(loss, [x])[0].data();
    expect(runtimeStats().multiplyAdds).toBe((1 + 2) * 4 * 16);
  });

  test("leaves graphs without slices as they are", () => {
    const y = ones([2, 3]).mul(2);
    expect(narrow([y])[0]).toBe(y);
  });

  test("does not narrow what is asked for whole", async () => {
    const y = numbers([2, 6, 4], 0).exp();
    const last = y.slice(1, -1);
    await evaluate(y, last);
    expect(y.shape).toEqual([2, 6, 4]);
    expect((await y.data()).length).toBe(48);
  });
});
