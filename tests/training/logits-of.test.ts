import {
  evaluate,
  GPT2LMHeadModel,
  grad,
  resetStats,
  runtimeStats,
  type Tensor,
  tensor,
} from "tsvene";
import { expect, test } from "vitest";
import { logitsOf } from "../../src/training/alignment/logits-of.ts";

const [T, d, V] = [5, 8, 1_000];
const model = new GPT2LMHeadModel({ nLayer: 1, nEmbd: d, nHead: 2, vocabSize: V }).eval();
const inputIds = tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3], [5, 8, 9, 7, 9]], { dtype: "int64" }); // prettier-ignore
const labelPositions = [1, 4, 1];

async function work(make: (logits: Tensor) => Tensor): Promise<number> {
  const made = make(model.forward({ inputIds }).logits);
  resetStats();
  await evaluate(made);
  return runtimeStats().multiplyAdds;
}

test("only the logits where the labels are are computed, and their gradient", async () => {
  await evaluate(...model.parameters().map((p) => p.value));
  const [all, some] = [await work((logits) => logits), await work((logits) => logitsOf("test", logits, { labelPositions }))]; // prettier-ignore
  expect(all - some).toBe(3 * (T - 1) * d * V);
  const { logits } = model.forward({ inputIds });
  const own = logitsOf("test", logits, { labelPositions });
  const index = tensor(labelPositions, { dtype: "int64" }).reshape([-1, 1, 1]);
  const whole = logits.takeAlongDim(index, 1).squeeze(1);
  expect(await own.sub(whole).abs().amax().item()).toBeLessThan(1e-6);
  const weight = model.parameters()[0]?.value;
  if (weight === undefined) throw new Error("no weight");
  const [[a], [b]] = [grad(own.square().sum(), [weight]), grad(whole.square().sum(), [weight])];
  expect(
    await a
      ?.sub(b ?? a)
      .abs()
      .amax()
      .item(),
  ).toBeLessThan(1e-4);
});

test("whatever is done with each logit after", async () => {
  const { logits } = model.forward({ inputIds });
  const capped = logits.div(30).tanh().mul(30);
  const own = logitsOf("test", capped, { labelPositions });
  const count = await work((all) => logitsOf("test", all.div(30).tanh().mul(30), { labelPositions })); // prettier-ignore
  expect(count).toBe(await work((all) => logitsOf("test", all, { labelPositions })));
  const [rows, values] = [await capped.toArray(3), await own.toArray(2)];
  labelPositions.forEach((at, row) => {
    expect(values[row]?.[7]).toBeCloseTo(rows[row]?.[at]?.[7] ?? NaN, 5);
  });
});
