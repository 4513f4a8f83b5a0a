import { expect, test } from "vitest";
import {
  autoencoderHealth,
  GPT2LMHeadModel,
  manualSeed,
  SparseAutoencoder,
  type SparseAutoencoderOptions,
  tensor,
  topActivations,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";

manualSeed(3);
const model = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 8, nHead: 2, vocabSize: 16 }).eval();
const ids = (rows: number[][]) => tensor(rows, { dtype: "int64" });
const texts = { inputIds: ids([[1, 5, 3, 2], [7, 7, 2, 9], [4, 1, 0, 0]]) }; // prettier-ignore
const padded = { ...texts, attentionMask: ids([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]]) }; // prettier-ignore
const site = { layer: 0, component: "block_output" };

function saeOf(options: Partial<SparseAutoencoderOptions> = {}): SparseAutoencoder {
  return new SparseAutoencoder({ width: 8, latentDim: 16, ...options });
}

/** One latent for each direction and its opposite, so that every state is decoded exactly. */
function exact(): SparseAutoencoder {
  const sae = saeOf();
  const rows = Array.from({ length: 16 }, (_, i) =>
    Array.from({ length: 8 }, (__, j) => Number(j === i % 8) * (i < 8 ? 1 : -1)),
  );
  sae.W_dec.set(tensor(rows));
  sae.W_enc.set(tensor(rows).t().detach());
  return sae;
}

test("an autoencoder that decodes exactly explains all and costs nothing", async () => {
  const health = await autoencoderHealth(model, exact(), padded, { site, batchSize: 2 });
  expect(health.tokens).toBe(10);
  expect(health.l0).toBeCloseTo(8, 6);
  expect(health.explainedVariance).toBeCloseTo(1, 6);
  expect(health.lossRecovered()).toBeCloseTo(1, 4);
  expect(health.lossRecovered("mean")).toBeCloseTo(1, 4);
  expect(health.losses.reconstructed).toBeCloseTo(health.losses.clean, 5);
  expect(String(health)).toMatch(/10 tokens\n.*8\.000/);
});

test("one that decodes to nothing is the baseline", async () => {
  const sae = exact();
  sae.b_enc?.set(tensor(Array(16).fill(-1e6) as number[]));
  const health = await autoencoderHealth(model, sae, padded, { site });
  expect([health.l0, health.dead.length]).toEqual([0, 16]);
  expect(health.losses.reconstructed).toBeCloseTo(health.losses.zero, 6);
  expect(health.lossRecovered()).toBeCloseTo(0, 6);
  expect(health.losses.mean).not.toBeCloseTo(health.losses.zero, 6);
  sae.b_dec.set(tensor([1, 0, 0, 0, 0, 0, 0, 0]));
  const worse = await autoencoderHealth(model, sae, padded, { site });
  expect(worse.explainedVariance).toBeLessThan(health.explainedVariance);
});

test("losses are the model's own, and padding and batches count nowhere", async () => {
  const { losses } = await autoencoderHealth(model, saeOf(), { inputIds: ids([[1, 5, 3, 2]]) }, { site }); // prettier-ignore
  const logP = model.forward({ inputIds: ids([[1, 5, 3, 2]]) }).logits.logSoftmax(-1);
  const said = logP.narrow(1, 0, 3).gather(-1, ids([[5, 3, 2]]).unsqueeze(-1));
  expect(losses.clean).toBeCloseTo(-(await said.mean().item()), 5);
  const other = { ...padded, inputIds: ids([[1, 5, 3, 2], [7, 7, 2, 9], [4, 1, 8, 8]]) }; // prettier-ignore
  const sae = exact();
  const [one, two] = [
    await autoencoderHealth(model, sae, padded, { site, batchSize: 1 }),
    await autoencoderHealth(model, sae, other, { site }),
  ];
  expect(one.losses.zero).toBeCloseTo(two.losses.zero, 5);
  expect(one.losses.mean).toBeCloseTo(two.losses.mean, 5);
  one.density.values.forEach((share, i) => {
    expect(share).toBeCloseTo(two.density.values[i] ?? NaN, 6);
  });
});

test("texts of latents are those in which they are strongest", async () => {
  const sae = exact();
  const asked = { site, latents: [3, 11], count: 2, batchSize: 2 };
  const [up, down] = await topActivations(model, sae, padded, asked);
  const all = [...(up?.texts ?? []), ...(down?.texts ?? [])];
  for (const { tokens, activations, position, activation } of all) {
    expect(tokens.length).toBe(activations.length);
    expect(activations[position]).toBe(activation);
    expect(activation).toBe(Math.max(...activations));
    expect(activation).toBeGreaterThan(0);
  }
  const strengths = up?.texts.map(({ activation }) => activation) ?? [];
  expect(strengths).toEqual(strengths.toSorted((a, b) => b - a));
  // One latent is the state's coordinate and the other its opposite.
  for (const { text, activations } of up?.texts ?? []) {
    const opposite = down?.texts.find((other) => other.text === text)?.activations ?? [];
    activations.forEach((value, i) => {
      expect(Math.min(value, opposite[i] ?? 0)).toBe(0);
    });
  }
  const short = all.filter(({ text }) => text === 2);
  for (const { tokens } of short) expect(tokens).toEqual(["4", "1"]);
});

refusesEach([
  [
    "another width",
    () =>
      autoencoderHealth(model, new SparseAutoencoder({ width: 4, latentDim: 8 }), texts, { site }),
    /the autoencoder is made for 4, but block_output of layer 0 is 8/,
  ],
  [
    "texts without a tokenizer",
    () => autoencoderHealth(model, saeOf(), ["a"], { site }),
    /: texts need a tokenizer/,
  ],
  [
    "no autoencoder",
    () => untyped({ autoencoderHealth }).autoencoderHealth(model, texts, texts),
    /second a SparseAutoencoder/,
  ],
  [
    "a latent that is not there",
    () => topActivations(model, saeOf(), texts, { site, latents: [16] }),
    /there is no latent 16; they are 0 to 15/,
  ],
  [
    "no latents",
    () => untyped({ topActivations }).topActivations(model, saeOf(), texts, { site }),
    /latents must be a list of their numbers/,
  ],
  [
    "no texts of each",
    () => topActivations(model, saeOf(), texts, { site, latents: [0], count: 0 }),
    /count must be a whole number/,
  ],
]);
