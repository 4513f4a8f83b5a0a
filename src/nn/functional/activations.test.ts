import { functional as F, grad, tensor } from "tsvene";
import { describe, expect, test } from "vitest";

describe("softplus", () => {
  test("is right to the last bits, however small or large", async () => {
    const xs = [-87, -50, -19, -1e-8, 0, 1e-8, 1, 16.5, 19.999, 20, 20.001, 41, 1234.567, 3e38];
    const values = await F.softplus(tensor(xs)).data();
    xs.forEach((given, i) => {
      const x = Math.fround(given);
      const wanted = Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      expect(Math.abs(Number(values[i]) - wanted) / wanted).toBeLessThan(2e-7);
    });
  });

  test("has its limits at infinity, and no value where x has none", async () => {
    const values = await F.softplus(tensor([-Infinity, Infinity, NaN])).data();
    expect([...values]).toEqual([0, Infinity, NaN]);
  });

  test("has derivatives at 0 and on both sides of where it is x itself", async () => {
    const x = tensor([-30, 0, 19, 20, 21]);
    const [slope] = grad(F.softplus(x).sum(), [x]);
    const [bend] = grad(slope.sum(), [x]);
    const [slopes, bends] = [await slope.data(), await bend.data()];
    [Math.exp(-30), 0.5, 1, 1, 1].forEach((s, i) => expect(slopes[i]).toBeCloseTo(s, 6));
    [Math.exp(-30), 0.25, 0, 0, 0].forEach((b, i) => expect(bends[i]).toBeCloseTo(b, 6));
  });
});
