import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLanguageModel,
  chooseDirection,
  CollectIntervention,
  evaluate,
  GPT2LMHeadModel,
  IntervenableModel,
  type Module,
  type PreTrainedTokenizer,
  Steering,
  steeringVector,
  type SteeringMethod,
  type Tensor,
  tensor,
  toSvg,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";

let model: CausalLanguageModel;
let tokenizer: PreTrainedTokenizer;

const about = (country: string): string[] =>
  ["capital", "language", "food", "king"].map((what) => `The ${what} of ${country}`);
const texts = { positive: about("Italy"), negative: about("Spain") };
const METHODS: readonly SteeringMethod[] = ["meanDifference", "pca", "probe", "lda"];

beforeAll(async () => {
  model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
  tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
});

async function furthest(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

/** A vector as if it had been found in a model. */
function given<M extends Module>(of: M, values: readonly number[]): Steering<M> {
  const vectors = [{ site: { layer: 0 }, vector: tensor([...values]), sd: 1, separability: 1 }];
  const origin = { method: "meanDifference", positive: 1, negative: 1 } as const;
  return new Steering({ model: of, origin, axes: [{ name: "layer", values: [0] }], vectors });
}

describe("vectors", () => {
  test.each(METHODS)("by %s lead the other way when the texts change places", async (method) => {
    const sites = { component: "block_output", layer: 1 };
    const there = await steeringVector(model, { tokenizer, ...texts, sites, method });
    const back = await steeringVector(model, {
      tokenizer,
      positive: texts.negative,
      negative: texts.positive,
      sites,
      method,
    });
    expect(await furthest(there.vector, back.vector.neg())).toBeLessThan(1e-5);
    expect(there.separability.valueAt({})).toBe(1);
  });

  test("the mean difference is that of the states", async () => {
    const site = { layer: 2, component: "mlp_output" } as const;
    const { vector } = await steeringVector(model, { tokenizer, ...texts, sites: site });
    const reader = new IntervenableModel({ ...site, intervention: CollectIntervention }, model);
    const mean = (of: readonly string[]): Tensor => {
      const [read] = reader.forward(tokenizer.tokenize([...of], { padding: true }), {
        unitLocations: { base: "last" },
      }).collected;
      return (read as Tensor).mean({ dim: [0, 1] });
    };
    const wanted = mean(texts.positive).sub(mean(texts.negative));
    expect(await furthest(vector, wanted)).toBeLessThan(1e-5);
  });

  test("where texts do not differ there is no vector, and nothing is told", async () => {
    const found = await steeringVector(model, {
      tokenizer,
      positive: ["Italy is", "Rome is"],
      negative: ["Spain is", "Paris is"],
      sites: { component: "block_input", layer: "all" },
    });
    expect(found.lengths.valueAt({ layer: 0 })).toBe(0);
    expect(found.separability.valueAt({ layer: 0 })).toBe(0.5);
    expect(found.lengths.valueAt({ layer: 1 })).toBeGreaterThan(0);
  });

  test("of heads are added to what the heads of a layer give together", async () => {
    const heads = await steeringVector(model, {
      tokenizer,
      ...texts,
      sites: { component: "head_attention_value_output", layer: [0, 2], head: "all" },
      method: "probe",
    });
    expect(heads.separability.shape.filter((size) => size > 1)[0]).toBe(2);
    const best = heads.best(3);
    expect(best.vectors).toHaveLength(3);
    const steered = best.intervention({ strength: 15, scale: "sd" });
    const added = [...steered.interventions].flatMap(([, { sourceRepresentation }]) => {
      const values = sourceRepresentation?.value.values ?? [];
      return Array.from<number | bigint, number>(values, Number).filter((value) => value !== 0);
    });
    const square = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value * value, 0);
    expect(Math.sqrt(square(added))).toBeCloseTo(
      15 * Math.sqrt(square(best.vectors.map(({ sd }) => sd))),
      3,
    );
    const place = { layer: 2, component: "head_attention_value_output", unit: "h" } as const;
    const one = heads.at({ layer: 2, head: 1 });
    const inputs = tokenizer.tokenize("The capital of Spain is");
    const whole = one.intervention({ strength: 4 }).forward(inputs).intervened.logits;
    const alone = new IntervenableModel(
      { ...place, intervention: (base: Tensor) => base.add(one.vector.mul(4)) },
      model,
    ).forward(inputs, { unitLocations: { base: 1 } }).intervened.logits;
    expect(await furthest(whole, alone)).toBeLessThan(1e-4);
  });
});

describe("interventions", () => {
  test("the mean of a text's tokens is read, beside single ones, of texts of any length", async () => {
    const positive = ["The capital of Italy", "Italy"];
    const negative = ["Everybody knows that Spain", "The king"];
    const reader = new IntervenableModel({ layer: 0, intervention: CollectIntervention }, model);
    const meanOf = async (text: string): Promise<Tensor> => {
      const { collected } = reader.forward(tokenizer.tokenize(text), {
        unitLocations: { base: "all" },
      });
      return (collected[0] as Tensor).mean({ dim: [0, 1] });
    };
    const [a, b, c, d] = await Promise.all([...positive, ...negative].map(meanOf));
    const wanted = (a as Tensor)
      .add(b as Tensor)
      .sub(c as Tensor)
      .sub(d as Tensor)
      .div(2);
    const asked = { tokenizer, positive, negative, sites: { layer: 0 } };
    const { vector } = await steeringVector(model, { ...asked, read: "mean" });
    expect(await furthest(vector, wanted)).toBeLessThan(1e-5);
    const both = await steeringVector(model, { ...asked, read: ["last", "mean"] });
    expect(both.vectors.map(({ site }) => site["position"])).toEqual(["last", "mean"]);
    const { vector: last } = await steeringVector(model, asked);
    for (const [i, wanted] of [last, vector].entries()) {
      const own = both.vectors[i]?.vector as Tensor;
      expect(await own.sub(wanted).abs().max().item()).toBeLessThan(1e-6);
    }
  });

  test("steer what is written; with strength 0 the text is as it was, and saved they are the same", async () => {
    const found = await steeringVector(model, { tokenizer, ...texts, sites: { layer: 1 } });
    const steered = found.intervention({ strength: 2, about: { note: "towards Italy" } });
    const prompt = tokenizer.tokenize("The capital of Spain is");
    const writing = { maxNewTokens: 6, steps: "all", eosTokenId: null } as const;
    const write = async (of: typeof steered, strength: number): Promise<string> => {
      const { intervened } = await of.generate(prompt, {
        ...writing,
        strength,
      });
      return tokenizer.decode((await intervened.sequences.toArray())[0] ?? []);
    };
    const { sequences } = await model.generate(prompt, { maxNewTokens: 6, eosTokenId: null });
    expect(await write(steered, 0)).toBe(tokenizer.decode((await sequences.toArray())[0] ?? []));
    expect(await write(steered, 1)).toContain("Rome");
    const directory = await mkdtemp(join(tmpdir(), "steering-"));
    await steered.save(directory);
    const same = await IntervenableModel.load(directory, model);
    expect(await write(same, 1)).toBe(await write(steered, 1));
    expect(same.config.about).toEqual(steered.config.about);
    expect(same.config.about).toMatchObject({
      note: "towards Italy",
      steering: {
        does: "add",
        method: "meanDifference",
        positive: 4,
        strength: 2,
        scale: "raw",
        vectors: [{ read: { layer: 1, position: "last" }, separability: 1 }],
      },
    });
  });

  test.each(["gpt2", "llama", "gemma2", "falcon", "opt", "mamba", "gpt_neox"])(
    "nothing is left along an ablated direction in %s",
    async (name) => {
      const own: Module =
        name === "gpt2"
          ? new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval()
          : await AutoModelForCausalLM.fromPretrained(golden(name));
      const sites = { component: "block_output", layer: "all" } as const;
      const probe = new IntervenableModel({ ...sites, layer: 0, intervention: CollectIntervention }, own); // prettier-ignore
      const inputs = { inputIds: tensor([[3, 5, 4, 7]], { dtype: "int64" }) };
      const [state] = probe.forward(inputs).collected;
      const width = (state as Tensor).size(-1);
      const direction = Array.from({ length: width }, (_, i) => Math.sin(i + 1));
      const ablated = given(own, direction).ablation();
      const layers = new Set(ablated.config.representations.map(({ layer }) => layer));
      const read = new IntervenableModel(
        [
          ...ablated.config.representations.map(({ name, layer, component }) => ({
            layer,
            component,
            intervention: ablated.interventions.get(name),
          })),
          ...[...layers].map((layer) => ({
            layer,
            component: "block_output",
            intervention: CollectIntervention,
          })),
        ],
        own,
      );
      const { collected, intervened } = read.forward(inputs);
      await evaluate(...collected);
      const unit = tensor(direction).div(Math.hypot(...direction));
      for (const states of collected) {
        const size = await states.square().sum({ dim: -1 }).sqrt().amax().item();
        const along = await states.matmul(unit).abs().amax().item();
        expect(along).toBeLessThan(1e-5 * Math.max(1, size));
      }
      expect((intervened as { logits: Tensor }).logits.shape.at(-1)).toBeGreaterThan(1);
    },
  );

  test("taking a direction out is taking it out of every matrix that writes", async () => {
    const settings = { nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20, tieWordEmbeddings: false };
    const plain = new GPT2LMHeadModel(settings).eval();
    const without = new GPT2LMHeadModel(settings).eval();
    const direction = Array.from({ length: 16 }, (_, i) => Math.cos(i));
    const unit = tensor(direction).div(Math.hypot(...direction));
    const state = plain.stateDict();
    // In checkpoints, the rows of all that writes are in the residual stream.
    const orthogonal = Object.entries(state).map(([name, weight]) => {
      const writes = /wte|wpe|c_proj/.test(name);
      const along = (): Tensor => weight.matmul(unit).unsqueeze(-1).mul(unit);
      return [name, writes ? weight.sub(along()) : weight] as const;
    });
    await evaluate(...orthogonal.map(([, weight]) => weight));
    without.loadStateDict(Object.fromEntries(orthogonal));
    const inputs = { inputIds: tensor([[3, 5, 4, 7, 1]], { dtype: "int64" }) };
    const ablated = given(plain, direction).ablation().forward(inputs);
    const wanted = (without.forward(inputs) as { logits: Tensor }).logits;
    const { logits } = ablated.intervened as { logits: Tensor };
    expect(await furthest(logits, wanted)).toBeLessThan(1e-5);
    expect(await furthest(logits, (plain.forward(inputs) as { logits: Tensor }).logits)).toBeGreaterThan(1e-3); // prettier-ignore
  });
});

describe("mistakes are refused before anything runs", () => {
  const ask = (options: object) => () =>
    untyped(steeringVector)(model, { tokenizer, ...texts, sites: { layer: 1 }, ...options });
  refusesEach([
    [
      "no tokenizer",
      ask({ tokenizer: undefined }),
      /the option tokenizer is what texts are read with/,
    ],
    ["no texts", ask({ positive: [] }), /needs 1 texts of each kind/],
    ["no pairs", ask({ method: "pca", negative: ["a"] }), /takes pairs: 4 positive and 1 negative/],
    ["a method", ask({ method: "mean" }), /method must be one of/],
    ["another axis", ask({ sites: { layer: 1, position: 2 } }), /there is no option position/],
    ["no such layer", ask({ sites: { layer: 99 } }), /99/],
    ["no position", ask({ read: "first" }), /read must be positions/],
    ["one fold", ask({ folds: 1 }), /folds must be/],
  ]);

  test("and so are choices that were not made", async () => {
    const sites = { layer: [0, 1] } as const;
    const several = await steeringVector(model, { tokenizer, ...texts, sites });
    expect(() => several.vector).toThrow(/there are 2; choose/);
    expect(() => several.ablation()).toThrow(/there are 2; choose/);
    expect(() => several.best(3)).toThrow(/from 1 to the 2 vectors/);
    expect(() => several.intervention({ strength: NaN })).toThrow(/finite number/);
    const asked = { ...texts, sites: { layer: 1 }, read: [-1, -2] } as const;
    const twice = await steeringVector(model, { tokenizer, ...asked });
    expect(() => twice.intervention()).toThrow(/several vectors are at/);
    expect(
      () =>
        new IntervenableModel({ representations: { layer: 0 }, about: { at: new Date() } }, model),
    ).toThrow(/about must be an object/);
  });
});

describe("a direction is chosen", () => {
  const [heldOut, others] = [["The capital of Italy is"], ["The capital of Spain is"]];
  const ask = { positive: heldOut, negative: others, says: " Rome" };

  test("among layers and positions, by what it does taken out and added", async () => {
    const candidates = await steeringVector(model, {
      tokenizer,
      positive: ["language", "food"].map((what) => `The ${what} of Italy is`),
      negative: ["language", "food"].map((what) => `The ${what} of Spain is`),
      sites: { component: "block_input", layer: [0, 1, 3, 4] },
      read: [-2, -1],
    });
    const choice = await chooseDirection(candidates, {
      ...ask,
      tokenizer,
      maxKl: 3,
      minInduced: -4,
    });
    expect(choice.ablated.axes.map(({ name }) => name)).toEqual(
      candidates.separability.axes.map(({ name }) => name),
    );
    // Of the last layer of five none may be chosen, and none that changes what is said of others.
    for (const { at, value } of choice.allowed.entries()) {
      const fits = choice.kl.valueAt(at) <= 3 && choice.induced.valueAt(at) >= -4;
      expect(value).toBe(Number(fits && at["layer"] !== 4));
    }
    expect(choice.kl.valueAt({ layer: 0, position: -1 })).toBeNaN();
    const [first, ...rest] = choice.ranked();
    expect(rest.every(({ value }) => value >= (first?.value ?? NaN))).toBe(true);
    expect(choice.best.vectors[0]?.site).toMatchObject(first?.at ?? {});
    const batch = tokenizer.tokenize(heldOut);
    const { logits } = choice.best.ablation().forward(batch).intervened;
    const id = tokenizer.encode(" Rome")[0] ?? 0;
    const p = await logits.select(1, -1).softmax(-1).select(1, id).toArray(1);
    const odds = p.map((value) => Math.log(value / (1 - value)));
    const mean = odds.reduce((sum, value) => sum + value, 0) / odds.length;
    expect(first?.value).toBeCloseTo(mean, 2);
    expect(String(choice)).toMatch(/log odds of.*taken out.*added.*KL/);
    expect((await toSvg(choice.plot())).length).toBeGreaterThan(1000);
  });

  refusesEach([
    [
      "where none is allowed",
      async () => {
        const options = { ...ask, tokenizer, maxKl: 0 };
        return (await chooseDirection(given(model, Array(112).fill(1) as number[]), options)).best;
      },
      /no candidate is allowed/,
    ],
    [
      "of what are no vectors",
      () => untyped({ chooseDirection }).chooseDirection(model, { ...ask, tokenizer }),
      /first vectors, as steeringVector finds them/,
    ],
    [
      "with an answer of several tokens",
      () =>
        chooseDirection(given(model, Array(112).fill(1) as number[]), {
          ...ask,
          tokenizer,
          says: " Rome Madrid",
        }),
      /one token was expected/,
    ],
    [
      "of no layers",
      () =>
        chooseDirection(given(model, Array(112).fill(1) as number[]), {
          ...ask,
          tokenizer,
          deepest: 2,
        }),
      /deepest is a share of the layers/,
    ],
  ]);
});
