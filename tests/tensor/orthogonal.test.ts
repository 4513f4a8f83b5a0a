import {
  evaluate,
  eye,
  Generator,
  orthogonalState,
  orthogonalWeight,
  type Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { expectTensor, goldens, load } from "./ops/golden.ts";
import { expectGradient, noise } from "./ops/gradients.ts";

const CLOSE = { absolute: 1e-5, relative: 1e-5 };

async function expectClose(actual: Tensor, wanted: Tensor, tolerance = CLOSE): Promise<void> {
  await evaluate(actual, wanted);
  expectTensor("value", actual, wanted, tolerance);
}

const variants = Object.keys(goldens["orthogonal"]?.variants ?? {});

describe.each(variants)("%s of torch", (variant) => {
  test("has the weight that torch starts with", async () => {
    const stored = await load("orthogonal");
    const at = (name: string): Tensor => stored.get(`${variant}.${name}`) as Tensor;
    await expectClose(orthogonalWeight(at("init_original"), at("init_base")), at("init_weight"));
  });
  test("has the weight that was assigned to it, by torch and here", async () => {
    const stored = await load("orthogonal");
    const at = (name: string): Tensor => stored.get(`${variant}.${name}`) as Tensor;
    const value = at("assign.value");
    await expectClose(orthogonalWeight(at("assign.original"), at("assign.base")), value);
    const { original, base } = await orthogonalState(value, { generator: new Generator(3) });
    await expectClose(original, at("assign.original"), { absolute: 0, relative: 0 });
    await expectClose(orthogonalWeight(original, base), value);
    await expectClose(base.mT.matmul(base), eye(base.size(0)));
  });
});

describe("orthogonalWeight", () => {
  test.each(["matrixExp", "cayley", "householder"] as const)(
    "%s has orthonormal columns",
    async (map) => {
      for (const [batch, n, k] of [
        [1, 4, 4],
        [1, 6, 3],
        [2, 5, 2],
      ] as const) {
        const signs = eye(n, k, { dtype: "float64" });
        const original = noise([batch, n, k]).tril(-1).add(signs);
        const q = orthogonalWeight(original, undefined, { map });
        const unit = eye(k, k, { dtype: "float64" }).expand([batch, k, k]);
        await expectClose(q.mT.matmul(q), unit, { absolute: 1e-12, relative: 0 });
      }
    },
  );
  test("of a wide original has orthonormal rows", async () => {
    const original = eye(2, 5, { dtype: "float64" }).add(noise([2, 5]).triu(1));
    const q = orthogonalWeight(original, eye(5, 5, { dtype: "float64" }));
    expect(q.shape).toEqual([2, 5]);
    await expectClose(q.matmul(q.mT), eye(2, 2, { dtype: "float64" }), {
      absolute: 1e-12,
      relative: 0,
    });
  });
  test.each(["matrixExp", "cayley"] as const)("%s has gradients", async (map) => {
    const f = (x: Tensor): Tensor =>
      orthogonalWeight(x, undefined, { map })
        .mul(noise([4, 2], 5))
        .sum();
    await expectGradient(f, [noise([4, 2])]);
  });
  test("refuses a base that does not fit", () => {
    expect(() => orthogonalWeight(noise([4, 2]), noise([3, 3]))).toThrow(
      /base \[3, 3\] must be square, of size 4/,
    );
    expect(() => orthogonalWeight(noise([4]))).toThrow(/expected matrices.*got \[4\]/);
  });
});

describe("orthogonalState", () => {
  test("makes a value orthogonal that is not", async () => {
    for (const shape of [
      [4, 4],
      [5, 2],
      [2, 5],
    ]) {
      const { original, base } = await orthogonalState(noise(shape), {
        generator: new Generator(1),
      });
      const q = orthogonalWeight(original, base);
      const product = shape[0] === 2 ? q.matmul(q.mT) : q.mT.matmul(q);
      const k = Math.min(...shape);
      await expectClose(product, eye(k, k, { dtype: "float64" }), { absolute: 1e-12, relative: 0 });
    }
  });
  test("repeats with the same generator, and has no gradient", async () => {
    const value = tensor([[1], [0], [0]], { requiresGrad: true }); // prettier-ignore
    const [a, b] = await Promise.all(
      [7, 7].map(async (seed) => orthogonalState(value, { generator: new Generator(seed) })),
    );
    expect(await a?.base.toArray()).toEqual(await b?.base.toArray());
    expect([a?.original.requiresGrad, a?.base.requiresGrad]).toEqual([false, false]);
  });
});
