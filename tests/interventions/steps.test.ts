import { describe, expect, test } from "vitest";
import {
  AdditionIntervention,
  CollectIntervention,
  EditScope,
  evaluate,
  Generator,
  type GPT2LMHeadModel,
  type IntervenedGenerateOptions,
  IntervenableModel,
  randn,
  resetStats,
  runtimeStats,
  stack,
  type Tensor,
  VanillaIntervention,
  zeros,
} from "tsvene";
import { ids, tinyGpt2 } from "./tiny-gpt2.ts";

const model = tinyGpt2(3);
const PROMPT = 5;
const NEW = 6;
const prompts = ids([3, 1, 4, 1, 5], [2, 7, 1, 8, 2]);
const direction = randn([24], { generator: new Generator(7) }).mul(3);
const other = randn([24], { generator: new Generator(8) }).mul(3);
await evaluate(direction, other);
const settings = { maxNewTokens: NEW, eosTokenId: null, outputLogits: true } as const;
const LAYER = 2;
const { mlp } = model.transformer.h.at(LAYER);

const place = { layer: LAYER, component: "mlp_output" } as const;
const steering = new IntervenableModel({ ...place, intervention: AdditionIntervention }, model);

interface Text {
  readonly sequences: Tensor;
  /** [rows, steps, vocabulary] */
  readonly logits: Tensor;
}

async function write(
  options: IntervenedGenerateOptions,
  intervenable: IntervenableModel<GPT2LMHeadModel> = steering,
): Promise<Text> {
  const { intervened } = await intervenable.generate(prompts, { ...settings, ...options });
  return { sequences: intervened.sequences, logits: stack(intervened.logits ?? [], 1) };
}

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

/** What the mlp of the layer gives at each position of each row: `change` of its plain output. */
type Change = (plain: Tensor, row: number, position: number) => Tensor;

/**
 * The logits that chose each token of a text, from one pass over the whole of it, in which every
 * position of every row is changed by itself: no cache, no schedule, no selection.
 */
function slowLogits(sequences: Tensor, change: Change): Tensor {
  const length = sequences.size(1) - 1;
  const scope = new EditScope().on(mlp, "output", (y) =>
    stack(
      Array.from({ length: y.size(0) }, (_, row) =>
        stack(
          Array.from({ length }, (__, at) => change(y.select(0, row).select(0, at), row, at)),
          0,
        ),
      ),
      0,
    ),
  );
  const inputIds = sequences.slice(1, 0, length);
  const { logits } = scope.run(() => model.forward({ inputIds }));
  return logits.slice(1, PROMPT - 1);
}

/** The step that reads a position first. */
const stepOf = (position: number): number => Math.max(0, position - PROMPT + 1);

const schedules: readonly (readonly [
  string,
  IntervenedGenerateOptions,
  (step: number, position: number, row: number) => boolean,
])[] = [
  ["decoding", { steps: "decoding" }, (step) => step > 0],
  ["the default", {}, (step) => step > 0],
  ["the prompt", { steps: "prompt" }, (step) => step === 0],
  ["all steps", { steps: "all" }, () => true],
  ["pyvene's name for all steps", { interveneOnPrompt: true }, () => true],
  ["one step", { steps: 3 }, (step) => step === 3],
  ["a range", { steps: { start: 2, end: 4 } }, (step) => step === 2 || step === 3],
  ["an open range", { steps: { start: 2 } }, (step) => step >= 2],
  ["a list", { steps: [0, { start: 4 }] }, (step) => step === 0 || step >= 4],
  ["a function", { steps: (step) => step % 2 === 0 }, (step) => step % 2 === 0],
  [
    "positions in some steps",
    { steps: [0, 2, 3], unitLocations: { base: [1, 4, 6, 7] } },
    (_, position) => [1, 4, 6, 7].includes(position),
  ],
  [
    "a position in the prompt",
    { steps: "prompt", unitLocations: { base: 0 } },
    (_, position) => position === 0,
  ],
  [
    "other positions in each row",
    { steps: "all", unitLocations: { base: [[1, 6], [5, 8]] } }, // prettier-ignore
    (_, position, row) => [[1, 6], [5, 8]][row]?.includes(position) === true, // prettier-ignore
  ],
];

describe.each([true, false])("with cache: %s", (useCache) => {
  test.each(schedules)("edits in %s", async (_, options, fires) => {
    const given = { ...options, useCache, sourceRepresentations: direction };
    const { sequences, logits } = await write(given);
    const wanted = slowLogits(sequences, (plain, row, at) =>
      fires(stepOf(at), at, row) ? plain.add(direction) : plain,
    );
    expect(await distance(logits, wanted)).toBeLessThan(2e-4);
    const plain = slowLogits(sequences, (y) => y);
    expect(await distance(logits, plain)).toBeGreaterThan(0.005);
  });

  test("another tensor in each step", async () => {
    const sourceRepresentations = (step: number): Tensor | null =>
      step === 2 ? null : direction.mul(step);
    const { sequences, logits } = await write({ useCache, sourceRepresentations });
    const wanted = slowLogits(sequences, (plain, _, at) =>
      stepOf(at) === 2 ? plain : plain.add(direction.mul(stepOf(at))),
    );
    expect(await distance(logits, wanted)).toBeLessThan(2e-4);
  });

  test("another source in each step", async () => {
    const interchange = new IntervenableModel(
      { ...place, intervention: VanillaIntervention },
      model,
    );
    const sources = [ids([9, 8, 7, 6], [1, 2, 3, 4]), ids([5, 5, 5, 5], [7, 6, 7, 6])] as const;
    const given = {
      useCache,
      sources: (step: number) => sources[step % 2 === 0 ? 0 : 1],
      steps: "all" as const,
      unitLocations: { "sources->base": { source: [0, 1, 2, 3], base: [1, 5, 6, 8] } } as const, // prettier-ignore
    };
    const { sequences, logits } = await write(given, interchange);
    const read = sources.map((inputs) => {
      let found = zeros([1]);
      const scope = new EditScope().on(mlp, "output", (y) => {
        found = y;
        return undefined;
      });
      scope.run(() => model.forward(inputs));
      return found;
    });
    const wanted = slowLogits(sequences, (plain, row, at) => {
      const unit = [1, 5, 6, 8].indexOf(at);
      return unit < 0 ? plain : (read[stepOf(at) % 2]?.select(0, row).select(0, unit) ?? plain);
    });
    expect(await distance(logits, wanted)).toBeLessThan(2e-4);
  });

  test("units of a source go to rows that read them in different steps", async () => {
    const interchange = new IntervenableModel(
      { ...place, intervention: VanillaIntervention },
      model,
    );
    const values = randn([2, 2, 24], { generator: new Generator(9) });
    const places = [[6, 1], [5, 8]]; // prettier-ignore
    const unitLocations = { base: places };
    const given = { useCache, steps: "all", unitLocations, sourceRepresentations: values } as const;
    const { sequences, logits } = await write(given, interchange);
    const wanted = slowLogits(sequences, (plain, row, at) => {
      const unit = places[row]?.indexOf(at) ?? -1;
      return unit < 0 ? plain : values.select(0, row).select(0, unit);
    });
    expect(await distance(logits, wanted)).toBeLessThan(2e-4);
  });

  test("whole heads in some steps", async () => {
    const heads = new IntervenableModel(
      { layer: 1, component: "head_value_output", unit: "h", intervention: AdditionIntervention },
      model,
    );
    const sourceRepresentations = direction.slice(0, 0, 6);
    const unitLocations = { base: [[1], [2]] };
    const given = { sourceRepresentations, unitLocations, steps: [0, 3], useCache };
    const { logits, sequences } = await write(given, heads);
    const byPosition = new IntervenableModel(
      {
        layer: 1,
        component: "head_value_output",
        unit: "h.pos",
        intervention: AdditionIntervention,
      },
      model,
    );
    const positions = [0, 1, 2, 3, 4, 7];
    const wanted = byPosition.forward(
      { inputIds: sequences.slice(1, 0, sequences.size(1) - 1) },
      {
        sourceRepresentations,
        unitLocations: {
          base: { head: [[1], [2]], position: positions },
        },
      },
    );
    expect(await distance(logits, wanted.intervened.logits.slice(1, PROMPT - 1))).toBeLessThan(
      2e-4,
    );
  });
});

describe.each([
  ["h.key", { base: { head: 1, key: [[2, 7], [0, 6]] } }], // prettier-ignore
  ["h.pos.key", { base: { head: [[1], [1]], position: [[4, 8], [8, 3]], key: [[2, 7], [0, 3]] } }], // prettier-ignore
] as const)("attention weights by %s", (unit, unitLocations) => {
  test("are edited from when their keys are there", async () => {
    const where = { layer: 1, component: "attention_weight", unit } as const;
    const intervention = (b: Tensor): Tensor => b.mul(0.25);
    const weights = new IntervenableModel<GPT2LMHeadModel>({ ...where, intervention }, model);
    const { sequences, logits } = await write({ steps: "all", unitLocations }, weights);
    const inputIds = sequences.slice(1, 0, sequences.size(1) - 1);
    const { intervened, original } = weights.forward({ inputIds }, { unitLocations });
    expect(await distance(logits, intervened.logits.slice(1, PROMPT - 1))).toBeLessThan(2e-4);
    expect(await distance(logits, original.logits.slice(1, PROMPT - 1))).toBeGreaterThan(0.001);
    const uncached = await write({ steps: "all", unitLocations, useCache: false }, weights);
    expect(await distance(logits, uncached.logits)).toBeLessThan(2e-4);
    const never = { base: { head: 1, key: [[2], [10]] } };
    if (unit === "h.key") {
      await expect(write({ steps: "all", unitLocations: never }, weights)).rejects.toThrow(
        /never fires: 6 new tokens never read a key at position 10/,
      );
    }
  });
});

test("each intervention has its own steps", async () => {
  const two = new IntervenableModel(
    [place, { layer: 0, component: "block_output" } as const].map((where) => ({
      ...where,
      intervention: CollectIntervention,
    })),
    model,
  );
  const [late = "", early = ""] = two.names;
  const steps = { [late]: "prompt", [early]: [1, { start: 4 }] } as const;
  const { collectedByName } = await two.generate(prompts, { ...settings, steps });
  expect(collectedByName[late]?.map(({ shape }) => shape)).toEqual([[2, 5, 24]]);
  expect(collectedByName[early]?.map(({ shape }) => shape[1])).toEqual([1, 1, 1]);
});

test("a function is asked once for each step, before anything runs", async () => {
  const asked: number[] = [];
  resetStats();
  const steps = (step: number): boolean => {
    expect(runtimeStats().runs).toBe(0);
    asked.push(step);
    return true;
  };
  await write({ steps, sourceRepresentations: direction });
  expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
});

const wrong: readonly (readonly [name: string, options: object, message: RegExp])[] = [
  ["a word that is none", { steps: "decode" }, /steps must be "decoding", "prompt", "all"/],
  ["a step before the first", { steps: -1 }, /a step is a whole number of 0 or more, got -1/],
  ["a step that is not whole", { steps: [0, 1.5] }, /got 1.5/],
  [
    "a step after the last",
    { steps: [0, 6] },
    /never fires in step 6: 6 new tokens take .* 0 to 5/,
  ],
  [
    "a range after the last",
    { steps: { start: 6 } },
    /never fires: 6 new tokens take the steps 0 to 5/,
  ],
  ["an empty range", { steps: { start: 3, end: 3 } }, /from 3 to before 3 are none/],
  ["an empty list", { steps: [] }, /never fires/],
  ["a range with another field", { steps: [{ from: 1 }] }, /steps must be/],
  ["a function that never says yes", { steps: () => false }, /never fires/],
  ["a function that says something else", { steps: () => 1 }, /return true or false, got number/],
  [
    "steps for an unknown name",
    { steps: { layer_0: "all" } },
    /steps: there is no intervention "layer_0"; did you mean/,
  ],
  ["null", { steps: null }, /steps must be/],
  [
    "both names",
    { steps: "all", interveneOnPrompt: true },
    /steps or interveneOnPrompt, and not both/,
  ],
  [
    "a position that is read in another step",
    { steps: [0, 3], unitLocations: { base: [1, 6] } },
    /position 6 is read in step 2, which is not among its steps/,
  ],
  [
    "the prompt's first position while decoding",
    { steps: "decoding", unitLocations: { base: 0 } },
    /position 0 is read in step 0/,
  ],
  [
    "a single new token",
    { maxNewTokens: 1 },
    /never fires: a single new token comes from the prompt/,
  ],
  ["settings that cannot be", { temperature: 0 }, /temperature must be a number above 0/],
  ["a text that is too long", { maxNewTokens: 100 }, /more than the model's 32 positions/],
  [
    "nothing but steps without a source",
    { sourceRepresentations: () => null },
    /never fires: the function gives it no source in any/,
  ],
  [
    "no source in any step",
    { sourceRepresentations: () => undefined },
    /AdditionIntervention needs a source/,
  ],
];

test.each(wrong)("refuses %s before anything runs", async (_, options, message) => {
  const given = { ...settings, sourceRepresentations: direction, ...options };
  resetStats();
  await expect(steering.generate(prompts, given)).rejects.toThrow(message);
  expect(runtimeStats().runs).toBe(0);
});

test("refuses steps that never come before a source is run", async () => {
  const interchange = new IntervenableModel({ ...place, intervention: VanillaIntervention }, model);
  const sources = ids([9, 8, 7, 6], [1, 2, 3, 4]);
  const unitLocations = { "sources->base": { source: [0], base: [6] } } as const;
  resetStats();
  const call = interchange.generate(prompts, { ...settings, sources, unitLocations, steps: 3 });
  await expect(call).rejects.toThrow(/position 6 is read in step 2/);
  expect(runtimeStats().runs).toBe(0);
});
