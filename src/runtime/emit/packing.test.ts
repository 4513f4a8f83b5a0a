import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conv2d } from "../../nn/functional/convolution.ts";
import { Parameter } from "../../nn/parameter.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import { randn } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { clearSessions, configureRuntime, resetStats, runtimeStats } from "../default-runtime.ts";

const WIDTH = 128;
const BYTES = 4 * WIDTH * WIDTH;
/** Runs of `rows` rows until building the weight in pays. */
const runsUntilHot = (rows: number): number => Math.ceil((100 * BYTES) / (rows * WIDTH * WIDTH));

const weight = new Parameter(randn([WIDTH, WIDTH]));
const product = (x: Tensor): Tensor => linear(x, weight.value).tanh();

async function drawn(...shape: number[]): Promise<Tensor> {
  const x = randn(shape);
  await evaluate(x, weight.value);
  return x;
}

async function heat(f: (x: Tensor) => Tensor, x: Tensor, runs: number): Promise<void> {
  for (let i = 0; i < runs; i++) await f(x).data();
}

beforeEach(async () => {
  await clearSessions();
  resetStats();
});

afterEach(async () => {
  configureRuntime({ maxWeightBytes: 2 ** 30 });
  await clearSessions();
});

describe("weights that stay the same", () => {
  test("are built in when a program has run as long as that takes", async () => {
    const x = await drawn(64, WIDTH);
    const before = await product(x).data();
    await heat(product, x, runsUntilHot(64) - 1);
    expect(runtimeStats().weightBytes).toBe(0);
    const after = await product(x).data();
    expect(runtimeStats()).toMatchObject({ weightBytes: BYTES, programsCompiled: 2 });
    after.forEach((value, i) => expect(value).toBeCloseTo(Number(before[i]), 5));
  });

  test("serve other sizes", async () => {
    await heat(product, await drawn(64, WIDTH), runsUntilHot(64) + 1);
    resetStats();
    const other = await drawn(80, WIDTH);
    const x = await other.data();
    const y = await product(other).data();
    expect(runtimeStats().programsCompiled).toBe(0);
    const w = await weight.value.data();
    let first = 0;
    for (let k = 0; k < WIDTH; k++) first += Number(x[k]) * Number(w[k]);
    expect(y[0]).toBeCloseTo(Math.tanh(first), 4);
  });

  test("are what the parameter holds now, never what it held", async () => {
    const x = await drawn(64, WIDTH);
    const old = weight.value;
    await heat(product, x, runsUntilHot(64) + 1);
    weight.set(old.mul(0));
    expect((await product(x).data()).every((y) => Number(y) === 0)).toBe(true);
    weight.set(old);
    expect((await product(x).data()).some((y) => Number(y) !== 0)).toBe(true);
  });

  test("are not, while they are trained", async () => {
    const x = await drawn(64, WIDTH);
    for (let i = 0; i < 3 * runsUntilHot(64); i++) {
      weight.set(weight.value.mul(1));
      await product(x).data();
    }
    expect(runtimeStats().weightBytes).toBe(0);
  });

  test("keep to their bound, and none are built in at 0", async () => {
    const x = await drawn(64, WIDTH);
    configureRuntime({ maxWeightBytes: BYTES });
    await heat(product, x, runsUntilHot(64) + 1);
    await heat((y) => product(y).exp(), x, runsUntilHot(64) + 1);
    expect(runtimeStats().weightBytes).toBe(BYTES);
    configureRuntime({ maxWeightBytes: 0 });
    expect(runtimeStats().weightBytes).toBe(0);
    await heat(product, x, 2 * runsUntilHot(64));
    expect(runtimeStats().weightBytes).toBe(0);
  });

  test("are no data: what only looks constant stays outside", async () => {
    const [x, w] = [await drawn(64, WIDTH), await drawn(WIDTH, WIDTH)];
    await heat((y) => linear(y, w), x, 2 * runsUntilHot(64));
    expect(runtimeStats().weightBytes).toBe(0);
  });
});

test("a convolution with its weights inside takes images of other sizes", async () => {
  const kernel = new Parameter(randn([64, 32, 3, 3]));
  const scale = new Parameter(randn([64]));
  const f = (x: Tensor): Tensor =>
    conv2d(x, kernel.value)
      .mul(scale.value.reshape([64, 1, 1]))
      .relu();
  const [small, large] = [await drawn(1, 32, 24, 24), await drawn(2, 32, 32, 32)];
  await evaluate(kernel.value, scale.value);
  for (const x of [small, large]) {
    configureRuntime({ maxWeightBytes: 0 });
    const plain = await f(x).data();
    configureRuntime({ maxWeightBytes: 2 ** 30 });
    await heat(f, x, 2 + (100 * 4 * kernel.numel) / (x.numel * 9 * 64));
    const built = await f(x).data();
    expect(runtimeStats().weightBytes).toBeGreaterThan(0);
    built.forEach((value, i) => expect(value).toBeCloseTo(Number(plain[i]), 3));
  }
});
