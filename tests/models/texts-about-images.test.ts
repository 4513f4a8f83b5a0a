import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  type GenerateInputs,
  GPT2LMHeadModel,
  IntervenableModel,
  type LlavaForConditionalGeneration,
  type MllamaForConditionalGeneration,
  ones,
  onesLike,
  randn,
  type Tensor,
  tensor,
  VanillaIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { plainInputs } from "../../scripts/parity/recorded-model.ts";
import { golden } from "./checkpoints.ts";

type Given = GenerateInputs & Readonly<Record<string, Tensor>>;

const FREE = { eosTokenId: null, padTokenId: 0, maxNewTokens: 5 } as const;

async function loaded(name: string): Promise<{ model: CausalLanguageModel; inputs: Given }> {
  const model = await AutoModelForCausalLM.fromPretrained(golden(name));
  const inputs = (await plainInputs(golden(name))) as unknown as Given;
  return { model, inputs };
}

const rows = async (t: Tensor): Promise<number[][]> => t.toArray(2);

/** The likeliest tokens, each from a pass over everything before. */
async function oneByOne(model: CausalLanguageModel, inputs: Given): Promise<number[][]> {
  let texts = await rows(inputs.inputIds);
  for (let i = 0; i < FREE.maxNewTokens; i++) {
    const inputIds = tensor(texts, { dtype: "int64" });
    const { logits } = model.forward({ ...inputs, inputIds, attentionMask: onesLike(inputIds) });
    const next = await logits.slice(1, -1).squeeze(1).argmax(-1).toArray(1);
    texts = texts.map((row, k) => [...row, next[k] ?? 0]);
  }
  return texts;
}

describe.each(["llava", "mllama"])("%s", (name) => {
  test("writes about images, with a cache and without", async () => {
    const { model, inputs } = await loaded(name);
    const wanted = await oneByOne(model, inputs);
    for (const useCache of [true, false]) {
      const { sequences } = await model.generate(inputs, { ...FREE, useCache });
      expect(await rows(sequences)).toEqual(wanted);
    }
  });

  test("writes otherwise about other images, and several texts about each", async () => {
    const { model, inputs } = await loaded(name);
    const other = { ...inputs, pixelValues: randn(inputs.pixelValues?.shape ?? []).mul(3) };
    const first = async (given: Given): Promise<unknown> => {
      const { logits } = await model.generate(given, { ...FREE, outputLogits: true });
      return logits?.at(-1)?.toArray();
    };
    expect(await first(other)).not.toEqual(await first(inputs));
    const beams = { ...FREE, numBeams: 2, numReturnSequences: 2 };
    const batch = inputs.inputIds.size(0);
    const { sequences } = await model.generate(inputs, beams);
    expect(sequences.shape[0]).toBe(2 * batch);
    const drawn = { ...FREE, doSample: true, topK: 1, numReturnSequences: 2, seed: 1 };
    const twice = await rows((await model.generate(inputs, drawn)).sequences);
    expect(twice).toEqual((await oneByOne(model, inputs)).flatMap((row) => [row, row]));
  });

  test("writes with interventions from a text about other images", async () => {
    const { model, inputs } = await loaded(name);
    const component = name === "llava" ? "language_model.model.layers[1].output" : "language_model.model.layers[2].output"; // prettier-ignore
    const swap = new IntervenableModel({ component, intervention: VanillaIntervention }, model);
    const source = { ...inputs, pixelValues: randn(inputs.pixelValues?.shape ?? []).mul(3) };
    const last = inputs.inputIds.size(1) - 1;
    const { intervened } = await swap.generate(inputs, {
      ...FREE,
      sources: [source],
      unitLocations: { "sources->base": last },
      interveneOnPrompt: true,
      outputLogits: true,
    });
    const plain = await model.generate(inputs, { ...FREE, outputLogits: true });
    const { logits } = model.forward(source);
    const own = logits.slice(1, last, last + 1).squeeze(1);
    expect(intervened.logits?.[0]?.shape).toEqual(own.shape);
    expect(await intervened.logits?.[0]?.toArray()).not.toEqual(await plain.logits?.[0]?.toArray());
  });
});

test("what a model does not write from is refused", async () => {
  const { model, inputs } = await loaded("llava");
  await expect(model.generate({ ...inputs, aspectRatioIds: ones([1]) })).rejects.toThrow(
    "generate: aspectRatioIds is not a tensor that LlavaForConditionalGeneration writes from; " +
      "it takes inputIds, attentionMask, pixelValues",
  );
  const gpt2 = await GPT2LMHeadModel.fromPretrained(golden("gpt2"));
  const inputIds = tensor([[1, 2]], { dtype: "int64" });
  await expect(gpt2.generate({ inputIds, pixelValues: ones([1, 3, 8, 8]) })).rejects.toThrow(
    /pixelValues is not a tensor that GPT2LMHeadModel writes from; it takes inputIds, attentionMask$/,
  );
});

test("LLaVA does not guess whose images are whose", async () => {
  const { model, inputs } = await loaded("llava");
  const { pixelValues = ones([1]) } = inputs;
  const [ids] = await rows(inputs.inputIds);
  const inputIds = tensor([ids ?? [], ids ?? []], { dtype: "int64" });
  const three = pixelValues.slice(0, 0, 1).repeat([3, 1, 1, 1]);
  const options = { ...FREE, doSample: true, numReturnSequences: 2 };
  await expect(
    (model as LlavaForConditionalGeneration).generate({ inputIds, pixelValues: three }, options),
  ).rejects.toThrow(/pixelValues \[3, .*\] does not say which of the 2 prompts each image belongs/);
});

test("Mllama reads its image's token, which is beyond the vocabulary that it writes", async () => {
  const { model } = await loaded("mllama");
  const mllama = model as MllamaForConditionalGeneration;
  expect(mllama.idCount).toBe((mllama.config.vocabSize ?? 0) + 8);
});
