import { describe, expect, test } from "vitest";
import { constant } from "../../tensor/functions/arithmetic.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Generator } from "../../tensor/random/generator.ts";
import { randn } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { buildProgram } from "./program.ts";
import { isStep } from "./step.ts";
import "../default-runtime.ts";

interface Case {
  readonly batch?: number;
  readonly heads?: number;
  readonly shared?: number;
  readonly queries: number;
  readonly keys: number;
  readonly width?: number;
}

const generator = new Generator(3);
const drawn = (...shape: number[]): Tensor => randn(shape, { generator });

/** What is done with a product of heads, each of `b` serving a group of those of `a`. */
function grouped(a: Tensor, b: Tensor, f: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const [batch = 1, heads = 1, m = 1, k = 1] = a.shape;
  const shared = b.size(1);
  if (shared === heads) return f(a, b);
  const product = f(a.reshape([batch, shared, heads / shared, m, k]), b.unsqueeze(2));
  return product.reshape([batch, heads, m, product.size(-1)]);
}

async function operands(c: Case): Promise<{ q: Tensor; k: Tensor; v: Tensor; mask: Tensor }> {
  const { batch = 2, heads = 6, shared = heads, queries, keys, width = 8 } = c;
  const q = drawn(batch, heads, queries, width);
  const k = drawn(batch, shared, keys, width);
  const v = drawn(batch, shared, keys, width);
  // The first query may look nowhere; what hides a score leaves it finite.
  const hidden = drawn(queries, keys).gt(0.5).logicalOr(drawn(queries, 1).mul(0).ge(1));
  const mask = hidden.to("float32").mul(-3.4028234663852886e38);
  await evaluate(q, k, v, mask);
  return { q, k, v, mask };
}

interface Written {
  readonly weights: Tensor;
  readonly mixed: Tensor;
}

function attention({ q, k, v, mask }: Awaited<ReturnType<typeof operands>>): Written {
  const scale = constant(1 / Math.sqrt(q.size(-1)));
  const scores = grouped(q, k, (a, b) => a.matmul(b.mT).mul(scale));
  const weights = scores.add(mask).softmax(-1);
  return { weights, mixed: grouped(weights, v, (a, b) => a.matmul(b)) };
}

function fused(...targets: Tensor[]): number {
  return buildProgram(targets).values.filter((v) => isStep(v) && v.attention !== undefined).length;
}

describe("attention", () => {
  test.each<Case>([
    { queries: 5, keys: 5 },
    { queries: 1, keys: 9 },
    { queries: 1, keys: 300, width: 64 },
    { queries: 33, keys: 70 },
    { queries: 64, keys: 64, width: 64, batch: 1 },
    { queries: 1, keys: 17, shared: 2 },
    { queries: 1, keys: 64, shared: 3, width: 32 },
    { queries: 2, keys: 19, shared: 2, width: 16, heads: 8 },
    { queries: 12, keys: 12, shared: 3, width: 6 },
    { queries: 40, keys: 40, shared: 1, batch: 1 },
  ])("is one kernel, which gives the same to the last bit: %o", async (c) => {
    const inputs = await operands(c);
    const alone = attention(inputs);
    expect(fused(alone.mixed)).toBe(1);
    const { weights, mixed } = attention(inputs);
    expect(fused(weights, mixed)).toBe(0);
    await evaluate(weights, mixed);
    expect(await alone.mixed.data()).toEqual(await mixed.data());
  });

  test("stays written out where it is no attention", async () => {
    const { q, k, v } = await operands({ queries: 4, keys: 4 });
    const scores = q.matmul(k.transpose(-1, -2));
    expect(fused(scores.softmax(-1).matmul(v))).toBe(1);
    expect(fused(scores.softmax(-2).matmul(v))).toBe(0);
    expect(fused(scores.softmax(-1).mul(2).matmul(v))).toBe(0);
    expect(
      fused(
        q
          .matmul(k.permute([0, 1, 3, 2]))
          .tanh()
          .softmax(-1)
          .matmul(v),
      ),
    ).toBe(0);
    expect(fused(scores.to("float64").softmax(-1).matmul(v.to("float64")))).toBe(0);
    expect(fused(scores.add(drawn(4, 1)).softmax(-1).matmul(v))).toBe(0);
  });
});
