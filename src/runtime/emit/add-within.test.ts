import { expect, test } from "vitest";
import { evaluate } from "../../tensor/evaluate.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import { randn } from "../../tensor/random/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { clearSessions } from "../default-runtime.ts";

const WIDTH = 4;
const [x, weight, bias] = [randn([3, WIDTH]), randn([WIDTH, WIDTH]), randn([WIDTH])];

function products(start: Tensor, count: number): Tensor {
  let y = start;
  for (let i = 0; i < count; i++) y = linear(y, weight, bias).tanh();
  return y;
}

/** What the first run of products takes of the processor, in milliseconds. */
async function compiled(count: number): Promise<number> {
  await clearSessions();
  const before = process.cpuUsage();
  await evaluate(products(x, count));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test("ten times as many products with biases take about ten times as long to compile", async () => {
  await evaluate(x, weight, bias);
  await compiled(100);
  const [few, many] = [await compiled(100), await compiled(1000)];
  expect(many).toBeLessThan(30 * few);
}, 60_000);

test("products add their biases alike, however many a program has", async () => {
  await evaluate(x, weight, bias);
  const [all, parts] = [products(x, 200), [x]];
  await evaluate(all);
  for (let i = 0; i < 200; i += 20) {
    const part = products(parts.at(-1) ?? x, 20);
    await evaluate(part);
    parts.push(part);
  }
  const expected = parts.at(-1)?.values ?? [];
  all.values?.forEach((value, i) => expect(value).toBeCloseTo(Number(expected[i]), 5));
});
