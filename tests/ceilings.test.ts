import {
  type Module,
  randn,
  ResNetForImageClassification,
  type Tensor,
  WhisperModel,
} from "tsvene";
import { expect, test } from "vitest";
import { weightsOf } from "../benchmarks/graph.ts";
import { resNetCeiling } from "../benchmarks/resnet-ceiling.ts";
import { whisperCeiling } from "../benchmarks/whisper-ceiling.ts";

/** Gives all values of a model other ones, so that none is zero or one. */
function scatter(model: Module): void {
  const state = Object.entries(model.stateDict()).filter(([, t]) => t.dtype === "float32");
  const near = (t: Tensor): Tensor => t.add(randn(t.shape).mul(0.1));
  const values = state.map(([name, t]): [string, Tensor] => [
    name,
    name.endsWith("running_var") ? near(t).abs().add(0.1) : near(t),
  ]);
  model.loadStateDict(Object.fromEntries(values), { strict: false });
}

async function expectSame(actual: Float32Array, wanted: Tensor): Promise<void> {
  const values = await wanted.data();
  expect(actual.length).toBe(values.length);
  const size = Number(await wanted.abs().max().item());
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
