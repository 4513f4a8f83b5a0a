import { expect, test } from "vitest";
import {
  AdditionIntervention,
  type CausalLMInputs,
  type CausalLMOutput,
  CollectIntervention,
  Generator,
  GPT2LMHeadModel,
  type IntervenedGenerateOptions,
  IntervenableModel,
  randn,
  resetStats,
  type RuntimeStats,
  runtimeStats,
  type Tensor,
  VanillaIntervention,
} from "tsvene";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2(3);
const prompts = ids([3, 1, 4, 1, 5], [2, 7, 1, 8, 2]);
const direction = randn([24], { generator: new Generator(7) }).mul(3);
const settings = { maxNewTokens: 6, eosTokenId: null, outputLogits: true } as const;

const steering = new IntervenableModel(
  [0, 2].map((layer) => ({
    layer,
    component: "mlp_output" as const,
    intervention: AdditionIntervention,
  })),
  model,
);

async function logitsOf(options: IntervenedGenerateOptions = {}): Promise<number[][]> {
  const given = { sourceRepresentations: direction, ...settings, ...options };
  const { intervened } = await steering.generate(prompts, given);
  const data = await Promise.all((intervened.logits ?? []).map((t) => t.data()));
  return data.map((values) => Array.from(values, Number));
}

/** Largest difference, step by step. */
function differences(a: number[][], b: number[][]): number[] {
  return a.map((step, i) => Math.max(...step.map((v, j) => Math.abs(v - (b[i]?.[j] ?? NaN)))));
}

test("by default the prompt is left alone, and with it the first new token", async () => {
  const { logits } = await model.generate(prompts, settings);
  const plain = await Promise.all(
    (logits ?? []).map(async (t) => Array.from(await t.data(), Number)),
  );
  const [first, ...rest] = differences(await logitsOf(), plain);
  expect(first).toBe(0);
  expect(Math.min(...rest)).toBeGreaterThan(0.01);
  const [steered] = differences(await logitsOf({ interveneOnPrompt: true }), plain);
  expect(steered).toBeGreaterThan(0.01);
});

const schedules: readonly (readonly [string, IntervenedGenerateOptions])[] = [
  ["new tokens", {}],
  ["everything", { interveneOnPrompt: true }],
  ["places in the prompt", { interveneOnPrompt: true, unitLocations: { base: [1, 4, 2] } }],
  ["the prompt's last place", { interveneOnPrompt: true, unitLocations: { base: -1 } }],
  [
    "places in the prompt and after it",
    { interveneOnPrompt: true, unitLocations: { base: [0, 5, 7] } },
  ],
  ["places after the prompt", { unitLocations: { base: [6, 8, 9] } }],
  ["every new token by pyvene's 0", { unitLocations: { base: 0 } }],
];

test.each(schedules)("editing %s gives the same with and without a cache", async (_, options) => {
  const cached = await logitsOf(options);
  const plain = await logitsOf({ ...options, useCache: false });
  expect(Math.max(...differences(cached, plain))).toBeLessThan(1e-4);
});

test("pyvene's 0 means what giving no places means", async () => {
  expect(await logitsOf({ unitLocations: { base: 0 } })).toStrictEqual(await logitsOf());
});

test("a place after the prompt is edited when it is read", async () => {
  const { logits } = await model.generate(prompts, settings);
  const plain = await Promise.all(
    (logits ?? []).map(async (t) => Array.from(await t.data(), Number)),
  );
  const found = differences(await logitsOf({ unitLocations: { base: 7 } }), plain);
  expect(found.slice(0, 3)).toStrictEqual([0, 0, 0]);
  expect(found[3]).toBeGreaterThan(0.01);
});

test("whole heads are edited in the steps that the prompt setting names", async () => {
  const config = {
    layer: 1,
    component: "head_value_output",
    unit: "h",
    intervention: AdditionIntervention,
  } as const;
  const heads = new IntervenableModel(config, model);
  const run = async (interveneOnPrompt: boolean): Promise<unknown> => {
    const unitLocations = { base: [[1], [2]] };
    const options = { ...settings, unitLocations, interveneOnPrompt };
    const sourceRepresentations = direction.slice(0, 0, 6);
    const { intervened } = await heads.generate(prompts, { ...options, sourceRepresentations });
    return intervened.logits?.[0]?.data();
  };
  const plain = await model.generate(prompts, settings);
  expect(await run(false)).toStrictEqual(await plain.logits?.[0]?.data());
  expect(await run(true)).not.toStrictEqual(await plain.logits?.[0]?.data());
});

class Counting extends GPT2LMHeadModel {
  calls = 0;
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    this.calls++;
    return super.forward(inputs);
  }
}

test("sources are run once, however many tokens are written", async () => {
  const counting = new Counting(TINY).eval();
  const interchange = new IntervenableModel(
    { layer: 1, intervention: VanillaIntervention },
    counting,
  );
  const source = ids([9, 9, 9], [8, 8, 8]);
  const options = {
    ...settings,
    sources: source,
    unitLocations: { "sources->base": { source: 2, base: 0 } },
  } as const;
  const callsFor = async (maxNewTokens: number): Promise<number> => {
    counting.calls = 0;
    await interchange.generate(prompts, { ...options, maxNewTokens });
    return counting.calls;
  };
  await callsFor(6);
  const [few, many] = [await callsFor(6), await callsFor(20)];
  // The source, the prompt, a step that is rehearsed, and traces of one for all.
  expect(few).toBeLessThan(8);
  expect(many).toBeLessThan(10);
});

test("several places of a source go to the steps that they belong to", async () => {
  const interchange = new IntervenableModel({ layer: 1, intervention: VanillaIntervention }, model);
  const sources = ids([9, 8, 7, 6], [1, 2, 3, 4]);
  const given = { ...settings, sources, interveneOnPrompt: true };
  const run = async (source: number[], base: number[]): Promise<Tensor[]> => {
    const { intervened } = await interchange.generate(prompts, {
      ...given,
      unitLocations: { "sources->base": { source, base } },
    });
    return [...(intervened.logits ?? [])];
  };
  const [a, b] = [await run([3, 0, 2], [7, 1, 5]), await run([0, 2, 3], [1, 5, 7])];
  const other = await run([0, 2, 1], [1, 5, 7]);
  for (const [i, logits] of a.entries()) {
    expect(await logits.data()).toStrictEqual(await b[i]?.data());
  }
  expect(await a[2]?.data()).toStrictEqual(await other[2]?.data());
  expect(await a[3]?.data()).not.toStrictEqual(await other[3]?.data());
});

test("continuations of a prompt are steered row by row", async () => {
  const sources = ids([9, 8, 7, 6], [1, 2, 3, 4]);
  const interchange = new IntervenableModel({ layer: 1, intervention: VanillaIntervention }, model);
  const unitLocations = { "sources->base": { source: [[0], [3]], base: [[1], [4]] } } as const;
  const options = { sources, unitLocations, interveneOnPrompt: true, ...settings };
  const { intervened: single } = await interchange.generate(prompts, options);
  const sampling = { ...options, doSample: true, seed: 1, numReturnSequences: 3 };
  const { intervened: several } = await interchange.generate(prompts, sampling);
  const [one, three] = [single.logits?.[0], several.logits?.[0]];
  expect(three?.shape).toStrictEqual([6, 64]);
  const wanted = one?.repeatInterleave(3, 0);
  expect(
    await three
      ?.sub(wanted ?? 0)
      .abs()
      .amax()
      .item(),
  ).toBeLessThan(1e-5);
});

test("sampling with a seed differs by the intervention alone", async () => {
  const sampling = { ...settings, doSample: true, seed: 5 };
  const zero = { ...sampling, sourceRepresentations: direction.mul(0) };
  const { intervened } = await steering.generate(prompts, zero);
  const plain = await model.generate(prompts, sampling);
  expect(await intervened.sequences.data()).toStrictEqual(await plain.sequences.data());
});

test("collects one tensor a step, which the step's own program computes", async () => {
  const collecting = new IntervenableModel(
    [1, 0].map((layer) => ({ layer, intervention: CollectIntervention })),
    model,
  );
  resetStats();
  const result = await collecting.generate(prompts, { ...settings, interveneOnPrompt: true });
  const { runs } = runtimeStats();
  await Promise.all(result.collected.map((t) => t.data()));
  expect(runtimeStats().runs).toBe(runs);
  const [late = "", early = ""] = collecting.names;
  expect(result.collected).toStrictEqual([
    ...(result.collectedByName[late] ?? []),
    ...(result.collectedByName[early] ?? []),
  ]);
  expect(result.collectedByName[late]?.map(({ shape }) => shape)).toStrictEqual([[2, 5, 24], ...Array.from({ length: 5 }, () => [2, 1, 24])]); // prettier-ignore
});

test("steered text of any length takes as few programs as plain text", async () => {
  const run = async (maxNewTokens: number): Promise<number> => {
    resetStats();
    const options = { sourceRepresentations: direction, maxNewTokens, eosTokenId: null };
    await steering.generate(ids([3, 1, 4]), options);
    return runtimeStats().programsCompiled;
  };
  expect(await run(20)).toBeLessThanOrEqual(4);
  expect(await run(26)).toBe(0);
});

test("and so does text that is steered by other vectors in each step, which are computed together", async () => {
  const run = async (maxNewTokens: number): Promise<RuntimeStats> => {
    resetStats();
    const sourceRepresentations = (step: number): Tensor => direction.mul(1 / step);
    const options = { sourceRepresentations, maxNewTokens, eosTokenId: null };
    await steering.generate(ids([3, 1, 4]), options);
    return runtimeStats();
  };
  await run(16);
  for (const length of [12, 9, 15]) expect((await run(length)).programsCompiled).toBe(0);
  // 8, 4, 2 and 1 of them, the prompt, and each step.
  expect((await run(16)).runs).toBe(4 + 1 + 15);
});

test("streams tokens with the edits", async () => {
  const options = { sourceRepresentations: direction, maxNewTokens: 6, eosTokenId: null };
  const { intervened } = await steering.generate(prompts, options);
  const streamed: (readonly number[])[] = [];
  for await (const { tokens } of steering.stream(prompts, options)) streamed.push(tokens);
  const rows = await intervened.sequences.toArray();
  expect(streamed).toStrictEqual(
    Array.from({ length: 6 }, (_, i) => rows.map((row) => row[5 + i])),
  );
});

test("many generations at once do not see each other's edits", async () => {
  const run = (scale: number): Promise<unknown> =>
    steering
      .generate(prompts, { ...settings, sourceRepresentations: direction.mul(scale) })
      .then(({ intervened }) => intervened.logits?.at(-1)?.data());
  const scales = [0, 1, -1, 2, 0.5, 3];
  const together = await Promise.all(scales.map(run));
  for (const [i, scale] of scales.entries()) expect(together[i]).toStrictEqual(await run(scale));
});
