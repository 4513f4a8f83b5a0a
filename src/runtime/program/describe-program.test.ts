import { expect, test } from "vitest";
import { evaluate, randn, resetStats, runtimeStats, type Tensor, zeros } from "tsvene";
import { describeProgram, valueIds } from "./describe-program.ts";

function chain(x: Tensor, w: Tensor): Tensor {
  return x.matmul(w).relu().matmul(w).add(1);
}

test("says what running would count", async () => {
  const [x, w] = [randn([3, 8]), randn([8, 8])];
  await evaluate(x, w);
  const y = chain(x, w);
  resetStats();
  const described = describeProgram([y, y]);
  expect(runtimeStats()).toMatchObject({ runs: 0, programsCompiled: 0, nodesRun: 0 });
  await evaluate(y);
  const { nodesRun, nodesByOp, multiplyAdds } = runtimeStats();
  expect(described).toMatchObject({ nodes: nodesRun, nodesByOp, multiplyAdds });
  expect(multiplyAdds).toBe(2 * 3 * 8 * 8);
  // Two values of 3 x 8 numbers live at one time: an operand and a result.
  expect(described.peakBytes).toBe(2 * 3 * 8 * 4);
  expect(described.inputBytes).toBe((3 * 8 + 8 * 8 + 1) * 4);
});

test("counts only the part that is asked for, and nothing that is known", async () => {
  const x = randn([16, 8]);
  await evaluate(x);
  const w = zeros([8, 8]);
  expect(describeProgram([x.matmul(w).slice(0, 3, 4)]).multiplyAdds).toBe(8 * 8);
  expect(describeProgram([x])).toMatchObject({ nodes: 0, inputBytes: 0, peakBytes: 0 });
});

test("tells values that are computed once", () => {
  const x = zeros([2, 4]);
  const [a, b, c] = [x.exp(), x.exp(), x.log()];
  const [i, j, k] = valueIds([a, b, c]);
  expect(i).toBe(j);
  expect(i).not.toBe(k);
});
