import { describe, expect, test } from "vitest";
import { expectGradient } from "../../../../tests/tensor/ops/gradients.ts";
import { describeProgram } from "../../../runtime/index.ts";
import type { DType } from "../../../tensor/dtype.ts";
import { evaluate } from "../../../tensor/evaluate.ts";
import { Generator } from "../../../tensor/random/generator.ts";
import { randn } from "../../../tensor/random/random.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { rotate } from "./rotary-embedding.ts";

const generator = new Generator(5);
const drawn = (...shape: number[]): Tensor => randn(shape, { generator });

/** The formula of "RoFormer", Su and others, 2021, with the pairs as in Llama's code. */
function written(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const pairs = cos.size(-1);
  const [c, s] = [cos.unsqueeze(1), sin.unsqueeze(1)];
  const [a, b] = [x.slice(-1, 0, pairs), x.slice(-1, pairs, 2 * pairs)];
  const rest = x.slice(-1, 2 * pairs);
  return cat([a.mul(c).sub(b.mul(s)), b.mul(c).add(a.mul(s)), rest], -1);
}

describe("rotate", () => {
  test.each<[string, number[], number[]]>([
    ["all features", [2, 3, 5, 8], [2, 5, 4]],
    ["a part of the features", [2, 3, 5, 10], [2, 5, 3]],
    ["positions that all rows share", [3, 2, 4, 6], [1, 4, 3]],
    ["one token", [1, 4, 1, 8], [1, 1, 4]],
  ])("turns %s", async (_, shape, angles) => {
    const [x, cos, sin] = [drawn(...shape), drawn(...angles), drawn(...angles)];
    const [y, wanted] = [rotate(x, { cos, sin }), written(x, cos, sin)];
    expect(await y.sub(wanted).abs().amax().item()).toBeLessThan(1e-6);
  });

  test.each<DType>(["float16", "float64"])("computes in %s", async (dtype) => {
    const [x, cos, sin] = [drawn(1, 2, 3, 4), drawn(1, 3, 2), drawn(1, 3, 2)];
    const [a, b, c] = [x, cos, sin].map((t) => t.to(dtype)) as [Tensor, Tensor, Tensor];
    const error = rotate(a, { cos: b, sin: c })
      .to("float32")
      .sub(written(x, cos, sin))
      .abs();
    expect(await error.amax().item()).toBeLessThan(dtype === "float16" ? 1e-2 : 1e-6);
  });

  test("has the gradients of all its operands", async () => {
    const f = (x: Tensor, cos: Tensor, sin: Tensor): Tensor =>
      rotate(x, { cos, sin }).mul(weights).sum();
    const weights = drawn(2, 2, 3, 6).to("float64");
    const operands = [drawn(2, 2, 3, 6), drawn(2, 3, 2), drawn(2, 3, 2)];
    await expectGradient(
      (...x) => f(...(x as [Tensor, Tensor, Tensor])),
      operands.map((t) => t.to("float64")),
    );
  });

  test("computes only the positions that are read", async () => {
    const [x, cos, sin] = [drawn(2, 3, 5, 8), drawn(2, 5, 4), drawn(2, 5, 4)];
    const whole = rotate(x, { cos, sin });
    await evaluate(x, cos, sin, whole);
    for (const [dim, size] of [2, 3, 5].entries()) {
      const part = rotate(x, { cos, sin }).slice(dim, size - 1, size);
      expect(describeProgram([part]).nodesByOp).toMatchObject({
        rotate: 1,
        slice: dim === 1 ? 1 : 3,
      });
      expect(await part.data()).toEqual(await whole.slice(dim, size - 1, size).data());
    }
  });

  test("refuses angles of another shape", () => {
    expect(() => rotate(drawn(2, 3, 5, 8), { cos: drawn(2, 4, 4), sin: drawn(2, 4, 4) })).toThrow(
      /rotate: expected \[batch, heads, sequence, features\].*got \[2, 3, 5, 8\], \[2, 4, 4\]/,
    );
  });
});
