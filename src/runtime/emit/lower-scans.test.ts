import { describe, expect, test } from "vitest";
import {
  expectGradient,
  expectSecondGradient,
  noise,
} from "../../../tests/tensor/ops/gradients.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { stack } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { describeProgram } from "../program/describe-program.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { resetStats, runtimeStats } from "../default-runtime.ts";

const [BATCH, STEPS, SIZE, WIDTH] = [2, 4, 3, 5];

const recurrence = (reverse: boolean) => (decay: Tensor, input: Tensor, initial: Tensor) =>
  apply("recurrence", [decay, input, initial], { reverse });
const threeTerm =
  (reverse: boolean) =>
  (...operands: Tensor[]) =>
    apply("threeTerm", operands, { reverse });
const scan =
  (result: "outputs" | "state") =>
  (...operands: Tensor[]) =>
    apply("selectiveScan", operands, { result });

const sequences = [noise([BATCH, STEPS, WIDTH], 1), noise([BATCH, STEPS, WIDTH], 2)] as const;
const [x, dt] = sequences;
const operands = [
  x,
  dt.abs(),
  noise([SIZE, WIDTH], 3),
  noise([BATCH, STEPS, SIZE], 4),
  noise([BATCH, STEPS, SIZE], 5),
  noise([BATCH, SIZE, WIDTH], 6),
];

/** Weighted differently for each element, so that no gradient is right by symmetry. */
const weighted = (y: Tensor): Tensor => y.mul(noise(y.shape, 7)).sum();

async function numbers(y: Tensor): Promise<number[]> {
  await evaluate(y);
  return Array.from(y.values ?? [], Number);
}

test.each([false, true])("a recurrence goes step by step (from the end: %s)", async (reverse) => {
  const [initial, states] = [noise([BATCH, WIDTH], 8), [] as Tensor[]];
  let state = initial;
  const order = [...Array(STEPS).keys()];
  for (const t of reverse ? order.reverse() : order) {
    state = state.mul(x.select(1, t)).add(dt.select(1, t));
    states[t] = state;
  }
  const all = await numbers(recurrence(reverse)(x, dt, initial));
  for (const [t, wanted] of states.entries()) {
    const values = await numbers(wanted);
    values.forEach((value, i) => {
      const [batch, column] = [Math.floor(i / WIDTH), i % WIDTH];
      expect(all[(batch * STEPS + t) * WIDTH + column]).toBeCloseTo(value, 12);
    });
  }
});

test.each([false, true])("three terms go step by step (from the end: %s)", async (reverse) => {
  const [matrix, input] = [noise([SIZE, SIZE], 3), noise([STEPS, SIZE, WIDTH], 4)];
  const none = noise([SIZE, WIDTH]).mul(0);
  let [state, older] = [none, none];
  const order = [...Array(STEPS).keys()];
  const states = (reverse ? order.reverse() : order).map((t) => {
    [state, older] = [matrix.matmul(state).add(older).add(input.select(0, t)), state];
    return state;
  });
  const wanted = await numbers(stack(reverse ? states.reverse() : states));
  const all = await numbers(threeTerm(reverse)(matrix, input));
  expect(all).toHaveLength(wanted.length);
  all.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 12));
});

describe("gradients", () => {
  test.each([false, true])("of three terms (from the end: %s)", async (reverse) => {
    const inputs = [noise([SIZE, SIZE], 3), noise([STEPS, SIZE, 2], 4)];
    const f = (...t: Tensor[]): Tensor => weighted(threeTerm(reverse)(...t));
    await expectGradient(f, inputs);
    await expectSecondGradient(f, inputs);
  });

  test.each([false, true])("of a recurrence (from the end: %s)", async (reverse) => {
    const inputs = [...sequences, noise([BATCH, WIDTH], 8)];
    const f = (...t: Tensor[]): Tensor => weighted(recurrence(reverse)(...(t as [Tensor, Tensor, Tensor]))); // prettier-ignore
    await expectGradient(f, inputs);
    await expectSecondGradient(f, inputs);
  });

  test.each(["outputs", "state"] as const)("of a selective scan's %s", async (result) => {
    const f = (...t: Tensor[]): Tensor => weighted(scan(result)(...t));
    await expectGradient(f, operands);
    await expectSecondGradient(f, operands);
  });
});

describe("of a part of the result, only what it needs is computed", () => {
  test.each([
    ["outputs", 0, 2],
    ["outputs", 2, 5],
    ["state", 0, 2],
    ["state", 1, 3],
    ["state", 2, 5],
  ] as const)("%s, dimension %i", async (result, dim, of) => {
    const whole = scan(result)(...operands);
    const part = whole.slice(dim, of - 1, of);
    const [some, all] = [describeProgram([part]), describeProgram([whole])];
    expect(some.multiplyAdds * of).toBe(all.multiplyAdds);
    const wanted = await numbers(whole);
    expect(await numbers(part)).toEqual(
      wanted.filter((_, i) => indexIn(whole.shape, i)[dim] === of - 1),
    );
  });

  test("the last outputs need all steps", async () => {
    const whole = scan("outputs")(...operands);
    const [some, all] = [describeProgram([whole.select(1, -1)]), describeProgram([whole])];
    expect(some.multiplyAdds).toBe(all.multiplyAdds);
  });

  test("three terms of some columns", async () => {
    const whole = threeTerm(false)(noise([SIZE, SIZE], 3), noise([STEPS, SIZE, WIDTH], 4));
    const part = whole.slice(2, 1, 2);
    expect(describeProgram([part]).multiplyAdds).toBe(STEPS * SIZE * SIZE);
    const wanted = await numbers(whole);
    expect(await numbers(part)).toEqual(wanted.filter((_, i) => indexIn(whole.shape, i)[2] === 1));
  });

  test.each([0, 2])("a recurrence, dimension %i", async (dim) => {
    const whole = recurrence(false)(x, dt, noise([BATCH, WIDTH], 8));
    const part = whole.slice(dim, 1, 2);
    expect(describeProgram([part]).multiplyAdds).toBe(dim === 0 ? STEPS * WIDTH : BATCH * STEPS);
    const wanted = await numbers(whole);
    expect(await numbers(part)).toEqual(
      wanted.filter((_, i) => indexIn(whole.shape, i)[dim] === 1),
    );
  });
});

function indexIn(shape: readonly number[], flat: number): readonly number[] {
  let rest = flat;
  return shape
    .toReversed()
    .map((n) => {
      const at = rest % n;
      rest = Math.floor(rest / n);
      return at;
    })
    .toReversed();
}

test("one small program serves all lengths, and gives outputs and state in one run", async () => {
  const over = (steps: number): readonly Tensor[] => {
    const read = [x, dt, ...operands.slice(3, 5)].map((t) => noise([1, steps, t.size(2)]));
    const [a, b, into, out] = read as [Tensor, Tensor, Tensor, Tensor];
    const initial = noise([1, SIZE, WIDTH]);
    const given = [a, b, noise([SIZE, WIDTH]).neg(), into, out, initial];
    return [scan("outputs")(...given), scan("state")(...given)];
  };
  await evaluate(...over(3));
  resetStats();
  for (const steps of [1, 40, 300]) await evaluate(...over(steps));
  expect(runtimeStats()).toMatchObject({ runs: 3, programsCompiled: 0, nodesRun: 3 * 3 });
});

describe("refusals say what does not fit", () => {
  test("of a recurrence", () => {
    const initial = noise([BATCH, WIDTH + 1]);
    expect(() => recurrence(false)(x, dt, initial)).toThrow(
      "recurrence: initial is [2, 6], wanted [2, 5] to fit the others",
    );
    const none = noise([BATCH, 0, WIDTH]);
    expect(() => recurrence(false)(none, none, noise([BATCH, WIDTH]))).toThrow(
      "recurrence: wanted [batch, steps, ...], got [2, 0, 5]",
    );
  });

  test("of three terms", () => {
    const input = noise([STEPS, SIZE, WIDTH]);
    expect(() => threeTerm(false)(noise([SIZE, WIDTH]), input)).toThrow(
      "threeTerm: matrix is [3, 5], wanted [3, 3] to fit the others",
    );
    expect(() => threeTerm(false)(noise([SIZE, SIZE]), noise([0, SIZE, WIDTH]))).toThrow(
      "threeTerm: wanted [steps, n, count], got [0, 3, 5]",
    );
  });

  test("of a selective scan", () => {
    expect(() => scan("state")(...operands.with(3, noise([BATCH, STEPS, WIDTH])))).toThrow(
      "selectiveScan: into is [2, 4, 5], wanted [2, 4, 3] to fit the others",
    );
    expect(() => scan("state")(...operands.with(1, dt.to("float32")))).toThrow(
      "selectiveScan: dt is float32, others float64; convert one",
    );
    expect(() => scan("state")(...operands.with(0, x.to("int64")))).toThrow(
      "selectiveScan: expected floating-point tensors, but x is int64",
    );
  });
});
