import {
  LlamaForCausalLM,
  MambaForCausalLM,
  type Module,
  randn,
  ResNetForImageClassification,
  type Tensor,
  tensor,
  WhisperModel,
} from "tsvene";
import { expect, test } from "vitest";
import { weightsOf } from "../../benchmarks/graph.ts";
import { llamaCeiling } from "../../benchmarks/llama-ceiling.ts";
import { mambaCeiling } from "../../benchmarks/mamba-ceiling.ts";
import { resNetCeiling } from "../../benchmarks/resnet-ceiling.ts";
import { whisperCeiling } from "../../benchmarks/whisper-ceiling.ts";

/** Gives all values of a model other ones, so that none is zero or one. */
function scatter(model: Module, by = 0.1): void {
  const state = Object.entries(model.stateDict()).filter(([, t]) => t.dtype === "float32");
  const near = (t: Tensor): Tensor => t.add(randn(t.shape).mul(by));
  const values = state.map(([name, t]): [string, Tensor] => [
    name,
    name.endsWith("running_var") ? near(t).abs().add(0.1) : near(t),
  ]);
  model.loadStateDict(Object.fromEntries(values), { strict: false });
}

async function expectSame(actual: Float32Array, wanted: Tensor): Promise<void> {
  const values = await wanted.data();
  expect(actual.length).toBe(values.length);
  const size = await wanted.abs().max().item();
  actual.forEach((v, i) => expect(Math.abs(v - Number(values[i]))).toBeLessThan(1e-5 * size));
}

test("the ceiling of ResNets is the same pass", async () => {
  const sizes = { embeddingSize: 6, hiddenSizes: [6, 8], depths: [2, 1], numLabels: 5 };
  const model = new ResNetForImageClassification({ ...sizes, layerType: "basic" }).eval();
  scatter(model);
  const pixelValues = randn([2, 3, 30, 30]);
  const config = { depths: sizes.depths, batch: 2, size: 30 };
  const ceiling = await resNetCeiling(config, await weightsOf(model));
  const logits = await ceiling((await pixelValues.data()) as Float32Array);
  await expectSame(logits, model.forward({ pixelValues }).logits);
});

test("the ceiling of Whisper's encoder is the same pass", async () => {
  const model = new WhisperModel({
    vocabSize: 20,
    numMelBins: 5,
    dModel: 12,
    encoderLayers: 2,
    encoderAttentionHeads: 3,
    encoderFfnDim: 20,
    decoderLayers: 1,
    decoderAttentionHeads: 3,
    decoderFfnDim: 12,
    maxSourcePositions: 7,
    padTokenId: 0,
  }).eval();
  scatter(model);
  const features = randn([1, 5, 14]);
  const config = { layers: 2, width: 12, heads: 3, melBins: 5, positions: 7 };
  const ceiling = await whisperCeiling(config, await weightsOf(model));
  const states = await ceiling((await features.data()) as Float32Array);
  await expectSame(states, model.encoder.forward(features).lastHiddenState);
});

test("the ceiling of Llama writes the same tokens", async () => {
  const model = new LlamaForCausalLM({
    vocabSize: 50,
    hiddenSize: 24,
    intermediateSize: 20,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 2,
    tieWordEmbeddings: true,
  }).eval();
  scatter(model, 0.5);
  const config = { layers: 2, width: 24, heads: 4, kvHeads: 2, length: 20 };
  const ceiling = await llamaCeiling(config, await weightsOf(model));
  const inputIds = tensor([[1]], { dtype: "int64" });
  const options = { maxNewTokens: 20, eosTokenId: null };
  const { sequences } = await model.generate({ inputIds }, options);
  const [row = []] = await sequences.toArray();
  expect(new Set(row).size).toBeGreaterThan(5);
  expect(await ceiling(1, 20)).toEqual(row.slice(1));
});

test("the ceiling of Mamba is the same pass", async () => {
  const model = new MambaForCausalLM({
    vocabSize: 30,
    hiddenSize: 12,
    numHiddenLayers: 2,
    stateSize: 5,
    convKernel: 3,
    timeStepRank: 4,
  }).eval();
  scatter(model, 0.3);
  const config = { layers: 2, inner: 24, size: 5, rank: 4, kernel: 3, steps: 40 };
  const ceiling = await mambaCeiling(config, await weightsOf(model));
  const ids = BigInt64Array.from({ length: 40 }, (_, i) => BigInt((i * i + 7) % 30));
  const inputIds = tensor(ids, { shape: [1, 40] });
  await expectSame(await ceiling(ids), model.forward({ inputIds }).logits);
});
