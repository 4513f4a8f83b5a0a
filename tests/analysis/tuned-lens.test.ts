import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  GPT2LMHeadModel,
  logitLens,
  manualSeed,
  type Module,
  tensor,
  trainTunedLens,
  TunedLens,
  tunedLens,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden, temporaryDirectory } from "../models/checkpoints.ts";

const inputIds = tensor([[5, 7, 9, 11, 13, 2]], { dtype: "int64" });
manualSeed(0);
const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
const fresh = new TunedLens({ width: 16, layers: 3 });

/** Rows of ids, of which the second is padded. */
const data = {
  length: 4,
  batch: (indices: readonly number[]) => ({
    inputIds: tensor(
      indices.map((i) => [i + 1, 4 + i, 7, 9, 3 * i, 2]),
      { dtype: "int64" },
    ),
    attentionMask: tensor(
      indices.map((i) => [1, 1, 1, 1, 1, i === 1 ? 0 : 1]),
      { dtype: "int64" },
    ),
  }),
};

test.each(["gpt2", "llama", "gemma2", "falcon", "opt", "mamba"])(
  "begins as the logit lens of %s, to the last bit",
  async (name) => {
    const model: Module = await AutoModelForCausalLM.fromPretrained(golden(name));
    const logit = await logitLens(model, { inputIds });
    const { lens } = await trainTunedLens(model, { length: 1, batch: () => ({ inputIds }) }, { steps: 1, lr: 0 }); // prettier-ignore
    const tuned = await tunedLens(model, lens, { inputIds });
    for (const array of ["kl", "targetLogit", "entropy", "ids"] as const) {
      expect([...tuned[array].values]).toEqual([...logit[array].values]);
    }
  },
);

test("the divergence falls in every layer, and the model stays as it was", async () => {
  const before = await gpt2.lm_head.weight.value.toArray(2);
  const inputs = data.batch([0]);
  const plain = await logitLens(gpt2, { inputIds: inputs.inputIds });
  const { lens, history, frozen } = await trainTunedLens(gpt2, data, { steps: 60, lr: 0.02 });
  const tuned = await tunedLens(gpt2, lens, { inputIds: inputs.inputIds });
  for (const layer of [0, 1, 2]) {
    const [first, last] = [history[0], history.at(-1)].map((r) => r?.metrics[`layer ${layer}`]);
    expect(last ?? NaN).toBeLessThan(0.7 * (first ?? NaN));
    const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
    expect(sum(tuned.kl.at({ layer }).values)).toBeLessThan(sum(plain.kl.at({ layer }).values));
  }
  expect(Math.min(...tuned.kl.values)).toBeGreaterThan(-1e-6);
  expect([...tuned.kl.at({ layer: "output" }).values]).toEqual([
    ...plain.kl.at({ layer: "output" }).values,
  ]);
  expect(await gpt2.lm_head.weight.value.toArray(2)).toEqual(before);
  expect(frozen).toBeDefined();
});

test("padding has no part in what is made small", async () => {
  const first = async (lastId: number): Promise<number> => {
    const batch = (): object => ({
      inputIds: tensor([[1, 4, 7, lastId]], { dtype: "int64" }),
      attentionMask: tensor([[1, 1, 1, 0]], { dtype: "int64" }),
    });
    const { history } = await trainTunedLens(gpt2, { length: 1, batch }, { steps: 1 });
    return history[0]?.loss ?? NaN;
  };
  expect(await first(3)).toBeCloseTo(await first(8), 6);
});

test("files are those of tuned-lens, and are read again", async () => {
  const folder = golden("../tuned_lens");
  const expected = JSON.parse(await readFile(join(folder, "expected.json"), "utf8")) as {
    readonly states: number[][];
    readonly translated: number[][][];
  };
  const lens = await TunedLens.fromPretrained(folder);
  const directory = await temporaryDirectory();
  await lens.save(directory);
  const again = await TunedLens.fromPretrained(directory);
  expect([again.width, again.translators.length, again.baseModel]).toEqual([16, 3, "tiny"]);
  for (const [layer, rows] of expected.translated.entries()) {
    for (const each of [lens, again]) {
      const own = await each.forward(tensor(expected.states), layer).toArray(2);
      own.flat().forEach((value, i) => {
        expect(value).toBeCloseTo(rows.flat()[i] ?? NaN, 5);
      });
    }
  }
});

const written = (config: object) => async (): Promise<unknown> => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "config.json"), JSON.stringify(config));
  return "lens_type" in config ? TunedLens.fromPretrained(directory) : fresh.save(directory);
};

refusesEach([
  [
    "a lens for more layers",
    () => tunedLens(gpt2, new TunedLens({ width: 16, layers: 4 }), { inputIds }),
    /the lens is for 4 layers, but GPT2LMHeadModel has 3/,
  ],
  [
    "what is no lens",
    () => untyped({ tunedLens }).tunedLens(gpt2, { inputIds }),
    /a TunedLens is wanted/,
  ],
  ["no width", () => new TunedLens({ width: 0, layers: 3 }), /width must be a whole number/],
  ["texts without a tokenizer", () => trainTunedLens(gpt2, ["a"]), /texts need a tokenizer/],
  [
    "no texts",
    async () =>
      trainTunedLens(gpt2, [], { tokenizer: await AutoTokenizer.fromPretrained("tsvene-mini") }),
    /a list of texts is wanted/,
  ],
  [
    "an option of another name",
    () => untyped({ trainTunedLens }).trainTunedLens(gpt2, data, { learningRate: 1 }),
    /there is no option learningRate/,
  ],
  ["files of another lens", written({ lens_type: "other" }), /is of no tuned lens/],
  ["to write over a model's files", written({ model_type: "gpt2" }), /would be lost/],
]);
