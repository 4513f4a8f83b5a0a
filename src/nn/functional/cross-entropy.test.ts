import { expect, test } from "vitest";
import "../../runtime/index.ts";
import { grad } from "../../tensor/autograd.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { Generator, randint, randn } from "../../tensor/random/random.ts";
import { crossEntropy, type CrossEntropyOptions } from "./cross-entropy.ts";

const [ROWS, CLASSES, PART] = [1500, 3, 500];
const generator = new Generator(1);
const options = { reduction: "none" } as const;

test.each<readonly [string, CrossEntropyOptions]>([
  ["plain", {}],
  ["weighted", { weight: tensor([0.5, 1, 3]) }],
  ["with ignored targets", { ignoreIndex: 1 }],
])("many places of few classes have the losses that few places have: %s", async (_, given) => {
  const logits = randn([ROWS, CLASSES], { generator }).mul(4);
  const target = randint(0, CLASSES, [ROWS], { generator });
  await evaluate(logits, target);
  const together = crossEntropy(logits, target, { ...given, ...options });
  const parts = [0, PART, 2 * PART].map((at) =>
    crossEntropy(logits.slice(0, at, at + PART), target.slice(0, at, at + PART), {
      ...given,
      ...options,
    }),
  );
  const apart = cat(parts);
  const gradients = [together, apart].map((losses) => grad(losses.sum(), [logits])[0]);
  const off = [together.sub(apart), gradients[0]?.sub(gradients[1] ?? 0) ?? together];
  for (const difference of off) expect(await difference.abs().amax().item()).toBeLessThan(5e-6);
});

test("a place is lost where its scores are, and no other one is", async () => {
  const data = Float32Array.from({ length: ROWS * CLASSES }, (_, i) => i % 7);
  data.set([NaN, 1, 2, -Infinity, 1, 2, -Infinity, -Infinity, 2, 1e30, 0, 0]);
  const logits = tensor(data, { shape: [ROWS, CLASSES] });
  const target = tensor(new BigInt64Array(ROWS));
  const losses = crossEntropy(logits, target, options);
  const [g] = grad(losses.slice(0, 1).sum(), [logits]);
  const [a, b, c, d, ...rest] = await losses.toArray(1);
  expect([a, b, c, d]).toStrictEqual([NaN, Infinity, Infinity, 0]);
  expect(rest.every((loss) => Number.isFinite(loss) && loss > 0)).toBe(true);
  expect(await g.slice(0, 4).isfinite().all().toArray()).toBe(true);
});

test("targets that only the run shows are still held to the classes", async () => {
  const logits = randn([ROWS, CLASSES], { generator });
  const wrong = randint(0, CLASSES, [ROWS], { generator }).add(CLASSES);
  await expect(crossEntropy(logits, wrong).data()).rejects.toThrow("is out of range");
});
