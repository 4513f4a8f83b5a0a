import { expect, test } from "vitest";
import { resetStats, runtimeStats } from "../../runtime/index.ts";
import { grad } from "../autograd.ts";
import { tensor } from "../functions/creation.ts";

test("gradients of slices side by side are put together, in any order", async () => {
  const x = tensor([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]); // prettier-ignore
  const [a, b, c] = [x.slice(1, 0, 2), x.slice(1, 2, 3), x.slice(1, 3, 5)];
  const y = c.square().sum().add(a.mul(3).sum()).add(b.exp().mul(0).sum());
  resetStats();
  const [g] = grad(y, [x]);
  expect(await g.toArray()).toStrictEqual([[3, 3, 0, 8, 10], [3, 3, 0, 18, 20]]); // prettier-ignore
  expect(runtimeStats().nodesByOp).not.toHaveProperty("pad");
});

test.each([
  ["that overlap", [0, 3], [2, 5]],
  ["with a gap", [0, 2], [3, 5]],
  ["that are the same", [1, 3], [1, 3]],
] as const)("gradients of slices %s are added up", async (_, [s, e], [t, f]) => {
  const x = tensor([1, 2, 3, 4, 5]);
  const [g] = grad(
    x
      .slice(0, s, e)
      .sum()
      .add(x.slice(0, t, f).mul(10).sum()),
    [x],
  );
  const wanted = [0, 1, 2, 3, 4].map((i) => Number(i >= s && i < e) + 10 * Number(i >= t && i < f));
  expect(await g.toArray()).toStrictEqual(wanted);
});
