import {
  AutoConfig,
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForSequenceClassification,
  BackpackGPT2LMHeadModel,
  cardOf,
  GRUForClassification,
  type GRULMHeadModel,
  GRUModel,
  MLPForClassification,
  MLPModel,
  ones,
  type Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden, temporaryDirectory } from "./checkpoints.ts";

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });

describe.each(["gru_lm", "backpack_gpt2"])("%s writes", (name) => {
  test("the same with and without its cache", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const inputs = { inputIds: int64([[5, 7, 9], [1, 2, 3]]) }; // prettier-ignore
    const write = async (useCache: boolean): Promise<[unknown, Float32Array[]]> => {
      const options = { maxNewTokens: 4, useCache, outputLogits: true, padTokenId: 0 };
      const { sequences, logits = [] } = await model.generate(inputs, options);
      const values = await Promise.all(logits.map((t) => t.data()));
      return [await sequences.toArray(), values as Float32Array[]];
    };
    const [cached, uncached] = [await write(true), await write(false)];
    expect(cached[0]).toEqual(uncached[0]);
    cached[1].forEach((values, step) =>
      values.forEach((v, i) => expect(v).toBeCloseTo(uncached[1][step]?.[i] ?? NaN, 5)),
    );
  });

  test("rows of a padded batch as if they were alone", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const options = { maxNewTokens: 4, padTokenId: 0 };
    const batch = await model.generate(
      {
        inputIds: int64([[0, 0, 5, 7], [1, 2, 3, 4]]), // prettier-ignore
        attentionMask: int64([[0, 0, 1, 1], [1, 1, 1, 1]]), // prettier-ignore
      },
      options,
    );
    const rows = await batch.sequences.toArray();
    if (name === "backpack_gpt2") {
      const alone = await model.generate({ inputIds: int64([[5, 7]]) }, options);
      expect(rows[0]?.slice(2)).toEqual((await alone.sequences.toArray())[0]);
    } else {
      // A GRU embeds positions only where they are given, as a padded batch's are.
      const alone = await (model as GRULMHeadModel)
        .forward({ inputIds: int64([[5, 7]]), positionIds: int64([[0, 1]]) })
        .logits.argmax(-1)
        .toArray();
      expect(rows[0]?.[4]).toBe((alone as number[][])[0]?.[1]);
    }
  });
});

describe("a checkpoint says what it holds", () => {
  test("a Backpack's type is GPT-2's, its class is its own", async () => {
    expect(await AutoConfig.fromPretrained(golden("backpack_gpt2"))).toMatchObject({
      modelType: "gpt2",
      numSenses: 4,
    });
    const model = await AutoModelForCausalLM.fromPretrained(golden("backpack_gpt2"));
    expect(model).toBeInstanceOf(BackpackGPT2LMHeadModel);
    expect(cardOf(model)?.components.get("sense_network_output")?.dimension).toBe(24);
  });

  test.each([
    ["mlp_classifier", MLPForClassification, MLPModel],
    ["gru_classifier", GRUForClassification, GRUModel],
  ])("%s is written as it was read", async (name, classifier, base) => {
    const model = await AutoModelForSequenceClassification.fromPretrained(golden(name));
    expect(model).toBeInstanceOf(classifier);
    const directory = await temporaryDirectory();
    await model.savePretrained(directory);
    const again = await AutoModelForSequenceClassification.fromPretrained(directory);
    const inputsEmbeds = ones([2, 1, (model.config as { hDim?: number }).hDim ?? 0]);
    const logits = await model.forward({ inputsEmbeds }).logits.toArray();
    expect(await again.forward({ inputsEmbeds }).logits.toArray()).toEqual(logits);
    expect(await AutoModel.fromPretrained(directory)).toBeInstanceOf(base);
  });
});

describe("bad input", () => {
  test("ids without embeddings", () => {
    const inputIds = int64([[1]]);
    expect(() => new MLPModel({ hDim: 4 }).forward({ inputIds })).toThrow(
      /MLPModel: it has no embeddings for inputIds; give inputsEmbeds/,
    );
    const inputsEmbeds = ones([1, 1, 4]);
    expect(() =>
      new GRUModel({ hDim: 4 }).forward({ inputsEmbeds, positionIds: inputIds }),
    ).toThrow(/GRUModel: it has no embeddings for positionIds/);
  });

  test("a sequence without steps, and vectors of another rank", () => {
    const model = new GRUModel({ hDim: 4 });
    expect(() => model.forward({ inputsEmbeds: ones([2, 0, 4]) })).toThrow(/the sequence is empty/);
    expect(() => model.forward({ inputsEmbeds: ones([2, 4]) })).toThrow(
      /inputsEmbeds must be \[batch, sequence, width\], got \[2, 4\]/,
    );
  });

  test("settings that cannot be", () => {
    expect(() => new MLPModel({ nLayer: 0 })).toThrow(/MLPConfig: nLayer must be a whole number/);
    const problemType = "guess" as "regression";
    expect(() => new GRUModel({ problemType })).toThrow(
      /GRUConfig: problemType must be one of "regression", .*, got "guess"/,
    );
    expect(() => new BackpackGPT2LMHeadModel({ numSenses: 7 })).toThrow(
      /nEmbd \(768\) must be a multiple of numSenses \(7\)/,
    );
  });
});

test("labels mean what problemType says", async () => {
  const inputsEmbeds = ones([3, 1, 4]);
  const loss = async (problemType: "regression" | "multi_label_classification") => {
    const model = new MLPForClassification({ hDim: 4, nLayer: 1, problemType }).eval();
    const labels = tensor([[0, 1], [1, 0], [1, 1]]); // prettier-ignore
    const output = model.forward({ inputsEmbeds, labels });
    const logits = await output.logits.toArray(2);
    const wanted = logits.flatMap((row, i) =>
      row.map((z, j) => {
        const y = [[0, 1], [1, 0], [1, 1]][i]?.[j] ?? NaN; // prettier-ignore
        if (problemType === "regression") return (z - y) ** 2;
        return Math.log1p(Math.exp(z)) - y * z;
      }),
    );
    expect(await output.loss?.item()).toBeCloseTo(wanted.reduce((a, b) => a + b) / 6, 5);
  };
  await loss("regression");
  await loss("multi_label_classification");
});
