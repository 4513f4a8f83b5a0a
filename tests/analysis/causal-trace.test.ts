import { beforeAll, describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLanguageModel,
  causalTrace,
  contrastPairs,
  type Effects,
  type PreTrainedTokenizer,
  type SiteGrid,
  sweep,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";

let model: CausalLanguageModel;
let tokenizer: PreTrainedTokenizer;

const PROMPT = { prompt: "You can see the Eiffel Tower in", subject: "Eiffel Tower" };

beforeAll(async () => {
  model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
});

describe("causalTrace", () => {
  test("the answer comes back early at the subject, and late at the end", async () => {
    const traced = await causalTrace(model, PROMPT, { tokenizer, draws: 4 });
    expect(traced.clean[0]).toBeGreaterThan(0.9);
    expect(traced.corrupt[0]).toBeLessThan(0.5);
    expect(traced.values.axes.map(({ name, values }) => [name, values.length])).toEqual([
      ["component", 3],
      ["layer", 5],
      ["position", 7],
      ["example", 1],
    ]);
    const states = traced.mean().at({ component: "block_output" });
    expect(states.valueAt({ layer: 4, position: 6 })).toBeCloseTo(traced.clean[0] ?? NaN, 3);
    expect(states.valueAt({ layer: 4, position: 4 })).toBeCloseTo(traced.corrupt[0] ?? NaN, 5);
    // What comes before the subject is as it was.
    expect(states.valueAt({ layer: 2, position: 1 })).toBeCloseTo(traced.corrupt[0] ?? NaN, 5);
  });

  test("without noise, every cell is as it was", async () => {
    const traced = await causalTrace(model, PROMPT, {
      tokenizer,
      scale: 0,
      draws: 1,
      components: ["block_output"],
    });
    expect(Math.max(...traced.change().values.map(Math.abs))).toBeLessThan(1e-5);
  });

  test("the subject given back where it enters is the clean run, as all positions of a layer are", async () => {
    const pairs = contrastPairs(tokenizer, [{ clean: PROMPT.prompt, right: " Paris" }], {
      positions: { subject: "Eiffel Tower" },
    });
    const corruption = { position: "subject", scale: 0.5, draws: 3 };
    const restored = async (sites: SiteGrid): Promise<Effects> =>
      sweep(model, pairs, { sites, corruption, metric: "probability" });
    const entering = { component: "block_input", layer: 0, position: "subject" };
    for (const sites of [entering, { component: "block_output", layer: [0, 3] }]) {
      const effects = await restored(sites);
      expect(effects.corrupt[0]).toBeLessThan(0.5);
      for (const value of effects.values.values) {
        expect(value).toBeCloseTo(effects.clean[0] ?? NaN, 5);
      }
    }
  });
});

describe("indirect objects in tsvene-mini", () => {
  test("three heads are needed, and no others", async () => {
    const names = ["Mary", "John", "Alice", "Tom", "Anna", "Mark"];
    const list = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const));
    const pairs = contrastPairs(
      tokenizer,
      list.map(([a, b]) => ({
        clean: `When ${a} and ${b} went to the store, ${b} gave a drink to`,
        corrupt: `When ${a} and ${b} went to the store, ${a} gave a drink to`,
        right: ` ${a}`,
        wrong: ` ${b}`,
      })),
    );
    const heads = await sweep(model, pairs, {
      sites: { component: "head_attention_value_output", layer: "all", head: "all" },
      direction: "noise",
    });
    const top = heads.change().ranked();
    const where = top.slice(0, 3).map(({ at }) => [at["layer"], at["head"]]);
    expect(where).toEqual([
      [2, 0],
      [3, 2],
      [3, 3],
    ]);
    expect(top[0]?.value).toBeLessThan(-12);
    expect(Math.abs(top[3]?.value ?? NaN)).toBeLessThan(0.5);
    const { low, high } = heads.changeInterval();
    expect(high.valueAt({ layer: 2, head: 0 })).toBeLessThan(0);
    expect(low.valueAt({ layer: 2, head: 0 })).toBeLessThan(top[0]?.value ?? NaN);
  });
});

describe("ablations", () => {
  const cities = { Spain: " Madrid", Italy: " Rome", France: " Paris", Japan: " Tokyo" };
  const sites = { component: "mlp_output", layer: [0, 4], position: [3, 4] };
  const pairsOf = (countries: readonly (keyof typeof cities)[]): ReturnType<typeof contrastPairs> =>
    contrastPairs(
      tokenizer,
      countries.map((country) => ({
        clean: `The capital of ${country} is`,
        corrupt: "The capital of Italy is",
        right: cities[country],
      })),
    );
  const run = async (
    countries: readonly (keyof typeof cities)[],
    source: object | string,
  ): Promise<Effects> =>
    sweep(model, pairsOf(countries), {
      sites,
      direction: "noise",
      metric: "probability",
      source: source as "zero",
    });

  test("the mean of one text is what that text gives", async () => {
    const mean = await run(["Spain"], { mean: "corrupt" });
    const patched = await run(["Spain"], "counterpart");
    mean.values.values.forEach((value, i) => {
      expect(value).toBeCloseTo(patched.values.values[i] ?? NaN, 6);
    });
    expect(Math.max(...mean.change().values.map(Math.abs))).toBeGreaterThan(0.01);
  });

  test("the mean over all is the same for each pair, and differs from zero and from others' states", async () => {
    const all = ["Spain", "Italy", "France", "Japan"] as const;
    const found = [
      await run(all, "zero"),
      await run(all, { mean: "clean" }),
      await run(all, { resample: "clean", draws: 2, seed: 3 }),
    ];
    const changes = found.map((effects) => effects.change().valueAt({ layer: 0, position: 4 }));
    expect(new Set(changes.map((value) => value.toFixed(3))).size).toBe(3);
    const again = await run(all, { resample: "clean", draws: 2, seed: 3 });
    expect(again.values.values).toEqual(found[2]?.values.values);
  });
});

describe("what is refused", () => {
  const call = untyped({ causalTrace }).causalTrace;
  refusesEach([
    ["a subject that is not there", () => call(model, { ...PROMPT, subject: "Rome" }, { tokenizer }), /Rome/],
    ["no component", () => call(model, PROMPT, { tokenizer, components: [] }), /components is empty/],
    ["an answer of several tokens", () => call(model, { ...PROMPT, answer: " Paris, France" }, { tokenizer }), /one token/],
    ["no tokenizer", () => call(model, PROMPT, {}), /the option tokenizer is what texts are read with/],
    ["an unknown option", () => call(model, PROMPT, { tokenizer, noise: 1 }), /noise/],
  ]); // prettier-ignore
  const patch = untyped({ sweep }).sweep;
  const pairs = (): unknown =>
    contrastPairs(tokenizer, [{ clean: PROMPT.prompt, right: " Paris" }]);
  const sites = { component: "block_output", layer: 0 };
  refusesEach([
    ["resampling of one pair", () => patch(model, pairs(), { sites, metric: "kl", source: { resample: "clean" } }), /several pairs/],
    ["an unknown source", () => patch(model, pairs(), { sites, source: "none" }), /"counterpart"/],
    ["noise put into the clean run", () => patch(model, pairs(), { sites, direction: "noise", corruption: { position: 0, scale: 1 } }), /"denoise"/],
    ["a scale below 0", () => patch(model, pairs(), { sites, corruption: { position: 0, scale: -1 } }), /scale/],
    ["zero with an intervention", () => patch(model, pairs(), { sites, source: "zero", intervention: {} }), /no intervention/],
  ]); // prettier-ignore
});
