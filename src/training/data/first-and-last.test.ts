import { expect, test } from "vitest";
import { firstAndLast } from "./first-and-last.ts";

test.each([
  [20, 7, 7, [0, 1, 2, 3, 4, 5, 6, 13, 14, 15, 16, 17, 18, 19]],
  [5, 7, 7, [0, 1, 3, 4]],
  [4, 1, 2, [0, 2, 3]],
  [10, 0, 1, [9]],
  [3, 5, 0, [0, 1, 2]],
  [1, 7, 7, []],
])("of %i tokens the first %i and the last %i", (length, first, last, wanted) => {
  expect(firstAndLast(length, first, last)).toStrictEqual(wanted);
});

test("half a token is none", () => {
  expect(() => firstAndLast(10, 1.5)).toThrow(/first must be a whole number of 0 or more, got 1.5/);
});
