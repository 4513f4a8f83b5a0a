import { expect, test } from "vitest";
import { zeros } from "../../tensor/functions/creation.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { buildProgram } from "./program.ts";

/** Products with a square matrix, and then many operations on few numbers. */
function isSmall(rows: number, products: number, others: number, width = 64): boolean {
  let x: Tensor = zeros([rows, width]);
  for (let i = 0; i < products; i++) x = linear(x, zeros([width, width]));
  let y = x.slice(0, 0, 1);
  for (let i = 0; i < others; i++) y = y.exp();
  return buildProgram([x, y]).work.isSmall;
}

test("programs of large operations are shared between threads, and such of small ones are not", () => {
  expect(isSmall(1024, 4, 0)).toBe(false);
  expect(isSmall(64, 4, 0)).toBe(true);
});

test("a large operation among many small ones is not worth a thread", () => {
  expect(isSmall(1024, 4, 4)).toBe(false);
  expect(isSmall(1024, 4, 40)).toBe(true);
});

test("one row is worth threads where the matrices take long to read", () => {
  expect(isSmall(1, 4, 40, 768)).toBe(true);
  expect(isSmall(1, 40, 40, 768)).toBe(false);
});
