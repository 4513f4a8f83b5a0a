import {
  EditScope,
  evaluate,
  GPT2ForSequenceClassification,
  GPT2LMHeadModel,
  GPT2Model,
  type Tensor,
  tensor,
} from "tsvene";
import { beforeAll, describe, expect, test } from "vitest";
import { golden } from "./checkpoints.ts";

let model: GPT2LMHeadModel;

beforeAll(async () => {
  model = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
});

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });
const INPUTS = { inputIds: int64([[5, 7, 9, 11], [1, 2, 3, 4]]) }; // prettier-ignore

test("an edit that changes nothing, at every site, gives the same bits", async () => {
  const plain = await model.forward(INPUTS).logits.data();
  const scope = new EditScope();
  let passed = 0;
  for (const [, module] of model.namedModules()) {
    for (const side of ["input", "output"] as const) {
      scope.on(module, side, (value) => {
        passed++;
        return value;
      });
    }
  }
  expect(await scope.run(() => model.forward(INPUTS).logits).data()).toEqual(plain);
  expect(passed).toBeGreaterThan(2 * (4 * 12 + 4));
});

test("reading every site changes nothing", async () => {
  const plain = await model.forward(INPUTS).logits.data();
  const values: Tensor[] = [];
  const scope = new EditScope();
  for (const [, module] of model.namedModules()) {
    for (const side of ["input", "output"] as const) {
      scope.on(module, side, (value) => {
        values.push(value);
        return undefined;
      });
    }
  }
  const { logits } = scope.run(() => model.forward(INPUTS));
  await evaluate(logits, ...values);
  const shifted = [...((await logits.data()) as Float32Array)].map((v, i) => v - Number(plain[i]));
  expect(Math.max(...shifted.map(Math.abs))).toBeLessThan(1e-6);
});

test("embeddings in place of ids", async () => {
  const inputsEmbeds = model.transformer.wte.forward(INPUTS.inputIds);
  const { logits } = model.forward({ inputsEmbeds });
  expect(await logits.toArray()).toEqual(await model.forward(INPUTS).logits.toArray());
});

test("settings change what they should", async () => {
  const config = { ...model.config, tieWordEmbeddings: true };
  const withConfig = async (changes: object): Promise<unknown> => {
    const other = new GPT2LMHeadModel({ ...config, ...changes }).eval();
    other.loadStateDict(model.stateDict());
    return other.forward(INPUTS).logits.toArray();
  };
  const plain = await withConfig({});
  expect(await withConfig({ scaleAttnWeights: false })).not.toEqual(plain);
  expect(await withConfig({ scaleAttnByInverseLayerIdx: true })).not.toEqual(plain);
  expect(await withConfig({ activationFunction: "relu" })).not.toEqual(plain);
  expect(await withConfig({ layerNormEpsilon: 1 })).not.toEqual(plain);
});

describe("bad input", () => {
  const forward = (inputs: Parameters<GPT2LMHeadModel["forward"]>[0]) => () =>
    model.forward(inputs);

  test("ids outside the vocabulary", () => {
    expect(forward({ inputIds: int64([[1, 50]]) })).toThrow(/id 50 is not in the vocabulary of 50/);
    expect(forward({ inputIds: int64([[-1]]) })).toThrow(/id -1 is not in the vocabulary/);
  });

  test("a sequence longer than the model's positions", () => {
    const inputIds = int64([Array.from({ length: 33 }, () => 1)]);
    expect(forward({ inputIds })).toThrow(
      /GPT2Model: a sequence of 33 tokens is longer than the model's 32 positions/,
    );
    const { pastKeyValues } = model.forward({ inputIds: int64([Array.from({ length: 30 }, () => 1)]) }); // prettier-ignore
    expect(forward({ inputIds: int64([[1, 2, 3]]), pastKeyValues })).toThrow(/33 tokens/);
  });

  test("ids of another shape, none, or too many", () => {
    expect(forward({ inputIds: tensor([1, 2], { dtype: "int64" }) })).toThrow(
      /inputIds must be \[batch, sequence\], got \[2\]/,
    );
    expect(forward({})).toThrow(/give inputIds or inputsEmbeds, as in forward\(tokenizer/);
    const inputsEmbeds = model.transformer.wte.forward(INPUTS.inputIds);
    expect(forward({ ...INPUTS, inputsEmbeds })).toThrow(/and not both/);
    const python: object = { attention_mask: INPUTS.inputIds };
    expect(forward({ ...INPUTS, ...python })).toThrow(
      "there is no input attention_mask; did you mean attentionMask?",
    );
  });

  test("an attention mask of another length", () => {
    expect(forward({ ...INPUTS, attentionMask: int64([[1, 1, 1]]) })).toThrow(
      /attentionMask: expected \[batch, 4\] \(cached and new tokens\), got \[1, 3\]/,
    );
  });

  test("sizes that cannot be", () => {
    expect(() => new GPT2Model({ nEmbd: 10, nHead: 3 })).toThrow(/nEmbd \(10\) must be a multiple/);
    expect(() => new GPT2Model({ vocabSize: 0 })).toThrow(/vocabSize must be a whole number/);
  });

  test("a batch of texts whose ends nobody knows", () => {
    const config = { vocabSize: 50, nPositions: 8, nEmbd: 8, nLayer: 1, nHead: 2 };
    const classifier = new GPT2ForSequenceClassification(config);
    expect(() => classifier.forward(INPUTS)).toThrow(/a batch of 2 needs config.padTokenId/);
  });
});
