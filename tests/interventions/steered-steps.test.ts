import { readdirSync } from "node:fs";
import {
  AdditionIntervention,
  AutoModelForCausalLM,
  type CausalLanguageModel,
  type CausalLMInputs,
  type CausalLMOutput,
  CollectIntervention,
  evaluate,
  FeaturizedIntervention,
  Generator,
  GPT2LMHeadModel,
  type IntervenedGenerateOptions,
  IntervenableModel,
  type InterventionFunction,
  LoreftIntervention,
  NoiseIntervention,
  randn,
  type RepresentationConfig,
  resetStats,
  RotatedSpaceIntervention,
  runtimeStats,
  type Tensor,
  tensor,
  VanillaIntervention,
  ZeroIntervention,
} from "tsvene";
import { describe, expect, test } from "vitest";
import { golden } from "../models/checkpoints.ts";
import { ids, TINY, tinyGpt2 } from "./tiny-gpt2.ts";

// Steps with the library's edits are traced once for many. A function may do something else each time that
// it is called, so that steps with one are traced one by one: what both give must be the same.

const model = tinyGpt2(3);
const prompts = ids([3, 1, 4, 1, 5], [2, 7, 1, 8, 2]);
const settings = { maxNewTokens: 12, eosTokenId: null } as const;
const drawn = (...shape: number[]): Tensor => randn(shape, { generator: new Generator(7) });
const direction = drawn(24).mul(3);

type Edit = NonNullable<RepresentationConfig["intervention"]>;
type Component = "mlp_output" | "block_output" | "attention_weight";

const at = (
  layer: number,
  intervention: Edit,
  component: Component = "mlp_output",
): RepresentationConfig<Component> => ({ layer, component, intervention });

const adding: InterventionFunction = (base, source) => base.add(source);

type Options = IntervenedGenerateOptions;

async function logitsOf(
  steered: IntervenableModel<CausalLanguageModel>,
  options: Options,
  prompt: Parameters<CausalLanguageModel["generate"]>[0] = prompts,
): Promise<Tensor[]> {
  const given = { ...settings, outputLogits: true, ...options };
  return [...((await steered.generate(prompt, given)).intervened.logits ?? [])];
}

/** Largest difference of all steps. */
async function distance(a: readonly Tensor[], b: readonly Tensor[]): Promise<number> {
  expect(a.length).toBe(b.length);
  const all = a.map((t, i) => t.sub(b[i] ?? NaN).abs().amax().item()); // prettier-ignore
  return Math.max(...(await Promise.all(all)));
}

class Counting extends GPT2LMHeadModel {
  calls = 0;
  override forward(inputs: CausalLMInputs): CausalLMOutput {
    this.calls++;
    return super.forward(inputs);
  }
}

function counting(): Counting {
  const counted = new Counting(TINY).eval();
  counted.loadStateDict(model.stateDict());
  return counted;
}

describe("steps with edits are traced once for many", () => {
  const kinds: readonly (readonly [string, Options])[] = [
    ["constant", { sourceRepresentations: direction }],
    ["of a strength", { sourceRepresentations: direction, strength: 0.5 }],
    ["of a schedule", { sourceRepresentations: (step) => direction.mul(1 / step) }],
    ["of a schedule of strengths", { sourceRepresentations: direction, strength: (s) => 1 / s }],
    ["in some steps", { sourceRepresentations: direction, steps: [2, { start: 4, end: 9 }] }],
    ["in every other step", { sourceRepresentations: direction, steps: (step) => step % 2 === 1 }],
    ["for beams", { sourceRepresentations: direction, numBeams: 3 }],
    ["for drawn texts", { sourceRepresentations: direction, doSample: true, seed: 3 }],
    ["at every new token", { sourceRepresentations: direction, unitLocations: { base: 0 } }],
    ["of sources", { sources: ids([9, 8, 7], [1, 2, 3]), unitLocations: { "sources->base": { source: 1, base: 0 } } }], // prettier-ignore
  ];

  test.each(kinds)("%s", async (_, options) => {
    const counted = counting();
    const steered = new IntervenableModel([at(0, AdditionIntervention), at(2, AdditionIntervention)], counted); // prettier-ignore
    const onceAndAgain: number[] = [];
    for (const maxNewTokens of [12, 12, 27]) {
      counted.calls = 0;
      await steered.generate(prompts, { ...settings, ...options, maxNewTokens });
      onceAndAgain.push(counted.calls);
    }
    // The prompt, a rehearsal, and at first traces to compare with; a source; each kind of steps.
    const [first = 0, again = 0, longer = 0] = onceAndAgain;
    expect(first).toBeLessThanOrEqual(10);
    expect(again).toBeLessThanOrEqual(6);
    expect(longer).toBeLessThanOrEqual(10);
    expect(
      await distance(
        await logitsOf(steered, options),
        await logitsOf(new IntervenableModel([at(0, adding), at(2, adding)], model), options),
      ),
    ).toBeLessThan(2e-5);
  });

  const library: readonly (readonly [string, () => RepresentationConfig<Component>, Options])[] = [
    ["ZeroIntervention", () => at(1, ZeroIntervention), {}],
    ["NoiseIntervention", () => at(1, NoiseIntervention), {}],
    ["VanillaIntervention", () => at(1, VanillaIntervention), { sourceRepresentations: direction }],
    ["RotatedSpaceIntervention", () => at(1, RotatedSpaceIntervention.with({ interchangeDim: 3 })), { sourceRepresentations: direction }], // prettier-ignore
    ["LoreftIntervention", () => at(1, LoreftIntervention.with({ lowRankDimension: 4 })), {}],
    ["FeaturizedIntervention", () => at(1, FeaturizedIntervention.with({ featurizer: { kind: "directions", rank: 4 } })), { sourceRepresentations: direction }], // prettier-ignore
    ["subspaces", () => at(1, AdditionIntervention), { sourceRepresentations: direction, subspaces: [1, 5] }], // prettier-ignore
  ];

  test.each(library)("%s", async (_, config, options) => {
    const steered = new IntervenableModel(config(), model);
    const [own] = Object.values(steered.interventions).filter((value) => typeof value === "object");
    expect(own).toBeDefined();
    const target = [...steered.interventions.namedChildren()][0]?.[1];
    // The same intervention by way of a function, which nobody can say of that it is always the same.
    const same: InterventionFunction = (base, source, subspaces) => {
      const made = (target as ZeroIntervention).forward(base, source, { subspaces });
      return made instanceof Object && "output" in made
        ? (made as { output: Tensor }).output
        : made;
    };
    const eachStep = new IntervenableModel(at(1, same), model);
    const gap = await distance(await logitsOf(steered, options), await logitsOf(eachStep, options));
    expect(gap).toBeLessThan(2e-5);
  });

  test("with other vectors in the same program, however many are written at a time", async () => {
    const steered = new IntervenableModel([at(0, AdditionIntervention), at(2, AdditionIntervention)], model); // prettier-ignore
    const scales = Array.from({ length: 50 }, (_, i) => i / 25 - 1);
    const write = (scale: number): Promise<number[][]> =>
      steered
        .generate(prompts, { ...settings, sourceRepresentations: direction.mul(scale) })
        .then(({ intervened }) => intervened.sequences.toArray());
    await write(0.3);
    resetStats();
    const together = await Promise.all(scales.map(write));
    expect(runtimeStats().programsCompiled).toBe(0);
    for (const [i, scale] of scales.entries()) expect(together[i]).toEqual(await write(scale));
    // Vectors that interventions hold themselves are no part of it either.
    resetStats();
    for (const scale of [0.25, -0.5]) {
      const vector = direction.mul(scale);
      await evaluate(vector);
      const own = { intervention: AdditionIntervention.with({ sourceRepresentation: vector }) };
      const held = new IntervenableModel([0, 2].map((layer) => ({ ...at(layer, AdditionIntervention), ...own })), model); // prettier-ignore
      const { intervened } = await held.generate(prompts, settings);
      expect(await intervened.sequences.toArray()).toEqual(await write(scale));
    }
    expect(runtimeStats().programsCompiled).toBeLessThanOrEqual(1);
  });
});

const families = readdirSync(golden(""), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

async function writer(name: string): Promise<CausalLanguageModel | undefined> {
  try {
    return await AutoModelForCausalLM.fromPretrained(golden(name));
  } catch {
    return undefined;
  }
}

/** Where families without such a block in the text have something of the kind. */
const COMPONENTS: Readonly<Record<string, string>> = {
  gru_lm: "cell_output",
  backpack_gpt2: "sense_network_output",
  mllama: "language.block_output",
};

test.each(families)("steered steps of %s", async (name) => {
  const family = await writer(name);
  if (family === undefined) return;
  const options = { sourceRepresentations: tensor(0.7), maxNewTokens: 8 };
  const steered = (edit: Edit): Promise<Tensor[]> => {
    const component = COMPONENTS[name] ?? "block_output";
    const edited = new IntervenableModel<CausalLanguageModel>({ ...at(0, edit), component }, family); // prettier-ignore
    return logitsOf(edited, options, ids([5, 9, 3]));
  };
  expect(await distance(await steered(AdditionIntervention), await steered(adding))).toBeLessThan(1e-4); // prettier-ignore
});

describe("steps that differ are traced by themselves", () => {
  test("a function is called once for each step", async () => {
    let calls = 0;
    const tiring: InterventionFunction = (base) => (calls++ < 3 ? base.mul(0) : undefined);
    await new IntervenableModel(at(1, tiring), model).generate(prompts, settings);
    expect(calls).toBe(11);
  });

  test("keys of attention weights are counted without padding", async () => {
    const weights = (edit: Edit) =>
      new IntervenableModel({ ...at(1, edit, "attention_weight"), unit: "h" }, model);
    const zero: InterventionFunction = (base) => base.mul(0);
    const options = { unitLocations: { base: 1 } };
    const once = await logitsOf(weights(ZeroIntervention), options);
    expect(await distance(once, await logitsOf(weights(zero), options))).toBeLessThan(2e-5);
  });
});

test("what is collected in steps made ahead is that of the steps that were taken", async () => {
  const reading = new IntervenableModel([at(1, CollectIntervention), at(2, AdditionIntervention)], model); // prettier-ignore
  const sourceRepresentations = [null, direction];
  const single = ids([3, 1, 4, 1, 5]);
  const whole = await reading.generate(single, { ...settings, sourceRepresentations });
  const [row = []] = await whole.intervened.sequences.toArray();
  const eosTokenId = row[5 + 6] ?? 0;
  const count = row.slice(5).indexOf(eosTokenId);
  const options = { ...settings, eosTokenId, padTokenId: 0, sourceRepresentations };
  const { collected } = await reading.generate(single, options);
  expect(collected.length).toBe(count);
  expect(collected.every(({ shape }) => shape.join() === "1,1,24")).toBe(true);
  expect(await distance(collected, whole.collected.slice(0, count))).toBe(0);
});

test("a text goes on with what interventions hold when it is read", async () => {
  const rotated = new IntervenableModel(at(1, RotatedSpaceIntervention.with({ interchangeDim: 2 })), model); // prettier-ignore
  const [parameter] = rotated.trainableParameters();
  if (parameter === undefined) throw new Error("it learns a rotation");
  const before = parameter.value;
  const write = async (change: boolean): Promise<number[]> => {
    parameter.set(before);
    const tokens: number[] = [];
    // Logits are asked for so that no step is made ahead.
    const options = { ...settings, sourceRepresentations: direction.mul(5), outputLogits: true };
    for await (const step of rotated.stream(ids([3, 1, 4]), options)) {
      tokens.push(...((await step.logits?.toArray(2)) ?? []).flat());
      if (change && step.index === 5) parameter.set(before.mul(-1).add(drawn(24, 24)));
    }
    return tokens;
  };
  const [same, other] = [await write(false), await write(true)];
  expect(other.slice(0, 6 * 64)).toEqual(same.slice(0, 6 * 64));
  expect(other).not.toEqual(same);
});

describe("a source that does not fit a decoding step is refused before anything runs", () => {
  const vanilla = new IntervenableModel(at(1, VanillaIntervention), model);
  const refused: readonly (readonly [string, Options])[] = [
    ["of the prompt's length", { sourceRepresentations: drawn(2, 5, 24) }],
    ["of another width", { sourceRepresentations: drawn(7) }],
    ["in a later step", { sourceRepresentations: (step) => drawn(step === 9 ? 7 : 24) }],
    ["that is read in a run", { sources: ids([9, 8, 7], [1, 2, 3]) }],
    ["without a cache", { sourceRepresentations: drawn(7), useCache: false }],
    ["for beams", { sourceRepresentations: drawn(2, 5, 24), numBeams: 2 }],
    ["at a place after the prompt", { sourceRepresentations: drawn(2, 1, 7), unitLocations: { base: 9 } }], // prettier-ignore
  ];

  test.each(refused)("%s", async (_, options) => {
    resetStats();
    await expect(vanilla.generate(prompts, { ...settings, ...options })).rejects.toThrow(
      /layer 1 mlp_output.*source of shape .* does not fit a base of/,
    );
    expect(runtimeStats().runs).toBe(0);
  });

  test("and so is a strength that is no number", async () => {
    resetStats();
    const options = { ...settings, sourceRepresentations: direction, strength: (s: number) => 1 / (s - 4) }; // prettier-ignore
    await expect(vanilla.generate(prompts, options)).rejects.toThrow(
      "strength must be a finite number, got Infinity in step 4",
    );
    expect(runtimeStats().runs).toBe(0);
  });
});
