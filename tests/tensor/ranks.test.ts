import { expect, expectTypeOf, test } from "vitest";
import { arange, cat, type NestedArray, randn, stack, tensor, Tensor, zeros } from "tsvene";

const matrix = tensor([[1, 2], [3, 4]]); // prettier-ignore

test("types know how deep the numbers of what is made of nested arrays are", async () => {
  expectTypeOf(matrix.toArray()).resolves.toEqualTypeOf<number[][]>();
  expectTypeOf(tensor([1, 2]).toArray()).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(arange(3).toArray()).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(matrix.mul(2).exp().toArray()).resolves.toEqualTypeOf<number[][]>();
  expectTypeOf(matrix.add(matrix).toArray()).resolves.toEqualTypeOf<number[][]>();
  expectTypeOf(matrix.select(0, 1).toArray()).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(matrix.sum({ dim: 0 }).toArray()).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(matrix.sum({ dim: 0, keepdim: true }).toArray()).resolves.toEqualTypeOf<
    number[][]
  >();
  expectTypeOf(matrix.mean().toArray()).resolves.toEqualTypeOf<number>();
  expectTypeOf(matrix.argmax(-1).toArray()).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(stack([matrix, matrix]).toArray()).resolves.toEqualTypeOf<number[][][]>();
  expectTypeOf(cat([matrix, matrix]).toArray()).resolves.toEqualTypeOf<number[][]>();
  expectTypeOf(Tensor.fromData(new Float32Array(2), [1, 2]).toArray()).resolves.toEqualTypeOf<
    number[][]
  >();
  expect(await stack([matrix, matrix]).toArray()).toEqual([
    [[1, 2], [3, 4]],
    [[1, 2], [3, 4]],
  ]); // prettier-ignore
});

test("types say nothing where dimensions or elements are open", () => {
  const open = (t: Tensor): Promise<NestedArray> => t.toArray();
  expectTypeOf(open).returns.resolves.toEqualTypeOf<NestedArray>();
  expectTypeOf(zeros([2, 2]).toArray()).resolves.toEqualTypeOf<NestedArray>();
  expectTypeOf(tensor([true, false]).toArray()).resolves.toEqualTypeOf<NestedArray>();
  expectTypeOf(tensor([1, 0], { dtype: "bool" }).toArray()).resolves.toEqualTypeOf<NestedArray>();
  expectTypeOf(matrix.gt(1).toArray()).resolves.toEqualTypeOf<NestedArray>();
  expectTypeOf(matrix.to("bool").toArray()).resolves.toEqualTypeOf<NestedArray>();
  expectTypeOf(matrix.add(zeros([3, 2, 2])).toArray()).resolves.toEqualTypeOf<NestedArray>();
});

test("a tensor that does not have the rank that toArray is told is an error", async () => {
  const x: Tensor = randn([2, 3, 4]);
  const [[row = []] = []] = await x.toArray(3);
  expectTypeOf(row).toEqualTypeOf<number[]>();
  expect(row).toHaveLength(4);
  await expect(x.toArray(2)).rejects.toThrow(
    "toArray: expected 2 dimensions, got shape [2, 3, 4]; write toArray(3)",
  );
  await expect(matrix.gt(1).toArray(2)).rejects.toThrow(/these are booleans; write int\(\)/);
  expect(await matrix.gt(1).int().toArray(2)).toEqual([[0, 1], [1, 1]]); // prettier-ignore
});
