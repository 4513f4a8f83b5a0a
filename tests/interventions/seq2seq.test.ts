import { describe, expect, test } from "vitest";
import {
  AdditionIntervention,
  BlipForQuestionAnswering,
  cat,
  CollectIntervention,
  type ForwardOptions,
  Generator,
  type IntervenedGenerateOptions,
  IntervenableModel,
  LlavaForConditionalGeneration,
  type Module,
  randn,
  type RepresentationConfig,
  RotatedSpaceIntervention,
  type Seq2SeqGenerateInputs,
  type Seq2SeqLanguageModel,
  type Seq2SeqLMInputs,
  T5ForConditionalGeneration,
  type Tensor,
  tensor,
  VanillaIntervention,
  WhisperForConditionalGeneration,
  ZeroIntervention,
} from "tsvene";

const int64 = (rows: number[][]): Tensor => tensor(rows, { dtype: "int64" });

/** Random weights large enough that every edit shows. */
function shaken<M extends Module>(model: M): M {
  const generator = new Generator(3);
  for (const parameter of model.parameters()) {
    parameter.set(randn(parameter.shape, { generator }).mul(0.4));
  }
  return model.eval();
}

const t5 = shaken(
  new T5ForConditionalGeneration({
    vocabSize: 40,
    dModel: 16,
    dKv: 4,
    dFf: 24,
    numHeads: 4,
    numLayers: 2,
    numDecoderLayers: 3,
    decoderStartTokenId: 0,
    padTokenId: 0,
  }),
);
const whisper = shaken(
  new WhisperForConditionalGeneration({
    vocabSize: 40,
    dModel: 16,
    encoderLayers: 2,
    decoderLayers: 2,
    encoderAttentionHeads: 4,
    decoderAttentionHeads: 4,
    encoderFfnDim: 24,
    decoderFfnDim: 24,
    numMelBins: 5,
    maxSourcePositions: 6,
    maxTargetPositions: 20,
    decoderStartTokenId: 1,
    padTokenId: 0,
  }),
);
const part = {
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
} as const;
const blip = shaken(
  new BlipForQuestionAnswering({
    textConfig: {
      ...part,
      encoderHiddenSize: 16,
      vocabSize: 40,
      maxPositionEmbeddings: 20,
      bosTokenId: 1,
    },
    visionConfig: { ...part, imageSize: 8, patchSize: 4 },
    decoderStartTokenId: 1,
  }),
);

const generator = new Generator(7);
const read = { inputIds: int64([[5, 7, 9, 11, 2], [1, 2, 3, 4, 6]]) }; // prettier-ignore
const heard = { inputFeatures: randn([2, 5, 12], { generator }) };
const asked = { ...read, pixelValues: randn([2, 3, 8, 8], { generator }) };
const writing = { maxNewTokens: 5, eosTokenId: null } as const;

interface Writes {
  readonly model: Seq2SeqLanguageModel;
  readonly prompts: Seq2SeqGenerateInputs;
  readonly encoder: string;
  readonly decoder: string;
  /** A place that reads the encoder's states for the decoder, once. */
  readonly looked: string;
}

const models: readonly (readonly [string, Writes])[] = [
  [
    "T5",
    {
      model: t5,
      prompts: read,
      encoder: "encoder.block[1].output",
      decoder: "decoder.block[1].layer[2].output",
      looked: "decoder.block[0].layer[1].EncDecAttention.v.output",
    },
  ],
  [
    "Whisper",
    {
      model: whisper,
      prompts: heard,
      encoder: "model.encoder.layers[1].output",
      decoder: "model.decoder.layers[1].fc2.output",
      looked: "model.decoder.layers[0].encoder_attn.v_proj.output",
    },
  ],
  [
    "BLIP",
    {
      model: blip,
      prompts: asked,
      encoder: "text_encoder.encoder.layer[1].output",
      decoder: "text_decoder.bert.encoder.layer[1].output.output",
      looked: "text_decoder.bert.encoder.layer[0].crossattention.self.value.output",
    },
  ],
];

type Placed = IntervenableModel<Seq2SeqLanguageModel>;

const place = (model: Seq2SeqLanguageModel, ...config: RepresentationConfig[]): Placed =>
  new IntervenableModel<Seq2SeqLanguageModel>(config, model);

async function logitsOf(
  intervenable: Placed,
  prompts: Seq2SeqGenerateInputs,
  options: IntervenedGenerateOptions<Seq2SeqGenerateInputs>,
): Promise<{ readonly tokens: unknown; readonly logits: number[][] }> {
  const { intervened } = await intervenable.generate(prompts, {
    ...writing,
    outputLogits: true,
    ...options,
  });
  const logits = await Promise.all((intervened.logits ?? []).map((t) => t.data()));
  return {
    tokens: await intervened.sequences.toArray(),
    logits: logits.map((values) => Array.from(values, Number)),
  };
}

function expectClose(actual: readonly number[][], wanted: readonly number[][]): void {
  expect(actual.length).toBe(wanted.length);
  const gaps = actual.flatMap((row, i) => row.map((v, j) => Math.abs(v - (wanted[i]?.[j] ?? NaN))));
  expect(Math.max(...gaps)).toBeLessThan(1e-4);
}

/** Text written by whole forward passes with edits, one for each token. */
async function written(
  intervenable: Placed,
  prompts: Seq2SeqGenerateInputs,
  optionsAt: (step: number) => ForwardOptions<Seq2SeqLMInputs> | undefined,
): Promise<number[][]> {
  const { model } = intervenable;
  let { decoderInputIds } = model.withStart(prompts);
  const logits: number[][] = [];
  for (let step = 0; step < writing.maxNewTokens; step++) {
    const inputs = { ...prompts, decoderInputIds };
    const options = optionsAt(step);
    const output =
      options === undefined
        ? model.forward(inputs)
        : intervenable.forward(inputs, options).intervened;
    const last = output.logits.slice(1, -1);
    logits.push(Array.from((await last.data()) as Float32Array));
    decoderInputIds = cat([decoderInputIds, last.argmax(-1)], 1);
  }
  return logits;
}

describe.each(models)("%s", (_, { model, prompts, encoder, decoder, looked }) => {
  test("an edit of what the encoder reads is in every token", async () => {
    const zero = place(model, { component: encoder, intervention: ZeroIntervention });
    const unitLocations = { base: [1, 3] };
    const wanted = await written(zero, prompts, () => ({ unitLocations }));
    const plain = await written(zero, prompts, () => undefined);
    expect(wanted).not.toEqual(plain);
    for (const useCache of [true, false]) {
      const options = { unitLocations, steps: "all", useCache } as const;
      expectClose((await logitsOf(zero, prompts, options)).logits, wanted);
    }
    const once = { unitLocations, steps: "prompt" } as const;
    expectClose((await logitsOf(zero, prompts, once)).logits, wanted);
  });

  test("an edit of what the decoder looks at is in every token, with and without a cache", async () => {
    const zero = place(model, { component: looked, intervention: ZeroIntervention });
    const unitLocations = { base: [[0], [4]] }; // prettier-ignore
    const wanted = await written(zero, prompts, () => ({ unitLocations }));
    for (const useCache of [true, false]) {
      const options = { unitLocations, interveneOnPrompt: true, useCache };
      expectClose((await logitsOf(zero, prompts, options)).logits, wanted);
    }
  });

  test("positions of the decoder count what it writes", async () => {
    const zero = place(model, { component: decoder, intervention: ZeroIntervention });
    const wanted = await written(zero, prompts, (step) =>
      step < 2 ? undefined : { unitLocations: { base: step < 3 ? 2 : [2, 3] } },
    );
    for (const useCache of [true, false]) {
      const options = { unitLocations: { base: [2, 3] }, steps: "all", useCache } as const;
      expectClose((await logitsOf(zero, prompts, options)).logits, wanted);
    }
    const byDefault = await logitsOf(zero, prompts, {});
    const every = await written(zero, prompts, (step) => {
      const base = Array.from({ length: step }, (__, i) => i + 1);
      return step === 0 ? undefined : { unitLocations: { base } };
    });
    expectClose(byDefault.logits, every);
  });

  test("sources are read in the encoder and the decoder, from what generate would take", async () => {
    const swap = place(
      model,
      { component: encoder, intervention: VanillaIntervention, groupKey: 0 },
      { component: decoder, intervention: VanillaIntervention, groupKey: 0 },
    );
    const turned = Object.fromEntries(
      Object.entries(prompts).map(([name, t]) => [name, (t as Tensor).flip(0)]),
    ) as Seq2SeqGenerateInputs;
    const unitLocations = { "sources->base": { each: [{ source: [[2], [2]], base: [[1], [1]] }, [[0], [0]]] } } as const; // prettier-ignore
    const sources = model.withStart(turned);
    const wanted = await written(swap, prompts, () => ({ sources, unitLocations }));
    const options = { sources: turned, unitLocations, steps: "all" } as const;
    expectClose((await logitsOf(swap, prompts, options)).logits, wanted);
  });

  test("several texts of a source are steered as that row is", async () => {
    const add = place(
      model,
      { component: encoder, intervention: AdditionIntervention },
      { component: decoder, intervention: AdditionIntervention },
    );
    const given = {
      unitLocations: { base: { each: [[[1], [3]], [[1], [2]]] } }, // prettier-ignore
      sourceRepresentations: [randn([2, 1, 16], { generator }), randn([2, 1, 16], { generator })],
      steps: "all",
    } as const;
    for (const many of [
      { numBeams: 3, numReturnSequences: 2 },
      { doSample: true, topK: 1, numReturnSequences: 2 },
    ]) {
      // prettier-ignore
      const both = await add.generate(prompts, { ...writing, ...given, ...many });
      const alone = [0, 1].map(async (row) => {
        const own = Object.fromEntries(
          Object.entries(prompts).map(([name, t]) => [name, (t as Tensor).slice(0, row, row + 1)]),
        ) as Seq2SeqGenerateInputs;
        const { intervened } = await add.generate(own, {
          ...writing,
          ...many,
          steps: "all",
          unitLocations: { base: { each: given.unitLocations.base.each.map((rows) => rows[row] ?? []) } }, // prettier-ignore
          sourceRepresentations: given.sourceRepresentations.map((t) => t.slice(0, row, row + 1)),
        });
        return intervened.sequences.toArray();
      });
      const rows = (await Promise.all(alone)).flat();
      expect(await both.intervened.sequences.toArray()).toStrictEqual(rows);
    }
  });

  test("the encoder is collected once, and the decoder in each step", async () => {
    const taking = place(
      model,
      { component: encoder, intervention: CollectIntervention },
      { component: decoder, intervention: CollectIntervention },
    );
    const { collectedByName, intervened } = await taking.generate(prompts, {
      ...writing,
      steps: "all",
    });
    const [first = "", second = ""] = taking.names;
    const [states, ...others] = collectedByName[first] ?? [];
    expect(others).toStrictEqual([]);
    const { collected } = taking.forward(model.withStart(prompts));
    expect(await states?.toArray()).toStrictEqual(await collected[0]?.toArray());
    const shapes = collectedByName[second]?.map(({ shape }) => shape);
    expect(shapes).toStrictEqual(Array.from({ length: 5 }, () => [2, 1, 16]));
    const plain = await model.generate(prompts, writing);
    expect(await intervened.sequences.equal(plain.sequences)).toBe(true);
  });

  test("streams tokens with the edits", async () => {
    const zero = place(model, { component: decoder, intervention: ZeroIntervention });
    const tokens: (readonly number[])[] = [];
    for await (const step of zero.stream(prompts, writing)) tokens.push(step.tokens);
    const { intervened } = await zero.generate(prompts, writing);
    const rows = await intervened.sequences.toArray();
    expect(tokens).toStrictEqual(rows[0]?.slice(1).map((__, i) => rows.map((row) => row[i + 1])));
  });

  test("an edit that no step makes is refused before anything runs", async () => {
    for (const component of [encoder, looked]) {
      const zero = place(model, { component, intervention: ZeroIntervention });
      for (const options of [{}, { steps: "decoding" }, { steps: [1, 2] }] as const) {
        await expect(zero.generate(prompts, { ...writing, ...options })).rejects.toThrow(
          /never fires: what passes .* is read once, in step 0, which is not among its steps; pass interveneOnPrompt/,
        );
      }
    }
    const zero = place(model, { component: decoder, intervention: ZeroIntervention });
    await expect(
      zero.generate(prompts, { ...writing, steps: "all", unitLocations: { base: 7 } }),
    ).rejects.toThrow(/5 new tokens never read position 7/);
  });
});

describe("forward", () => {
  const inputs = {
    inputIds: int64([[5, 7, 9, 11, 0], [1, 2, 3, 0, 0]]), // prettier-ignore
    attentionMask: int64([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]]), // prettier-ignore
    decoderInputIds: int64([[0, 8, 3, 9, 4, 2], [0, 1, 1, 2, 6, 5]]), // prettier-ignore
    decoderAttentionMask: int64([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]]), // prettier-ignore
  };
  const collect = (component: string, base: "last" | number, of: Seq2SeqLMInputs = inputs) => {
    const taking = place(t5, { component, layer: 1, intervention: CollectIntervention });
    return taking.forward(of, { unitLocations: { base } }).collected[0];
  };
  const whole = async (component: string): Promise<number[][][]> => {
    const taking = place(t5, { component, layer: 1, intervention: CollectIntervention });
    return (await taking.forward(inputs).collected[0]?.toArray()) as number[][][];
  };

  test("the last position is that of the text that a place reads", async () => {
    const encoder = await whole("encoder.block_output");
    const last = await collect("encoder.block_output", "last")?.toArray();
    expect(last).toStrictEqual([[encoder[0]?.[3]], [encoder[1]?.[2]]]);
    const decoder = await whole("decoder.block_output");
    const end = await collect("decoder.block_output", "last")?.toArray();
    expect(end).toStrictEqual([[decoder[0]?.[5]], [decoder[1]?.[4]]]);
  });

  test("padding is that of the text that a place reads", () => {
    expect(() => collect("encoder.mlp_output", 3)).toThrow(
      /row 1: position 3 is padding, which attentionMask leaves out/,
    );
    expect(collect("decoder.mlp_output", 4)?.shape).toStrictEqual([2, 1, 16]);
    expect(() => collect("decoder.mlp_output", 5)).toThrow(
      /row 1: position 5 is padding, which decoderAttentionMask leaves out/,
    );
  });

  test("keys of cross-attention count the source, and queries what is written", async () => {
    const config = {
      component: "decoder.cross_attention_weight",
      layer: 1,
      unit: "h.key",
      intervention: CollectIntervention,
    } as const;
    const keys = place(t5, config).forward(inputs, { unitLocations: { base: { head: 0, key: "last" } } }).collected[0]; // prettier-ignore
    const weights = t5.forward(inputs).crossAttentions[1] as Tensor;
    const [[first = []] = [], [second = []] = []] = (await weights.toArray()) as number[][][][];
    const wanted = [first.map((row) => row[3]), second.map((row) => row[2])];
    expect(await keys?.toArray()).toStrictEqual(wanted.map((column) => [[column]]));
    const queries = place(t5, { ...config, unit: "h.pos" });
    expect(
      () =>
      queries.forward(inputs, { unitLocations: { base: { head: 0, position: 5 } } }), // prettier-ignore
    ).toThrow(/decoderAttentionMask/);
  });

  test("patches of an image have no mask", () => {
    const mask = int64([[1, 1, 1, 1, 0], [1, 1, 1, 1, 0]]); // prettier-ignore
    const taking = place(blip, {
      component: "vision_model.encoder.layers[0].output",
      intervention: CollectIntervention,
    });
    const [patches] = taking.forward(
      { ...asked, attentionMask: mask },
      { unitLocations: { base: 4 } },
    ).collected;
    expect(patches?.shape).toStrictEqual([2, 1, 16]);
  });

  test("a rotation is learned in encoder and decoder", async () => {
    const rotated = place(
      t5,
      { component: "encoder.block_output", intervention: RotatedSpaceIntervention },
      { component: "decoder.block_output", layer: 2, intervention: RotatedSpaceIntervention },
    );
    const plan = rotated.explain(inputs, {
      sources: inputs,
      unitLocations: { "sources->base": 1 },
    });
    expect(plan.trainableParameters).toBe(2 * 16 * 16);
    const { intervened, original } = rotated.forward(inputs, {
      sources: inputs,
      unitLocations: { "sources->base": 1 },
    });
    const gap = await intervened.logits.sub(original.logits).abs().amax().item();
    expect(gap).toBeLessThan(1e-4);
  });
});

describe("a text about an image", () => {
  const llava = shaken(
    new LlavaForConditionalGeneration({
      textConfig: { ...part, vocabSize: 40 },
      visionConfig: { ...part, imageSize: 8, patchSize: 4 },
      imageTokenIndex: 39,
      visionFeatureLayer: -2,
    }),
  );
  const pixelValues = randn([1, 3, 8, 8], { generator });
  const prompts = { inputIds: int64([[1, 39, 39, 39, 39, 2]]), pixelValues };
  const zero = new IntervenableModel(
    { component: "multi_modal_projector.output", intervention: ZeroIntervention },
    llava,
  );

  test("is steered in what is seen, once, with and without a cache", async () => {
    const unitLocations = { base: [1, 2] };
    let { inputIds } = prompts;
    for (let step = 0; step < 4; step++) {
      const { intervened } = zero.forward({ inputIds, pixelValues }, { unitLocations });
      inputIds = cat([inputIds, intervened.logits.slice(1, -1).argmax(-1)], 1);
    }
    const settings = { maxNewTokens: 4, eosTokenId: null } as const;
    for (const useCache of [true, false]) {
      const options = { ...settings, unitLocations, steps: "all", useCache } as const;
      const { sequences } = (await zero.generate(prompts, options)).intervened;
      expect(await sequences.toArray()).toStrictEqual(await inputIds.toArray());
    }
    const plain = await llava.generate(prompts, settings);
    expect(await plain.sequences.toArray()).not.toStrictEqual(await inputIds.toArray());
    const tokens: number[] = [];
    for await (const step of llava.stream(prompts, settings)) tokens.push(...step.tokens);
    const [written] = await plain.sequences.toArray();
    expect(written?.slice(6)).toStrictEqual(tokens);
    await expect(zero.generate(prompts, settings)).rejects.toThrow(/is read once, in step 0/);
  });

  test("is a text as any other without one", async () => {
    const text = { inputIds: int64([[1, 3, 2]]) };
    const settings = { maxNewTokens: 3, eosTokenId: null } as const;
    const { sequences } = await llava.generate(text, settings);
    const inner = await llava.language_model.generate(text, settings);
    expect(await sequences.toArray()).toStrictEqual(await inner.sequences.toArray());
  });
});
