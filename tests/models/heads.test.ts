import {
  AutoModel,
  AutoModelForAudioClassification,
  AutoModelForCausalLM,
  AutoModelForImageClassification,
  AutoModelForSequenceClassification,
  BlipForImageTextRetrieval,
  BlipModel,
  CLIPForImageClassification,
  type CLIPModel,
  type Linear,
  LlavaModel,
  MllamaModel,
  type PreTrainedModel,
  T5ForConditionalGeneration,
  T5ForSequenceClassification,
  T5Model,
  type Tensor,
  Wav2Vec2BertForSequenceClassification,
  Wav2Vec2BertModel,
  WhisperForAudioClassification,
  type WhisperModel,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { plainInputs } from "../../scripts/parity/recorded-model.ts";
import {
  dot,
  expectClose,
  int64,
  linear,
  lossOf,
  mean,
  namesIn,
  saved,
  statesOf,
  type Vector,
} from "./by-hand.ts";
import { golden } from "./checkpoints.ts";
import {
  blipBase,
  clipClassifier,
  HEADED,
  soundClassifier,
  T5_TEXTS,
  t5Classifier,
  whisperClassifier,
} from "./headed.ts";

describe("T5", () => {
  /** What the base makes of the texts, which the decoder reads again after the start token. */
  async function pooled(model: T5ForSequenceClassification, places: Vector): Promise<number[][]> {
    const decoderInputIds = int64([[0, 0, 0, 5, 7, 9], [0, 8, 3, 1, 6, 1]]); // prettier-ignore
    const decoderAttentionMask = int64([[1, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1]]); // prettier-ignore
    const decoder = { decoderInputIds, decoderAttentionMask };
    const { lastHiddenState } = model.transformer.forward({ ...T5_TEXTS, ...decoder });
    const states = await statesOf(lastHiddenState);
    return places.map((place, row) => states[row]?.[place] ?? []);
  }

  test.each(["t5", "t5_gated"])("%s classifies its last end token", async (from) => {
    const model = await t5Classifier(3, from);
    const [dense, project] = [
      await linear(model.classification_head.dense),
      await linear(model.classification_head.out_proj),
    ];
    const ends = await pooled(model, [5, 4]);
    const wanted = ends.map((x) => project(dense(x).map(Math.tanh)));
    const { logits, decoderHiddenStates, hiddenStates } = model.forward(T5_TEXTS);
    await expectClose(logits, wanted);
    expect(hiddenStates).toBe(decoderHiddenStates);
    // Padding is not read: the same texts without it.
    for (const [row, text] of [
      [5, 7, 9, 1],
      [8, 3, 1, 6, 1],
    ].entries()) {
      const alone = { inputIds: int64([text]) };
      await expectClose(model.forward(alone).logits, wanted.slice(row, row + 1));
    }
  });

  test("refuses texts that do not end, and decoder tokens of another length", async () => {
    const model = await t5Classifier();
    expect(() => model.forward({ inputIds: int64([[5, 1], [5, 6]]) })).toThrow("row 1 of inputIds has no end token 1"); // prettier-ignore
    const decoderInputIds = int64([[0], [0]]);
    expect(() => model.forward({ ...T5_TEXTS, decoderInputIds })).toThrow("must be as long as inputIds, 6 tokens"); // prettier-ignore
    const endless = new T5ForSequenceClassification({ ...model.config, eosTokenId: null });
    expect(() => endless.forward(T5_TEXTS)).toThrow("eosTokenId must be set");
  });

  test("is written and read under Hugging Face's names, with and without its head", async () => {
    const model = await t5Classifier();
    const directory = await saved(model);
    const names = await namesIn(directory);
    for (const name of [
      "transformer.shared.weight",
      "transformer.encoder.block.0.layer.0.SelfAttention.q.weight",
      "transformer.decoder.final_layer_norm.weight",
      "classification_head.dense.weight",
      "classification_head.out_proj.bias",
    ]) {
      expect(names).toContain(name);
    }
    const again = await AutoModelForSequenceClassification.fromPretrained(directory);
    expect(again).toBeInstanceOf(T5ForSequenceClassification);
    const { logits } = model.forward(T5_TEXTS);
    expect(await again.forward(T5_TEXTS).logits.toArray()).toEqual(await logits.toArray());
    const inner = await AutoModel.fromPretrained(directory);
    expect(inner).toBeInstanceOf(T5Model);
    expect(Object.keys(inner.stateDict())).toEqual(Object.keys(model.transformer.stateDict()));
  });

  test("without a trained head, says that it is this that is missing", async () => {
    const directory = await saved(
      new T5ForConditionalGeneration({
        ...(await t5Classifier()).config,
        tieWordEmbeddings: false,
      }),
    );
    const load = AutoModelForSequenceClassification.fromPretrained(directory);
    await expect(load).rejects.toThrow(/missing: classification_head.*\n +what is missing is the/);
    await expect(load).rejects.not.toThrow("unexpected");
  });
});

describe("CLIP", () => {
  test("classifies the mean of the patches", async () => {
    const model = await clipClassifier();
    const pixels = { pixelValues: (await plainInputs(golden("clip")))["pixelValues"] as Tensor };
    const project = await linear(model.classifier);
    const known = (await AutoModel.fromPretrained(golden("clip"))) as unknown as CLIPModel;
    const states = await statesOf(known.vision_model.forward(pixels).lastHiddenState);
    const wanted = states.map((patches) => project(mean(patches.slice(1))));
    await expectClose(model.forward(pixels).logits, wanted);
    const directory = await saved(model);
    const names = await namesIn(directory);
    expect(names).toContain("vision_model.encoder.layers.0.self_attn.q_proj.weight");
    expect(names).toContain("classifier.bias");
    expect(names.filter((name) => name.startsWith("text"))).toEqual([]);
    const again = await AutoModelForImageClassification.fromPretrained(directory);
    expect(again).toBeInstanceOf(CLIPForImageClassification);
    await expectClose(again.forward(pixels).logits, wanted);
  });

  test("has no hint about a part that it does not hold", async () => {
    const load = AutoModelForImageClassification.fromPretrained(golden("clip"));
    await expect(load).rejects.toThrow("missing: classifier.weight, classifier.bias");
    await expect(load).rejects.not.toThrow("what is missing is the head");
  });
});

describe("sound", () => {
  type Classifier = Wav2Vec2BertForSequenceClassification | WhisperForAudioClassification;

  /** Logits from the frames of each row, which are a mixture of hidden states if there are several. */
  async function classesOf(
    model: Classifier,
    states: readonly Tensor[],
    real: (row: number, frame: number) => boolean = () => true,
  ): Promise<number[][]> {
    const [project, classify] = [await linear(model.projector), await linear(model.classifier)];
    const given = ((await model.layer_weights?.value.toArray()) as number[] | undefined) ?? [0];
    const total = given.reduce((sum, v) => sum + Math.exp(v), 0);
    const layers = await Promise.all(states.map(statesOf));
    expect(layers).toHaveLength(given.length);
    return (layers[0] ?? []).map((frames, row) => {
      const mixed = frames.map((frame, at) =>
        frame.map((_, i) =>
          layers.reduce(
            (sum, layer, l) => sum + (Math.exp(given[l] ?? NaN) / total) * (layer[row]?.[at]?.[i] ?? NaN),
            0,
          ),
        ),
      ); // prettier-ignore
      return classify(mean(mixed.filter((_, at) => real(row, at)).map(project)));
    });
  }

  test.each([false, true])("Wav2Vec2-BERT, with a mixture of layers: %s", async (mixed) => {
    const model = await soundClassifier(mixed);
    const { inputFeatures } = (await plainInputs(golden("wav2vec2_bert"))) as { inputFeatures: Tensor }; // prettier-ignore
    const [batch, frames] = [inputFeatures.size(0), inputFeatures.size(1)];
    const known = (await AutoModel.fromPretrained(golden("wav2vec2_bert"))) as unknown as Wav2Vec2BertModel; // prettier-ignore
    const rows = (real: (row: number, frame: number) => boolean): number[][] =>
      Array.from({ length: batch }, (_, row) =>
        Array.from({ length: frames }, (_, at) => Number(real(row, at))),
      );
    const right = (row: number, at: number): boolean => at < frames - 2 * row - 1;
    const left = (row: number, at: number): boolean => at > row;
    for (const real of [undefined, right, left]) {
      const mask = real === undefined ? {} : { attentionMask: int64(rows(real)) };
      const { hiddenStates, lastHiddenState } = known.forward({ inputFeatures, ...mask });
      const wanted = await classesOf(model, mixed ? hiddenStates : [lastHiddenState], real);
      await expectClose(model.forward({ inputFeatures, ...mask }).logits, wanted);
    }
    const directory = await saved(model);
    expect((await namesIn(directory)).includes("layer_weights")).toBe(mixed);
    const again = await AutoModelForAudioClassification.fromPretrained(directory);
    expect(again).toBeInstanceOf(Wav2Vec2BertForSequenceClassification);
    expect(await again.forward({ inputFeatures }).logits.toArray()).toEqual(
      await model.forward({ inputFeatures }).logits.toArray(),
    );
    expect(await AutoModel.fromPretrained(directory)).toBeInstanceOf(Wav2Vec2BertModel);
  });

  test.each([false, true])("Whisper, with a mixture of layers: %s", async (mixed) => {
    const model = await whisperClassifier(mixed);
    const { inputFeatures } = (await plainInputs(golden("whisper"))) as { inputFeatures: Tensor };
    const known = (await AutoModel.fromPretrained(golden("whisper"))) as unknown as WhisperModel;
    const { hiddenStates, lastHiddenState } = known.encode({ inputFeatures });
    const wanted = await classesOf(model, mixed ? hiddenStates : [lastHiddenState]);
    await expectClose(model.forward({ inputFeatures }).logits, wanted);
    const directory = await saved(model);
    const names = await namesIn(directory);
    expect(names).toContain("encoder.layers.0.self_attn.q_proj.weight");
    expect(names).toContain("projector.weight");
    const again = await AutoModelForAudioClassification.fromPretrained(directory);
    expect(again).toBeInstanceOf(WhisperForAudioClassification);
    await expectClose(again.forward({ inputFeatures }).logits, wanted);
  });
});

describe("without a head", () => {
  test.each([
    ["llava", LlavaModel],
    ["mllama", MllamaModel],
  ] as const)("%s is what is below the logits", async (name, Kind) => {
    const inputs = await plainInputs(golden(name));
    const whole = await AutoModelForCausalLM.fromPretrained(golden(name));
    const model = await AutoModel.fromPretrained(golden(name));
    expect(model).toBeInstanceOf(Kind);
    const { lm_head } = (whole as unknown as { language_model: { lm_head: Linear } })
      .language_model;
    for (const given of [inputs, { inputIds: int64([[1, 3, 2]]) }]) {
      const output = model.forward(given);
      const wanted = whole.forward(given);
      expect(await lm_head.forward(output.lastHiddenState).data()).toEqual(
        await wanted.logits.data(),
      );
      expect(output.hiddenStates).toHaveLength(wanted.hiddenStates.length);
    }
    const directory = await saved(model);
    const names = await namesIn(directory);
    expect(names).toContain("language_model.layers.0.self_attn.q_proj.weight");
    expect(names.filter((n) => n.includes("lm_head"))).toEqual([]);
    const again = await AutoModel.fromPretrained(directory);
    expect(again).toBeInstanceOf(Kind);
    expect(await again.forward(inputs).lastHiddenState.data()).toEqual(
      await model.forward(inputs).lastHiddenState.data(),
    );
  });

  test("BLIP compares texts and images", async () => {
    const model = await blipBase();
    const { inputIds, attentionMask, pixelValues } = (await plainInputs(golden("blip_itm"))) as Record<"inputIds" | "attentionMask" | "pixelValues", Tensor>; // prettier-ignore
    const inputs = { inputIds, attentionMask, pixelValues };
    const known = await BlipForImageTextRetrieval.fromPretrained(golden("blip_itm"));
    const read = known.forward({ ...inputs, useItmHead: false });
    const [dense, ofText, ofImage] = [
      await linear(model.text_model.pooler?.dense as Linear),
      await linear(model.text_projection),
      await linear(model.visual_projection),
    ];
    const norm = async (x: Vector): Promise<number[]> => {
      const { weight, bias } = model.vision_model.post_layernorm;
      const [w, b] = (await Promise.all([weight, bias].map(async (p) => p?.value.toArray()))) as [number[], number[]]; // prettier-ignore
      const middle = x.reduce((sum, v) => sum + v, 0) / x.length;
      const variance = x.reduce((sum, v) => sum + (v - middle) ** 2, 0) / x.length;
      const { layerNormEps } = model.config.visionConfig;
      return x.map((v, i) => ((v - middle) / Math.sqrt(variance + layerNormEps)) * (w[i] ?? 0) + (b[i] ?? 0)); // prettier-ignore
    };
    const unit = (x: Vector): number[] => x.map((v) => v / Math.sqrt(dot(x, x)));
    const texts = (await statesOf(read.questionEmbeds)).map(([first = []]) =>
      unit(ofText(dense(first).map(Math.tanh))),
    );
    const images = await Promise.all(
      (await statesOf(read.lastHiddenState)).map(async ([first = []]) =>
        unit(ofImage(await norm(first))),
      ),
    );
    const scale = Math.exp(await model.logit_scale.value.item());
    const output = model.forward({ ...inputs, returnLoss: true });
    const wanted = texts.map((t) => images.map((i) => scale * dot(t, i)));
    await expectClose(output.logitsPerText, wanted);
    const turned = images.map((i) => texts.map((t) => scale * dot(t, i)));
    await expectClose(output.logitsPerImage, turned);
    const own = texts.map((_, i) => [i]);
    const type = "single_label_classification";
    const loss = (lossOf(wanted, own, type) + lossOf(turned, own, type)) / 2;
    expect(await output.loss?.item()).toBeCloseTo(loss, 5);
    const directory = await saved(model);
    expect(await namesIn(directory)).toContain("text_model.pooler.dense.weight");
    const again = await AutoModel.fromPretrained(directory);
    expect(again).toBeInstanceOf(BlipModel);
    const { logitsPerText } = (again as unknown as BlipModel).forward(inputs);
    expect(await logitsPerText.data()).toEqual(await model.forward(inputs).logitsPerText.data());
  });
});

test.each(Object.keys(HEADED))("%s keeps its numbers in a round trip", async (name) => {
  const model = await HEADED[name]?.load();
  const inputs = (await HEADED[name]?.inputs()) ?? {};
  const Kind = model?.constructor as unknown as { fromPretrained(path: string): Promise<PreTrainedModel> }; // prettier-ignore
  const again = await Kind.fromPretrained(await saved(model as PreTrainedModel));
  const first = (output: object): Tensor => Object.values(output)[0] as Tensor;
  const forward = (m: unknown): Tensor =>
    first((m as { forward(i: object): object }).forward(inputs));
  expect(await forward(again).data()).toEqual(await forward(model).data());
});
