import { describe, expect, test } from "vitest";
import { evaluate, eye, linalg, type Tensor } from "tsvene";
import {
  expectGradient,
  expectSecondGradient,
  noise,
} from "../../../tests/tensor/ops/gradients.ts";
import { SkewExp } from "./skew-exp.ts";

const skew = (x: Tensor): Tensor => x.tril(-1).sub(x.tril(-1).t());

/** |A| / √2, which no eigenvalue exceeds. */
async function boundOf(x: Tensor): Promise<number> {
  return Math.sqrt(await x.tril(-1).square().sum().item());
}

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

describe.each([
  ["float64", 1e-13],
  ["float32", 1e-6],
] as const)("in %s", (dtype, close) => {
  test.each([0, 0.01, 1, 5])(
    "numbers of up to %d give the exponential, and its inverse",
    async (scale) => {
      const x = noise([30, 30]).mul(scale).to(dtype);
      const wanted = linalg.matrixExp(skew(noise([30, 30]).mul(scale)));
      const exp = new SkewExp(skew(x), await boundOf(x));
      const identity = eye(30, 30, { dtype });
      const [there, back] = [exp.times(identity), exp.inverseTimes(identity)];
      await evaluate(there, back, wanted);
      // The exponents' own rounding grows with them.
      const error = close * Math.max(1, 10 * scale);
      expect(await distance(there.to("float64"), wanted)).toBeLessThan(error);
      expect(await distance(back.to("float64"), wanted.t())).toBeLessThan(error);
      expect(await distance(there.t().matmul(there), identity)).toBeLessThan(close);
    },
  );
});

test.each([
  ["float32", [8, 8, 9, 26, 135]],
  ["float64", [13, 13, 16, 38, 157]],
] as const)("there are not many more terms than the bound says, in %s", (dtype, wanted) => {
  const a = noise([4, 4]).to(dtype);
  const terms = [0, 0.5, 1, 10, 100].map((bound) => new SkewExp(a, bound).terms);
  expect(terms).toStrictEqual(wanted);
});

test("it has first and second derivatives, with respect to matrix and vectors", async () => {
  const f =
    (way: "times" | "inverseTimes") =>
    (a: Tensor, x: Tensor): Tensor => {
      const exp = new SkewExp(skew(a), 3);
      return exp[way](x)
        .mul(noise([4, 2], 9))
        .sum();
    };
  const inputs = [noise([4, 4]), noise([4, 2], 2)];
  for (const way of ["times", "inverseTimes"] as const) {
    await expectGradient(f(way), inputs);
    await expectSecondGradient(f(way), inputs);
  }
});
