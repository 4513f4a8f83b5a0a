import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  AutoModelForCausalLM,
  type CausalLanguageModel,
  Gemma3ForCausalLM,
  FalconForCausalLM,
  GPTNeoXForCausalLM,
  IntervenableModel,
  LlamaForCausalLM,
  manualSeed,
  stack,
  type Tensor,
  tensor,
  ZeroIntervention,
  PhiForCausalLM,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { draw } from "../models/headed.ts";

const CASE = fileURLToPath(new URL("03-rope-switch-cache/", import.meta.url));

const int64 = (values: readonly (readonly number[])[]): Tensor =>
  tensor(values as number[][], { dtype: "int64" });

async function gap(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

interface Recorded {
  readonly uncached: readonly number[];
  readonly uncached_logits: number[][];
}

type Case = Readonly<Record<string, Recorded>> & { readonly prompt: readonly number[] };

const recorded = JSON.parse(await readFile(`${CASE}case.json`, "utf8")) as Case;

describe.each(["phi3-longrope", "llama-dynamic", "llama-longrope"])("%s", (name) => {
  const { uncached, uncached_logits: wanted } = recorded[name] as Recorded;
  const load = (): Promise<CausalLanguageModel> =>
    AutoModelForCausalLM.fromPretrained(CASE + name);

  test.each([true, false])("writes what transformers does (cache: %s)", async (useCache) => {
    const model = await load();
    const options = { maxNewTokens: 10, useCache, outputLogits: true, eosTokenId: null };
    const output = await model.generate({ inputIds: int64([recorded.prompt]) }, options);
    expect(await output.sequences.toArray()).toEqual([uncached]);
    const logits = stack(output.logits ?? [], 1).squeeze(0);
    expect(await gap(logits, tensor(wanted))).toBeLessThan(2e-4);
  });

  test("reads token by token what it reads at once", async () => {
    await expectStepByStep(await load(), uncached);
  });
});

async function expectStepByStep(
  model: CausalLanguageModel,
  text: readonly number[],
): Promise<void> {
  let pastKeyValues: unknown;
  for (const [i, id] of text.entries()) {
    const past = pastKeyValues === undefined ? {} : { pastKeyValues };
    const step = model.forward({ inputIds: int64([[id]]), ...past });
    ({ pastKeyValues } = step);
    expect(step.logits.shape.slice(0, 2)).toEqual([1, 1]);
    expect(step.attentions[0]?.shape.slice(2)).toEqual([1, i + 1]);
    const whole = model.forward({ inputIds: int64([text.slice(0, i + 1)]) });
    expect(await gap(step.logits.select(1, 0), whole.logits.select(1, i))).toBeLessThan(1e-5);
  }
}

const SIZES = {
  vocabSize: 40,
  hiddenSize: 16,
  intermediateSize: 24,
  numHiddenLayers: 3,
  numAttentionHeads: 2,
  maxPositionEmbeddings: 6,
} as const;

const ROPES = {
  dynamic: { ropeType: "dynamic", ropeTheta: 100, factor: 4 },
  longrope: {
    ropeType: "longrope",
    ropeTheta: 100,
    shortFactor: [1, 1.2, 1.5, 2],
    longFactor: [2, 3, 5, 9],
    originalMaxPositionEmbeddings: 6,
    factor: 4,
  },
} as const;

type Rope = keyof typeof ROPES;

const MODELS: Readonly<Record<string, (rope: Rope) => CausalLanguageModel>> = {
  llama: (rope) => new LlamaForCausalLM({ ...SIZES, ropeParameters: ROPES[rope] }),
  gpt_neox: (rope) =>
    new GPTNeoXForCausalLM({
      ...SIZES,
      ropeParameters: { ...ROPES[rope], partialRotaryFactor: 1 },
    }),
  phi: (rope) =>
    new PhiForCausalLM({
      ...SIZES,
      ropeParameters: { ...ROPES[rope], partialRotaryFactor: 1 },
    }),
  falcon: (rope) => {
    const { intermediateSize: ffnHiddenSize, ...sizes } = SIZES;
    return new FalconForCausalLM({ ...sizes, ffnHiddenSize, ropeParameters: ROPES[rope] });
  },
  gemma3: (rope) =>
    new Gemma3ForCausalLM({
      ...SIZES,
      headDim: 8,
      numKeyValueHeads: 1,
      layerTypes: ["sliding_attention", "full_attention", "sliding_attention"],
      slidingWindow: 4,
      ropeParameters: { fullAttention: ROPES[rope], slidingAttention: { ropeTheta: 50 } },
    }),
};

const PAIRS = Object.keys(MODELS).flatMap((name) =>
  (Object.keys(ROPES) as Rope[]).map((rope) => [name, rope] as const),
);

function made(name: string, rope: Rope): CausalLanguageModel {
  manualSeed(3);
  const model = MODELS[name]?.(rope).eval();
  if (model === undefined) throw new Error(`no model ${name}`);
  draw(model.parameters());
  return model;
}

const SHORT = [5, 9, 2];
const LONG = [7, 3, 8, 1, 6, 4, 11, 2];
const LEFT = {
  inputIds: int64([[0, 0, 0, 0, 0, ...SHORT], LONG]),
  attentionMask: int64([[0, 0, 0, 0, 0, 1, 1, 1], LONG.map(() => 1)]),
};
const RIGHT = {
  inputIds: int64([[...SHORT, 0, 0, 0, 0, 0], LONG]),
  attentionMask: int64([[1, 1, 1, 0, 0, 0, 0, 0], LONG.map(() => 1)]),
};

describe.each(PAIRS)("%s with %s frequencies", (name, rope) => {
  const model = made(name, rope);

  test("rotates each row by its own length", async () => {
    const short = model.forward({ inputIds: int64([SHORT]) }).logits.select(0, 0);
    const long = model.forward({ inputIds: int64([LONG]) }).logits.select(0, 0);
    for (const [inputs, at] of [
      [LEFT, 5],
      [RIGHT, 0],
    ] as const) {
      const { logits } = model.forward(inputs);
      const row = logits.select(0, 0).slice(0, at, at + 3);
      expect(await gap(row, short)).toBeLessThan(2e-5);
      expect(await gap(logits.select(0, 1), long)).toBeLessThan(2e-5);
    }
    const other = made(name, rope === "dynamic" ? "longrope" : "dynamic");
    const { logits } = other.forward({ inputIds: int64([LONG]) });
    expect(await gap(logits.select(0, 0), long)).toBeGreaterThan(1e-3);
  });

  test("reads token by token what it reads at once", async () => {
    await expectStepByStep(model, LONG);
  });

  test.each([1, 2])("writes the same with a cache and without (beams: %i)", async (numBeams) => {
    const options = { maxNewTokens: 7, numBeams, outputLogits: true, eosTokenId: null };
    const [a, b] = await Promise.all([
      model.generate(LEFT, { ...options, useCache: true }),
      model.generate(LEFT, { ...options, useCache: false }),
    ]);
    expect(await a.sequences.toArray()).toEqual(await b.sequences.toArray());
    expect(await gap(stack(a.logits ?? []), stack(b.logits ?? []))).toBeLessThan(5e-5);
    if (numBeams > 1) return;
    const alone = await model.generate({ inputIds: int64([SHORT]) }, options);
    const [own = []] = await alone.sequences.toArray();
    const [row = []] = await a.sequences.toArray();
    expect(row.slice(5)).toEqual(own);
  });

  test.each([true, false])(
    "is edited alike with a cache and without (all steps: %s)",
    async (all) => {
      const steered = new IntervenableModel(
        { layer: 1, component: "mlp_output", intervention: ZeroIntervention },
        model,
      );
      const options = { maxNewTokens: 7, eosTokenId: null, outputLogits: true, ...(all ? { steps: "all" as const } : { unitLocations: { base: 0 } }) } as const; // prettier-ignore
      const prompt = { inputIds: int64([SHORT]) };
      const [a, b] = await Promise.all([
        steered.generate(prompt, { ...options, useCache: true }),
        steered.generate(prompt, { ...options, useCache: false }),
      ]);
      const logits = [a, b].map(({ intervened }) => stack(intervened.logits ?? []));
      expect(await gap(logits[0] as Tensor, logits[1] as Tensor)).toBeLessThan(5e-5);
    },
  );

  test("refuses a cache of which it cannot tell what was read, and edits of what is read again", () => {
    const { pastKeyValues } = model.forward({ inputIds: int64([LONG.slice(0, 6)]) });
    const next = { inputIds: int64([[2]]) };
    const copied = [...(pastKeyValues as object[])];
    expect(() => model.forward({ ...next, pastKeyValues: copied })).toThrow(/give the whole text/);
    expect(() => model.forward({ ...next, pastKeyValues })).not.toThrow();
    const steered = new IntervenableModel<CausalLanguageModel>(
      { layer: 1, component: "mlp_output", intervention: ZeroIntervention },
      model,
    );
    const run = (): unknown => steered.forward({ ...next, pastKeyValues }, { otherCache: true });
    expect(run).toThrow(/give the whole text/);
  });
});
