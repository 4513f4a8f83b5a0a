import {
  AutoModel,
  AutoModelForSequenceClassification,
  type BaseModel,
  BertForSequenceClassification,
  BloomForSequenceClassification,
  CLIPForImageClassification,
  FalconForSequenceClassification,
  GPT2ForSequenceClassification,
  GPTJForSequenceClassification,
  GPTNeoForSequenceClassification,
  GPTNeoXForSequenceClassification,
  Gemma2ForSequenceClassification,
  Gemma3TextForSequenceClassification,
  GemmaForSequenceClassification,
  GptOssForSequenceClassification,
  type Linear,
  LlamaForSequenceClassification,
  MistralForSequenceClassification,
  MixtralForSequenceClassification,
  Olmo2ForSequenceClassification,
  OlmoForSequenceClassification,
  OPTForSequenceClassification,
  Phi3ForSequenceClassification,
  PhiForSequenceClassification,
  type PreTrainedModel,
  Qwen2ForSequenceClassification,
  Qwen3ForSequenceClassification,
  Qwen3MoeForSequenceClassification,
  type SequenceClassifierOutput,
  T5ForSequenceClassification,
  tensor,
  ViTForImageClassification,
  Wav2Vec2BertForSequenceClassification,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { expectClose, int64, linear, lossOf, namesIn, rowsOf, saved, statesOf } from "./by-hand.ts";
import { golden } from "./checkpoints.ts";
import { draw, T5_TEXTS } from "./headed.ts";

const DECODERS = [
  ["gpt2", GPT2ForSequenceClassification, "transformer"],
  ["llama", LlamaForSequenceClassification, "model"],
  ["mistral", MistralForSequenceClassification, "model"],
  ["mixtral", MixtralForSequenceClassification, "model"],
  ["gemma", GemmaForSequenceClassification, "model"],
  ["gemma2", Gemma2ForSequenceClassification, "model"],
  ["gemma3_text", Gemma3TextForSequenceClassification, "model"],
  ["qwen2", Qwen2ForSequenceClassification, "model"],
  ["qwen3", Qwen3ForSequenceClassification, "model"],
  ["olmo", OlmoForSequenceClassification, "model"],
  ["olmo2", Olmo2ForSequenceClassification, "model"],
  ["phi3", Phi3ForSequenceClassification, "model"],
  ["gpt_oss", GptOssForSequenceClassification, "model"],
  ["gpt_neo", GPTNeoForSequenceClassification, "transformer"],
  ["gpt_neox", GPTNeoXForSequenceClassification, "gpt_neox"],
  ["gptj", GPTJForSequenceClassification, "transformer"],
  ["opt", OPTForSequenceClassification, "model"],
  ["opt_post_norm", OPTForSequenceClassification, "model"],
  ["phi", PhiForSequenceClassification, "model"],
  ["bloom", BloomForSequenceClassification, "transformer"],
  ["falcon", FalconForSequenceClassification, "transformer"],
  ["falcon_alibi", FalconForSequenceClassification, "transformer"],
  ["qwen3_moe", Qwen3MoeForSequenceClassification, "model"],
] as const;

type DecoderClassifier = PreTrainedModel & {
  readonly score: Linear;
  forward(inputs: object): SequenceClassifierOutput;
};

describe.each(DECODERS)("%s", (name, Kind, prefix) => {
  const Class = Kind as unknown as new (config: object) => DecoderClassifier;

  async function classifier(config: object): Promise<[DecoderClassifier, BaseModel]> {
    const known = await AutoModel.fromPretrained(golden(name));
    const model = new Class({ ...known.config, numLabels: 3, ...config }).eval();
    const held = (model as unknown as Record<string, PreTrainedModel>)[prefix];
    held?.loadStateDict(known.stateDict());
    draw(model.score.parameters());
    return [model, known];
  }

  test("classifies the last token that is not padding, left and right", async () => {
    const [model, known] = await classifier({ padTokenId: 0 });
    const inputIds = int64([[0, 0, 5, 7, 9, 11], [1, 2, 3, 44, 0, 0], [4, 3, 2, 1, 5, 6]]); // prettier-ignore
    const attentionMask = int64([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]); // prettier-ignore
    const inputs = { inputIds, attentionMask };
    const states = await statesOf(known.forward(inputs).lastHiddenState);
    const score = await linear(model.score);
    const wanted = [5, 3, 5].map((last, row) => score(states[row]?.[last] ?? []));
    await expectClose(model.forward(inputs).logits, wanted);
    const directory = await saved(model);
    expect(await namesIn(directory)).toContain("score.weight");
    const again = await AutoModelForSequenceClassification.fromPretrained(directory);
    expect(again).toBeInstanceOf(Kind);
    await expectClose(again.forward(inputs).logits, wanted);
  });

  test("takes the very last token of a single text, where nothing says what padding is", async () => {
    const [model, known] = await classifier({ padTokenId: null });
    const inputIds = int64([[1, 2, 3, 0, 0]]);
    const [states = []] = await statesOf(known.forward({ inputIds }).lastHiddenState);
    const score = await linear(model.score);
    await expectClose(model.forward({ inputIds }).logits, [score(states[4] ?? [])]);
    const two = int64([[1, 2], [3, 4]]); // prettier-ignore
    expect(() => model.forward({ inputIds: two })).toThrow("needs config.padTokenId");
  });
});

/** One way to make each kind of classifier, with inputs for two rows. */
const CLASSIFIERS: Readonly<
  Record<
    string,
    (config: object) => {
      readonly model: { forward(inputs: object): SequenceClassifierOutput };
      readonly inputs: object;
    }
  >
> = {
  T5: (config) => {
    const sizes = { vocabSize: 20, dModel: 8, dKv: 4, dFf: 16, numLayers: 1, numHeads: 2 };
    return { model: new T5ForSequenceClassification({ ...sizes, ...config }), inputs: T5_TEXTS };
  },
  GPT2: (config) => ({
    model: new GPT2ForSequenceClassification({ nLayer: 1, nEmbd: 8, nHead: 2, vocabSize: 20, padTokenId: 0, ...config }), // prettier-ignore
    inputs: T5_TEXTS,
  }),
  Bert: (config) => ({
    model: new BertForSequenceClassification({ hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8, vocabSize: 20, ...config }), // prettier-ignore
    inputs: T5_TEXTS,
  }),
  ViT: (config) => ({
    model: new ViTForImageClassification({ hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8, imageSize: 4, patchSize: 2, ...config }), // prettier-ignore
    inputs: { pixelValues: tensor(Array.from({ length: 96 }, (_, i) => Math.sin(i))).reshape([2, 3, 4, 4]) }, // prettier-ignore
  }),
  CLIP: (config) => ({
    model: new CLIPForImageClassification({ visionConfig: { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8, imageSize: 4, patchSize: 2 }, ...config }), // prettier-ignore
    inputs: { pixelValues: tensor(Array.from({ length: 96 }, (_, i) => Math.cos(i))).reshape([2, 3, 4, 4]) }, // prettier-ignore
  }),
  Wav2Vec2Bert: (config) => ({
    model: new Wav2Vec2BertForSequenceClassification({ hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8, featureProjectionInputDim: 4, classifierProjSize: 6, convDepthwiseKernelSize: 3, ...config }), // prettier-ignore
    inputs: { inputFeatures: tensor(Array.from({ length: 40 }, (_, i) => Math.sin(i))).reshape([2, 5, 4]) }, // prettier-ignore
  }),
};

describe.each(Object.keys(CLASSIFIERS))("labels of %s", (name) => {
  const make = (config: object): ReturnType<(typeof CLASSIFIERS)[string]> => {
    const made = CLASSIFIERS[name]?.({ problemType: null, ...config });
    if (made === undefined) throw new Error(name);
    const model = made.model as unknown as PreTrainedModel;
    draw(model.parameters());
    model.eval();
    return made;
  };

  test.each([
    [3, "single_label_classification", null, int64([2, 0]), [[2], [0]]],
    [3, "multi_label_classification", null, tensor([[1, 0, 1], [0, 0, 1]]), [[1, 0, 1], [0, 0, 1]]], // prettier-ignore
    [3, "multi_label_classification", "multi_label_classification", int64([[1, 0, 1], [0, 0, 1]]), [[1, 0, 1], [0, 0, 1]]], // prettier-ignore
    [1, "regression", null, tensor([0.5, -1]), [[0.5], [-1]]],
    [3, "regression", "regression", tensor([[1, 0.5, 2], [0, -1, 1]]), [[1, 0.5, 2], [0, -1, 1]]], // prettier-ignore
  ] as const)("%i labels, %s, problemType %s", async (numLabels, type, said, labels, plain) => {
    const { model, inputs } = make({ numLabels, problemType: said });
    const { logits, loss } = model.forward({ ...inputs, labels });
    const wanted = lossOf(await rowsOf(logits), plain as unknown as number[][], type);
    expect(await loss?.item()).toBeCloseTo(wanted, 4);
    expect(model.forward(inputs).loss).toBeUndefined();
  });

  test("a meaning that there is not is an error", () => {
    expect(() => make({ numLabels: 3, problemType: "guess" })).toThrow(
      /problemType must be one of "regression", .*, got "guess"/,
    );
  });
});
