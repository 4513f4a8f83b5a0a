import {
  AdaptiveAvgPool2d,
  arange,
  AutoModelForImageClassification,
  AvgPool2d,
  BatchNorm2d,
  BlipForQuestionAnswering,
  CLIPModel,
  Conv1d,
  Conv2d,
  Flatten,
  GroupNorm,
  LlavaForConditionalGeneration,
  loadSafetensors,
  MaxPool2d,
  MllamaForConditionalGeneration,
  ones,
  tensor,
  ViTModel,
  Wav2Vec2BertModel,
  WhisperForConditionalGeneration,
  zeros,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden } from "./checkpoints.ts";

const SMALL = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8 };
const IMAGE = { ...SMALL, imageSize: 8, patchSize: 4 };

describe("layers of images", () => {
  test("a convolution sums what its kernel covers", async () => {
    const conv = new Conv2d(1, 1, 2, { stride: 2 });
    conv.weight.set(ones([1, 1, 2, 2]));
    conv.bias?.set(tensor([0.5]));
    const x = arange(16).to("float32").reshape([1, 1, 4, 4]);
    expect(await conv.forward(x).toArray()).toEqual([[[[10.5, 18.5], [42.5, 50.5]]]]); // prettier-ignore
    expect(new Conv1d(4, 6, 3, { groups: 2, padding: 1 }).forward(ones([2, 4, 9])).shape).toEqual([
      2, 6, 9,
    ]);
    expect(() => new Conv2d(3, 4, 1, { groups: 2 })).toThrow("groups (2) must divide both 3 and 4");
  });

  test("poolings, groups and flattening", async () => {
    const x = arange(16).to("float32").reshape([1, 1, 4, 4]);
    expect(await new MaxPool2d(2).forward(x).toArray()).toEqual([[[[5, 7], [13, 15]]]]); // prettier-ignore
    expect(await new AvgPool2d(2).forward(x).toArray()).toEqual([[[[2.5, 4.5], [10.5, 12.5]]]]); // prettier-ignore
    expect(await new AdaptiveAvgPool2d(1).forward(x).toArray()).toEqual([[[[7.5]]]]);
    expect(new Flatten().forward(ones([2, 3, 4])).shape).toEqual([2, 12]);
    const normed = new GroupNorm(2, 4).forward(arange(8).to("float32").reshape([1, 4, 2]));
    expect(await normed.slice(1, 0, 2).mean().item()).toBeCloseTo(0, 5);
    expect(() => new GroupNorm(3, 4)).toThrow("4 channels do not part into 3 equal groups");
  });

  test("a batch norm learns its statistics while training, and uses them afterwards", async () => {
    const norm = new BatchNorm2d(1);
    const x = tensor([1, 3]).reshape([2, 1, 1, 1]);
    const trained = await norm.forward(x).flatten().toArray(1);
    expect(trained[0]).toBeCloseTo(-1, 4);
    // Mean 2 and unbiased variance 2, a tenth of the way from 0 and 1.
    expect(await norm.running_mean.value.item()).toBeCloseTo(0.2, 6);
    expect(await norm.running_var.value.item()).toBeCloseTo(1.1, 6);
    expect(await norm.num_batches_tracked.value.item()).toBe(1);
    norm.eval();
    const used = await norm.forward(x).flatten().toArray(1);
    expect(used[0]).toBeCloseTo(0.8 / Math.sqrt(1.1 + 1e-5), 5);
    expect(await norm.num_batches_tracked.value.item()).toBe(1);
    expect(() => norm.forward(ones([2, 1]))).toThrow("expected [batch, channels, height, width]");
  });
});

describe("images and sound of the wrong shape", () => {
  test("pixels", () => {
    const model = new ViTModel(IMAGE);
    const see = (pixelValues: ReturnType<typeof zeros>): unknown => model.forward({ pixelValues });
    expect(() => see(zeros([1, 8, 8, 3]))).toThrow(
      "ViTModel: pixelValues must be [batch, 3, 8, 8], got [1, 8, 8, 3]; permute([0, 3, 1, 2])",
    );
    expect(() => see(zeros([1, 3, 16, 16]))).toThrow(
      "must be [batch, 3, 8, 8], got [1, 3, 16, 16]",
    );
    expect(() => see(zeros([3, 8, 8]))).toThrow("got [3, 8, 8]");
    expect(() => see(zeros([1, 3, 8, 8], { dtype: "uint8" }))).toThrow("got uint8; scale them");
  });

  test("spectrograms", () => {
    const whisper = new WhisperForConditionalGeneration({
      vocabSize: 10,
      numMelBins: 4,
      dModel: 8,
      encoderAttentionHeads: 2,
      decoderAttentionHeads: 2,
      encoderLayers: 1,
      decoderLayers: 1,
      maxSourcePositions: 6,
    });
    const decoderInputIds = zeros([1, 1], { dtype: "int64" });
    expect(() => whisper.forward({ inputFeatures: zeros([1, 4, 10]), decoderInputIds })).toThrow(
      "inputFeatures must be [batch, 4, 12] (mel bins, frames), got [1, 4, 10]; pad or cut",
    );
    expect(() => whisper.forward({ decoderInputIds })).toThrow("give inputFeatures");
    expect(() => whisper.forward({ inputFeatures: zeros([1, 4, 12]) })).toThrow(
      "give decoderInputIds",
    );
    const w2v = new Wav2Vec2BertModel({ ...SMALL, featureProjectionInputDim: 6 });
    expect(() => w2v.forward({ inputFeatures: zeros([1, 5, 4]) })).toThrow(
      "inputFeatures must be [batch, frames, 6], got [1, 5, 4]",
    );
  });

  test("texts beside images", () => {
    const tower = { ...IMAGE, projectionDim: 4 };
    const clip = new CLIPModel({
      textConfig: { ...SMALL, vocabSize: 10, maxPositionEmbeddings: 4, eosTokenId: 9 },
      visionConfig: tower,
    });
    const pixelValues = zeros([1, 3, 8, 8]);
    expect(() =>
      clip.forward({ inputIds: zeros([1, 5], { dtype: "int64" }), pixelValues }),
    ).toThrow("a text of 5 tokens is longer than the model's 4 positions");
    const llava = new LlavaForConditionalGeneration({
      textConfig: { ...SMALL, vocabSize: 10 },
      visionConfig: tower,
      imageTokenIndex: 9,
    });
    const inputIds = tensor([[1, 9, 9, 2]], { dtype: "int64" });
    expect(() => llava.forward({ inputIds, pixelValues })).toThrow(
      "the text has 2 image tokens (9), but 1 images make 4 patches",
    );
  });
});

test("BLIP writes an answer", async () => {
  const blip = await BlipForQuestionAnswering.fromPretrained(golden("blip_vqa"));
  const recorded = await loadSafetensors(`${golden("blip_vqa")}/expected.safetensors`);
  const take = (name: string): ReturnType<typeof zeros> =>
    recorded.get(`plain.${name}`) ?? zeros([0]);
  const question = { inputIds: take("input_ids"), pixelValues: take("pixel_values") };
  const { sequences } = await blip.generate(question, { maxNewTokens: 3, eosTokenId: null });
  const { logits } = blip.forward({ ...question, decoderInputIds: sequences.slice(1, 0, 3) });
  // What was chosen with the cache is the likeliest without it.
  expect(await logits.argmax(-1).toArray()).toEqual(await sequences.slice(1, 1).toArray());
});

test("Mllama reads on where its cache ends, and without an image", async () => {
  const mllama = await MllamaForConditionalGeneration.fromPretrained(golden("mllama"));
  const recorded = await loadSafetensors(`${golden("mllama")}/expected.safetensors`);
  const take = (name: string): ReturnType<typeof zeros> =>
    recorded.get(`plain.${name}`) ?? zeros([0]);
  const inputIds = take("input_ids");
  const crossAttentionMask = take("cross_attention_mask");
  const images = {
    pixelValues: take("pixel_values"),
    aspectRatioIds: take("aspect_ratio_ids"),
    aspectRatioMask: take("aspect_ratio_mask"),
  };
  const first = mllama.forward({
    inputIds: inputIds.slice(1, 0, 4),
    crossAttentionMask,
    ...images,
  });
  const rest = mllama.forward({
    inputIds: inputIds.slice(1, 4),
    crossAttentionMask,
    pastKeyValues: first.pastKeyValues,
  });
  const whole = take("logits").slice(1, 4);
  expect(await rest.logits.sub(whole).abs().max().item()).toBeLessThan(5e-5);
  const blind = mllama.forward({ inputIds });
  expect(blind.attentions).toHaveLength(2);
  expect(await blind.logits.slice(1, 4).sub(whole).abs().max().item()).toBeGreaterThan(0.01);
  expect(() => mllama.forward({ inputIds, pixelValues: zeros([2, 3, 16, 16]) })).toThrow(
    "images need aspectRatioIds and aspectRatioMask too",
  );
  expect(() => mllama.forward({ inputIds, ...images, pixelValues: zeros([2, 3, 16, 16]) })).toThrow(
    "pixelValues must be [batch, images, 2, 3, 16, 16], got [2, 3, 16, 16]",
  );
});

test("a model that classifies no images says what there is", async () => {
  await expect(AutoModelForImageClassification.fromPretrained(golden("blip_itm"))).rejects.toThrow(
    "blip has no model of this kind; it has AutoModel",
  );
});
