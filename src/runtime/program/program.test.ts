import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../../tensor/functions/creation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { buildProgram } from "./program.ts";

const sequence = (n: number): Tensor => tensor(new Float32Array(n * 4), { shape: [n, 4] });

function signature(...targets: Tensor[]): string {
  return buildProgram(targets).signature;
}

describe("buildProgram", () => {
  test("signs topology and not sizes", () => {
    const f = (x: Tensor): Tensor => x.reshape([-1, 2]).slice(0, 1).mul(3).softmax(-1);
    expect(signature(f(sequence(5)))).toBe(signature(f(sequence(9))));
    expect(signature(f(sequence(5)))).not.toBe(signature(f(sequence(5)).exp()));
  });

  test("does not bake plain numbers in", () => {
    expect(signature(sequence(2).mul(0.1))).toBe(signature(sequence(2).mul(0.2)));
  });

  test("makes equal subgraphs one, plain numbers included", () => {
    const x = sequence(3);
    const program = buildProgram([x.mul(0.5).exp(), x.mul(0.5).exp()]);
    expect(program.outputs[0]).toBe(program.outputs[1]);
  });

  test("keeps apart what differs in a size or a number", () => {
    const x = sequence(3);
    const [a, b] = buildProgram([x.slice(0, 0, 1), x.slice(0, 1, 2)]).outputs;
    expect(a).not.toBe(b);
    const [c, d] = buildProgram([x.mul(2), x.mul(4)]).outputs;
    expect(c).not.toBe(d);
    const [positive, negative] = buildProgram([x.div(0), x.div(-0)]).outputs;
    expect(positive).not.toBe(negative);
  });

  test("shares size operands of one role only", () => {
    const x = sequence(4);
    const roles = buildProgram([x.reshape([4, 2, 2]), zeros([4, 2, 2]).mul(2)]);
    expect(roles.sizes).toHaveLength(2);
    const [y, z] = [x.exp(), x.mul(2).exp()];
    expect(buildProgram([y.reshape([4, 2, 2]), z.reshape([4, 2, 2])]).sizes).toHaveLength(1);
    expect(buildProgram([y.slice(0, 1, 2), z.mul(1).slice(0, 1, 2)]).sizes).toHaveLength(4);
  });

  test("survives a graph deeper than the call stack", () => {
    let x: Tensor = sequence(1);
    for (let i = 0; i < 50_000; i++) x = x.neg();
    expect(buildProgram([x]).values).toHaveLength(50_001);
  });

  test("tells ranks apart where sizes make them", () => {
    expect(signature(sequence(4).reshape([16]))).not.toBe(signature(sequence(4).reshape([2, 8])));
  });

  test("takes tensors that appear twice as one input", () => {
    const x = sequence(2);
    expect(buildProgram([cat([x, x], 0)]).values).toHaveLength(2);
  });
});
