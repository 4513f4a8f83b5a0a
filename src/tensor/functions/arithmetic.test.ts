import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grad } from "../autograd.ts";
import { tensor } from "./creation.ts";
import type { Tensor } from "../tensor.ts";
import "../../runtime/index.ts";

const special = fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-30, -1e-30, 1e30, 0.1);
const single = fc.oneof(special, fc.float());
const pairs = fc.array(fc.tuple(single, single), { minLength: 1, maxLength: 20 });

/** An operation on columns of pairs, and what it gives for one pair in double precision. */
async function agrees(
  operation: (a: Tensor, b: Tensor) => Tensor,
  expected: (a: number, b: number) => number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(pairs, async (rows) => {
      const found = await operation(
        tensor(rows.map(([a]) => a)),
        tensor(rows.map(([, b]) => b)),
      ).toArray(1);
      rows.forEach(([a, b], i) => {
        const wanted = expected(Math.fround(a), Math.fround(b));
        const close = Math.abs((found[i] ?? NaN) - wanted) <= 1e-6 * Math.abs(wanted) + 1e-44;
        const said = `${a}, ${b}: ${found[i]}, not ${wanted}`;
        expect(close || Object.is(found[i], Math.fround(wanted)), said).toBe(true);
      });
    }),
    { numRuns: 60 },
  );
}

/** Python's %, which torch follows: exact, with the sign of the divisor. */
function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? Math.fround(rest + b) : rest;
}

describe("angles and remainders are right for all numbers", () => {
  test("atan2", async () => {
    await agrees((y, x) => y.atan2(x), Math.atan2);
  });
  test("remainder", async () => {
    await agrees((a, b) => a.remainder(b), remainder);
  });
});

test("division rounded down agrees with the remainder", async () => {
  const [a, b] = [tensor([3, 1, -3, 7, -7, 1, -1, 0]), tensor([0.1, 0.1, 0.1, -2, 2, 0, 0, 0])];
  expect(await a.floorDivide(b).toArray()).toEqual([29, 9, -30, -4, -4, Infinity, -Infinity, NaN]);
});

test("gradients of remainder and angle", async () => {
  const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
  const [a, b] = [leaf([3.5, -3.5, 3.5]), leaf([2, 2, -2])];
  const [da, db] = grad(a.remainder(b).sum(), [a, b]);
  expect(await da.toArray()).toEqual([1, 1, 1]);
  expect(await db.toArray()).toEqual([-1, 2, 2]);
  const [y, x] = [leaf([0, 0, 2, -1, 1]), leaf([1, -2, 0, 1, -1])];
  const [dy, dx] = grad(y.atan2(x).sum(), [y, x]);
  expect(await dy.toArray()).toEqual([1, -0.5, 0, 0.5, -0.5]);
  expect(await dx.toArray()).toEqual([0, 0, -0.5, 0.5, -0.5]);
});
