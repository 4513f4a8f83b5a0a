import { describe, expect, test } from "vitest";
import { scalar } from "../../tensor/ops/apply.ts";
import { constant } from "../../tensor/functions/arithmetic.ts";
import { tensor, zeros } from "../../tensor/functions/creation.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Plans } from "./plans.ts";
import type { Program } from "./program.ts";
import { isStep } from "./step.ts";
import { fits, outlineOf, readTrace } from "./trace.ts";

/** Whether a trace is known again where another is known. */
function isKnown(known: Tensor, other: Tensor): boolean {
  const [a, b] = [readTrace([known]), readTrace([other])];
  const isSame = fits(outlineOf(a), b);
  if (isSame) expect(a.hash).toBe(b.hash);
  return isSame;
}

const x = tensor([1, 2, 3, 4]);
const square = tensor([
  [1, 2],
  [3, 4],
]);

describe("traces", () => {
  test("are the same whatever numbers come from outside", () => {
    const trace = (t: Tensor, by: number): Tensor => t.mul(scalar(by, "float32")).sum();
    expect(isKnown(trace(x, 2), trace(tensor([5, 6, 7, 8]), 3))).toBe(true);
  });

  test.each<[string, Tensor, Tensor]>([
    ["operations", x.exp(), x.log()],
    ["shapes", x.exp(), zeros([5]).exp()],
    ["types", x.neg(), x.to("float64").neg()],
    ["types of inputs", tensor([1]).abs(), tensor([1], { dtype: "int32" }).abs()],
    ["sizes", x.slice(0, 1, 3), x.slice(0, 2, 4)],
    ["attributes", square.permute([0, 1]), square.permute([1, 0])],
    ["numbers in the program", x.mul(constant(2)), x.mul(constant(3))],
    ["the sign of a zero in the program", x.mul(constant(0)), x.mul(constant(-0))],
    ["operands", x.sub(x.exp()), x.exp().sub(x)],
    ["what is one tensor", x.add(x), x.add(tensor([1, 2, 3, 4]))],
    ["what is kept", x.exp(), x.exp().add(1)],
    [
      "which plain numbers are equal",
      x.mul(scalar(2, "float32")).add(scalar(2, "float32")),
      x.mul(scalar(2, "float32")).add(scalar(3, "float32")),
    ],
    ["which zeros are equal", x.div(0).add(0), x.div(0).add(-0)],
  ])("are told apart by %s", (_, known, other) => {
    expect(isKnown(known, other)).toBe(false);
  });

  test("are told apart by what is asked for", () => {
    const y = x.exp();
    const z = y.add(1);
    expect(fits(outlineOf(readTrace([z])), readTrace([z, y]))).toBe(false);
    expect(fits(outlineOf(readTrace([y, z])), readTrace([z, y]))).toBe(false);
  });
});

describe("plans", () => {
  const traced = (t: Tensor): Tensor => t.reshape([2, 2]).matmul(square).slice(0, 1, 2).sum();

  test("give the program of the trace, with its own tensors", () => {
    const plans = new Plans();
    const programs = [1, 2, 3].map((by): Program => {
      const own = tensor([by, 2, 3, 4]);
      const target = traced(own);
      const program = plans.programOf([target]);
      expect(program.targets.map(({ shape }) => shape)).toEqual([target.shape]);
      const inputs = program.values.filter((value) => !isStep(value));
      expect(new Set(inputs.map((input) => input.tensor))).toEqual(new Set([own, square]));
      return program;
    });
    const [first, , third] = programs;
    expect(third?.signature).toBe(first?.signature);
    expect(third?.outputs).toEqual(first?.outputs);
    expect(third?.work).toEqual(first?.work);
  });

  test("hold no numbers of the traces that they were made of", () => {
    const plans = new Plans();
    for (let i = 0; i < 2; i++) plans.programOf([traced(tensor([1, 2, 3, 4]))]);
    const own = tensor([1, 2, 3, 4]);
    const { values } = plans.programOf([traced(own)]);
    const held = values.flatMap((value) => [
      value.tensor,
      ...(isStep(value) ? value.origin.inputs : []),
    ]);
    const withNumbers = new Set(held.filter((t) => t.values !== undefined));
    expect(withNumbers).toEqual(new Set([own, square]));
  });
});
