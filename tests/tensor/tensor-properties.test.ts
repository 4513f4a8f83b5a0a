import * as fc from "fast-check";
import {
  cat,
  einsum,
  evaluate,
  functional as F,
  type NestedArray,
  stack,
  type Tensor,
  tensor,
  where,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { noise } from "./ops/gradients.ts";

const RUNS = { numRuns: 30 };

const size = fc.integer({ min: 0, max: 4 });
const shapeOf = (min: number, max: number): fc.Arbitrary<number[]> =>
  fc.array(size, { minLength: min, maxLength: max });
const anyShape = shapeOf(0, 4);
/** A shape and one of its dimensions, which may count from the end. */
const withDim = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })),
  );
/** A shape, and one that broadcasts with it: shorter, or with sizes of 1. */
const broadcastPair = anyShape.chain((shape) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: shape.length }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    )
    .map(([cut, ones]) => [shape, shape.slice(cut).map((n, i) => (ones[i] === true ? 1 : n))]),
);

const leaf = (shape: readonly number[], seed = 1): Tensor => noise(shape, seed).to("float32");

/** What ONNX Runtime says the shape is. */
function shapeOfNested(value: NestedArray): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOfNested(value[0] ?? 0)] : [];
}

/** Computes, which fails when the recorded shape is not the computed one. */
async function expectShape(t: Tensor, shape: readonly number[]): Promise<void> {
  expect(t.shape).toEqual(shape);
  const nested = await t.toArray();
  if (t.numel > 0) expect(shapeOfNested(nested)).toEqual(shape);
}

const holds = async <T>(
  arbitrary: fc.Arbitrary<T>,
  property: (value: T) => Promise<void>,
): Promise<void> => fc.assert(fc.asyncProperty(arbitrary, property), RUNS);

const numbers = async (t: Tensor): Promise<number[]> => Array.from(await t.data(), Number);
const withoutDim = (shape: readonly number[], dim: number): number[] =>
  shape.filter((_, i) => i !== (dim + shape.length) % shape.length);

describe("recorded shapes are computed ones", () => {
  test("broadcasting, with values as by explicit expansion", async () => {
    await holds(broadcastPair, async ([a = [], b = []]) => {
      const [x, y] = [leaf(a), leaf(b, 2)];
      const sum = x.add(y);
      await expectShape(sum, a);
      expect(await numbers(y.sub(x).neg())).toEqual(await numbers(x.sub(y.expand(a))));
      await expectShape(where(x.gt(y), x, y), a);
      await expectShape(x.lt(y), a);
    });
  });
  test("reductions", async () => {
    await holds(fc.tuple(withDim, fc.boolean()), async ([[shape, dim], keepdim]) => {
      const x = leaf(shape);
      const kept = shape.map((n, i) => (i === (dim + shape.length) % shape.length ? 1 : n));
      const expected = keepdim ? kept : withoutDim(shape, dim);
      for (const op of [
        "sum",
        "mean",
        "prod",
        "amax",
        "amin",
        "any",
        "all",
        "logsumexp",
      ] as const) {
        await expectShape(x[op]({ dim, keepdim }), expected);
      }
      await expectShape(x.argmax(dim, keepdim), expected);
      await expectShape(x.max(dim, keepdim).values, expected);
      await expectShape(x.var({ dim, keepdim, correction: 0 }), expected);
      await expectShape(x.norm(2, { dim, keepdim }), expected);
      await expectShape(x.sum(), []);
    });
  });
  test("reshape and permute lose nothing", async () => {
    const shuffled = anyShape.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
      ),
    );
    await holds(shuffled, async ([shape, order]) => {
      const x = leaf(shape);
      const turned = x.permute(order);
      await expectShape(turned, order.map((d) => shape[d] ?? 0)); // prettier-ignore
      const back = turned.permute(shape.map((_, d) => order.indexOf(d)));
      expect(await numbers(back)).toEqual(await numbers(x));
      expect(await numbers(x.reshape([x.numel]).reshape(shape))).toEqual(await numbers(x));
    });
  });
  test("slices are JavaScript's slices", async () => {
    const bound = fc.integer({ min: -6, max: 6 });
    const step = fc.integer({ min: 1, max: 3 });
    await holds(fc.tuple(withDim, bound, bound, step), async ([[shape, dim], start, end, by]) => {
      const d = (dim + shape.length) % shape.length;
      const n = shape[d] ?? 0;
      const kept = Array.from({ length: n }, (_, i) => i).slice(start, end).filter((_, i) => i % by === 0); // prettier-ignore
      const y = leaf(shape).slice(dim, start, end, by);
      await expectShape(y, shape.map((m, i) => (i === d ? kept.length : m))); // prettier-ignore
      if (kept.length === 0) return;
      expect(await numbers(y)).toEqual(await numbers(leaf(shape).indexSelect(d, kept)));
    });
  });
  test("cat undoes split, stack undoes unbind", async () => {
    await holds(fc.tuple(withDim, fc.integer({ min: 1, max: 3 })), async ([[shape, dim], by]) => {
      const x = leaf(shape);
      const parts = x.split(by, dim);
      for (const part of parts) await expectShape(part, part.shape);
      await expectShape(cat(parts, dim), shape);
      expect(await numbers(cat(parts, dim))).toEqual(await numbers(x));
      expect(await numbers(stack(x.unbind(dim), dim))).toEqual(await numbers(x));
    });
  });
  test("gather reads what scatter wrote", async () => {
    await holds(withDim, async ([shape, dim]) => {
      const d = (dim + shape.length) % shape.length;
      const n = shape[d] ?? 1;
      const index = leaf(shape, 5).argsort({ dim });
      await expectShape(leaf(shape).gather(dim, index), shape);
      const written = leaf(shape).scatter(dim, index, leaf(shape, 3));
      expect(await numbers(written.gather(dim, index))).toEqual(await numbers(leaf(shape, 3)));
      await expectShape(leaf(shape).indexSelect(dim, [n - 1, 0, -1]), shape.map((m, i) => (i === d ? 3 : m))); // prettier-ignore
    });
  });
  test("sort, topk, cumsum, flip, roll, pad, unfold", async () => {
    await holds(fc.tuple(withDim, fc.integer({ min: -5, max: 5 })), async ([[shape, dim], by]) => {
      const x = leaf(shape);
      const n = x.size(dim);
      const { values, indices } = x.sort({ dim });
      await expectShape(values, shape);
      expect(await numbers(x.gather(dim, indices))).toEqual(await numbers(values));
      await expectShape(x.topk(n - 1, { dim }).indices, x.narrow(dim, 0, n - 1).shape);
      await expectShape(x.cumsum(dim), shape);
      expect(await numbers(x.flip(dim).flip(dim))).toEqual(await numbers(x));
      expect(await numbers(x.roll(by, dim).roll(-by, dim))).toEqual(await numbers(x));
      const padded = F.pad(x, [Math.abs(by), 1]);
      await expectShape(padded, [...shape.slice(0, -1), (shape.at(-1) ?? 0) + Math.abs(by) + 1]);
      expect(await numbers(F.pad(padded, [-Math.abs(by), -1]))).toEqual(await numbers(x));
      await expectShape(x.unfold(dim, n, 1), [...x.narrow(dim, 0, 1).shape, n]);
    });
  });
  test("matmul, in batches and of vectors, as einsum", async () => {
    const few = fc.integer({ min: 0, max: 3 });
    await holds(
      fc.tuple(few, few, few, fc.integer({ min: 1, max: 3 })),
      async ([m, k, n, batch]) => {
        await expectShape(leaf([m, k]).matmul(leaf([k, n])), [m, n]);
        const product = leaf([batch, m, k]).matmul(leaf([k, n]));
        await expectShape(product, [batch, m, n]);
        const summed = einsum("bmk,kn->bmn", leaf([batch, m, k]), leaf([k, n]));
        expect(await numbers(summed)).toEqual(await numbers(product));
        await expectShape(leaf([k]).matmul(leaf([batch, k, n])), [batch, n]);
        await expectShape(leaf([batch, m, k]).matmul(leaf([k])), [batch, m]);
      },
    );
  });
  test("convolutions and poolings", async () => {
    const few = fc.integer({ min: 1, max: 3 });
    const window = fc.tuple(fc.integer({ min: 4, max: 9 }), few, few, few, fc.boolean());
    await holds(window, async ([n, kernel, stride, dilation, ceilMode]) => {
      const padding = Math.floor(kernel / 2);
      const reach = dilation * (kernel - 1) + 1;
      if (n + 2 * padding < reach) return;
      const x = leaf([1, 2, n]);
      const y = F.conv1d(x, leaf([4, 1, kernel], 2), undefined, {
        stride,
        padding,
        dilation,
        groups: 2,
      });
      await expectShape(y, [1, 4, Math.floor((n + 2 * padding - reach) / stride) + 1]);
      const back = F.convTranspose1d(y, leaf([4, 1, kernel], 2), undefined, {
        stride,
        padding,
        dilation,
        groups: 2,
      });
      await expectShape(back, back.shape);
      const pooled = F.maxPool1d(x, kernel, { stride, padding, dilation, ceilMode });
      await expectShape(pooled, pooled.shape);
      if (dilation > 1) return;
      const mean = F.avgPool1d(x, kernel, { stride, padding, ceilMode });
      expect(mean.shape).toEqual(pooled.shape);
      await evaluate(mean);
    });
  });
});

test("integers past 2 ** 53 stay exact", async () => {
  const big = 2n ** 62n + 1n;
  const x = tensor(BigInt64Array.of(big, -big, 5n));
  const { values } = x.sort();
  expect(Array.from((await values.data()) as BigInt64Array)).toEqual([-big, 5n, big]);
  expect(await x.argmax().item()).toBe(0);
  expect(Array.from((await x.sub(1).data()) as BigInt64Array)).toEqual([big - 1n, -big - 1n, 4n]);
});
