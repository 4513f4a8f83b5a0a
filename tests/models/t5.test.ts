import {
  AutoModel,
  AutoModelForSeq2SeqLM,
  cardOf,
  evaluate,
  EditScope,
  T5ForConditionalGeneration,
  T5Model,
  type Tensor,
  tensor,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden, temporaryDirectory } from "./checkpoints.ts";

const int64 = (values: number[][]): Tensor => tensor(values, { dtype: "int64" });
const SOURCE = { inputIds: int64([[5, 7, 9, 11], [1, 2, 3, 4]]) }; // prettier-ignore

async function close(actual: Tensor, wanted: Tensor): Promise<void> {
  expect(actual.shape).toEqual(wanted.shape);
  const [a, b] = [await actual.data(), await wanted.data()];
  a.forEach((v, i) => expect(Math.abs(Number(v) - Number(b[i]))).toBeLessThan(1e-5));
}

describe.each(["t5", "t5_gated"])("%s", (name) => {
  test("writes the same with and without its cache", async () => {
    const model = await AutoModelForSeq2SeqLM.fromPretrained(golden(name));
    const write = async (useCache: boolean): Promise<[unknown, readonly Tensor[]]> => {
      const options = { maxNewTokens: 5, eosTokenId: null, useCache, outputLogits: true };
      const { sequences, logits = [] } = await model.generate(SOURCE, options);
      return [await sequences.toArray(), logits];
    };
    const [[tokens, logits], [others, otherLogits]] = [await write(true), await write(false)];
    expect(tokens).toEqual(others);
    for (const [i, step] of logits.entries()) await close(step, otherLogits[i] ?? step.mul(NaN));
  });

  test("reads what was encoded before, and goes on from a cache over several tokens", async () => {
    const model = await AutoModelForSeq2SeqLM.fromPretrained(golden(name));
    const decoderInputIds = int64([[0, 8, 3, 9, 4], [0, 1, 1, 2, 6]]); // prettier-ignore
    const whole = model.forward({ ...SOURCE, decoderInputIds }).logits;
    const encoderOutputs = model.encode(SOURCE);
    const first = model.forward({
      encoderOutputs,
      decoderInputIds: decoderInputIds.slice(1, 0, 2),
    });
    const rest = model.forward({
      encoderOutputs,
      decoderInputIds: decoderInputIds.slice(1, 2),
      pastKeyValues: first.pastKeyValues,
    });
    await evaluate(whole, first.logits, rest.logits);
    await close(first.logits, whole.slice(1, 0, 2));
    await close(rest.logits, whole.slice(1, 2));
  });

  test("is written as it was read, and read without its head", async () => {
    const model = await AutoModelForSeq2SeqLM.fromPretrained(golden(name));
    const directory = await temporaryDirectory();
    await model.savePretrained(directory);
    const again = await AutoModelForSeq2SeqLM.fromPretrained(directory);
    const decoderInputIds = int64([[0, 8], [0, 1]]); // prettier-ignore
    const inputs = { ...SOURCE, decoderInputIds };
    const { logits, decoderHiddenStates } = model.forward(inputs);
    expect(await again.forward(inputs).logits.toArray()).toEqual(await logits.toArray());
    const base = (await AutoModel.fromPretrained(directory)) as unknown as T5Model;
    expect(base).toBeInstanceOf(T5Model);
    await close(base.forward(inputs).lastHiddenState, decoderHiddenStates.at(-1) ?? logits);
  });
});

const SIZES = { vocabSize: 20, dModel: 8, dKv: 4, dFf: 16, numLayers: 1, numHeads: 2 };

test("labels are what is written after the start token", async () => {
  const model = new T5ForConditionalGeneration(SIZES).eval();
  const labels = int64([[4, 6, -100], [7, 8, 9]]); // prettier-ignore
  const { loss, logits } = model.forward({ ...SOURCE, labels });
  const decoderInputIds = int64([[0, 4, 6], [0, 7, 8]]); // prettier-ignore
  const given = model.forward({ ...SOURCE, decoderInputIds });
  await close(logits, given.logits);
  const all = await given.logits.logSoftmax(-1).toArray(3);
  const wanted = [[0, 0, 4], [0, 1, 6], [1, 0, 7], [1, 1, 8], [1, 2, 9]] // prettier-ignore
    .map(([b = 0, t = 0, id = 0]) => -(all[b]?.[t]?.[id] ?? NaN));
  expect(await loss?.item()).toBeCloseTo(wanted.reduce((a, b) => a + b) / 5, 5);
});

test("a separate output matrix is neither the embedding nor scaled", async () => {
  const model = new T5ForConditionalGeneration({ ...SIZES, tieWordEmbeddings: false }).eval();
  const decoderInputIds = int64([[0], [0]]);
  const { logits, decoderHiddenStates } = model.forward({ ...SOURCE, decoderInputIds });
  const last = decoderHiddenStates.at(-1) ?? logits;
  await close(logits, last.matmul(model.lm_head.weight.value.t()));
  const directory = await temporaryDirectory();
  await model.savePretrained(directory);
  const again = await T5ForConditionalGeneration.fromPretrained(directory);
  await close(again.forward({ ...SOURCE, decoderInputIds }).logits, logits);
  expect(await T5Model.fromPretrained(directory)).toBeInstanceOf(T5Model);
});

test("every place of the card is passed", async () => {
  const model = new T5ForConditionalGeneration({ ...SIZES, numLayers: 2 }).eval();
  const scope = new EditScope();
  const modules = new Map(model.namedModules());
  for (const [name, { path, side }] of cardOf(model)?.components ?? []) {
    for (const layer of ["0", "1"]) {
      const module = modules.get(path.replaceAll("{layer}", layer));
      if (module === undefined) throw new Error(`${name} is not there: ${path}`);
      scope.on(module, side, () => undefined);
    }
  }
  const { logits } = scope.run(() =>
    model.forward({ ...SOURCE, decoderInputIds: int64([[0], [0]]) }),
  );
  expect(scope.unvisited()).toEqual([]);
  expect(logits.shape).toEqual([2, 1, 20]);
});

test("bad input", () => {
  const model = new T5ForConditionalGeneration(SIZES);
  expect(() => model.forward(SOURCE)).toThrow(/T5Model: give decoderInputIds/);
  expect(() => model.forward({ decoderInputIds: int64([[0]]) })).toThrow(
    /T5 encoder: give inputIds or inputsEmbeds, as in forward/,
  );
  expect(() => new T5Model({ feedForwardProj: "gated-" })).toThrow(
    /feedForwardProj must be the name of an activation .*, got "gated-"/,
  );
  expect(() => new T5Model({ relativeAttentionNumBuckets: 6 })).toThrow(/a multiple of 4/);
});
