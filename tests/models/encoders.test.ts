import {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForSequenceClassification,
  BertForMaskedLM,
  BertForSequenceClassification,
  BertModel,
  cardOf,
  EsmForMaskedLM,
  EsmForSequenceClassification,
  EsmModel,
  type RawTensor,
  type Tensor,
  tensor,
  zeros,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { changedCopy, golden, temporaryDirectory } from "./checkpoints.ts";

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });
const INPUTS = { inputIds: int64([[5, 7, 9, 11], [1, 2, 3, 4]]) }; // prettier-ignore

async function values(x: Tensor): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

test("old and additional tensors of published checkpoints are understood", async () => {
  const wanted = await BertForMaskedLM.fromPretrained(golden("bert"));
  const directory = await changedCopy("bert", {
    tensors: (all) => {
      const rename = (from: string, to: string): void => {
        const value = all.get(from) as Tensor | RawTensor;
        all.delete(from);
        all.set(to, value);
      };
      rename("bert.embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.gamma");
      rename("bert.embeddings.LayerNorm.bias", "bert.embeddings.LayerNorm.beta");
      rename("cls.predictions.bias", "cls.predictions.decoder.bias");
      all.set("bert.pooler.dense.weight", zeros([24, 24]));
      all.set("bert.pooler.dense.bias", zeros([24]));
      all.set("cls.seq_relationship.weight", zeros([2, 24]));
      all.set("bert.embeddings.position_ids", int64([[0, 1]]));
    },
  });
  const model = await AutoModelForMaskedLM.fromPretrained(directory);
  expect(await model.forward(INPUTS).logits.toArray()).toEqual(
    await wanted.forward(INPUTS).logits.toArray(),
  );
  // With them, it is the checkpoint of the whole model too.
  const base = (await AutoModel.fromPretrained(directory)) as BertModel;
  expect(base.forward(INPUTS).poolerOutput?.shape).toEqual([2, 24]);
});

test.each([
  ["bert", BertForMaskedLM],
  ["esm", EsmForMaskedLM],
] as const)("%s is written as it was read", async (name, kind) => {
  const model = await AutoModelForMaskedLM.fromPretrained(golden(name));
  expect(model).toBeInstanceOf(kind);
  const directory = await temporaryDirectory();
  await model.savePretrained(directory);
  const again = await AutoModelForMaskedLM.fromPretrained(directory);
  expect(again.config).toMatchObject({ ...model.config });
  expect(await again.forward(INPUTS).logits.toArray()).toEqual(
    await model.forward(INPUTS).logits.toArray(),
  );
});

test.each([
  ["bert", BertForSequenceClassification],
  ["esm", EsmForSequenceClassification],
] as const)("a new classifier of the %s family can be written and read", async (_, Kind) => {
  const sizes = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 };
  const model = new Kind({ ...sizes, vocabSize: 20, numLabels: 3 }).eval();
  const directory = await temporaryDirectory();
  await model.savePretrained(directory);
  const again = await AutoModelForSequenceClassification.fromPretrained(directory);
  expect(again).toBeInstanceOf(Kind);
  const labels = tensor([2, 0], { dtype: "int64" });
  const output = model.forward({ ...INPUTS, labels });
  expect(await again.forward(INPUTS).logits.toArray()).toEqual(await output.logits.toArray());
  const logits = await output.logits.logSoftmax(-1).toArray();
  const [first, second] = logits as number[][];
  expect(await output.loss?.item()).toBeCloseTo(
    -((first?.[2] ?? NaN) + (second?.[0] ?? NaN)) / 2,
    5,
  );
});

test("the loss of masked tokens leaves -100 out", async () => {
  const model = await BertForMaskedLM.fromPretrained(golden("bert"));
  const labels = int64([[-100, 3, -100, -100], [-100, -100, -100, 8]]); // prettier-ignore
  const { logits, loss } = model.forward({ ...INPUTS, labels });
  const all = await logits.logSoftmax(-1).toArray(3);
  const wanted = -((all[0]?.[1]?.[3] ?? NaN) + (all[1]?.[3]?.[8] ?? NaN)) / 2;
  expect(await loss?.item()).toBeCloseTo(wanted, 5);
});

describe("ESM", () => {
  test("contacts are symmetric probabilities without the ends, and padding changes nothing", async () => {
    const { esm } = await EsmForMaskedLM.fromPretrained(golden("esm"));
    const contacts = esm.predictContacts({ inputIds: int64([[0, 5, 6, 7, 8, 2]]) });
    expect(contacts.shape).toEqual([1, 4, 4]);
    const alone = await values(contacts);
    alone.forEach((p, i) => {
      expect(p).toBeGreaterThan(0);
      expect(p).toBeLessThan(1);
      expect(p).toBeCloseTo(alone[(i % 4) * 4 + Math.floor(i / 4)] ?? NaN, 5);
    });
  });

  test("absolute positions are counted from after the padding token's number", async () => {
    const sizes = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 };
    const model = new EsmModel({ ...sizes, embLayerNormBefore: true }).eval();
    const padded = int64([[1, 0, 5, 6]]);
    const attentionMask = int64([[0, 1, 1, 1]]);
    const counted = model.forward({ inputIds: padded, attentionMask }).lastHiddenState;
    const given = model.forward({
      inputIds: padded,
      attentionMask,
      positionIds: int64([[1, 2, 3, 4]]),
    }).lastHiddenState;
    expect(await counted.toArray()).toEqual(await given.toArray());
    const other = model.forward({ inputIds: padded, positionIds: int64([[0, 1, 2, 3]]) });
    expect(await other.lastHiddenState.toArray()).not.toEqual(await counted.toArray());
  });
});

test("heads have their own width, and attention weights are a place", async () => {
  const model = await EsmForMaskedLM.fromPretrained(golden("esm"));
  const card = cardOf(model);
  expect(card?.components.get("attention_input")?.dimension).toBe(24);
  expect(card?.components.get("head_value_output")).toMatchObject({
    path: "esm.encoder.layer.{layer}.attention.self.value",
    heads: 4,
    dimension: 6,
  });
});

describe("bad input", () => {
  test("a mask of another length, and a sequence longer than the model's positions", () => {
    const model = new BertModel({
      vocabSize: 20,
      hiddenSize: 8,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      maxPositionEmbeddings: 3,
    });
    const inputIds = int64([[1, 2, 3]]);
    expect(() => model.forward({ inputIds, attentionMask: int64([[1, 1]]) })).toThrow(
      /attentionMask: expected \[batch, 3\], got \[1, 2\]/,
    );
    expect(() => model.forward(INPUTS)).toThrow(
      /BertModel: a sequence of 4 tokens is longer than the model's 3 positions/,
    );
  });

  test("sizes that cannot be", () => {
    expect(() => new BertModel({ hiddenSize: 10 })).toThrow(/must be a multiple of numAttentionH/);
    expect(() => new EsmModel({ positionEmbeddingType: "relative" })).toThrow(
      /EsmConfig: positionEmbeddingType must be one of "absolute", "rotary", got "relative"/,
    );
  });
});
