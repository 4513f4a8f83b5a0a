import { describe, expect, test } from "vitest";
import {
  arange,
  attribute,
  type Attributed,
  type Attribution,
  AutoModelForCausalLM,
  type CausalLanguageModel,
  type ContrastData,
  EditScope,
  GPT2LMHeadModel,
  grad,
  type GradientRule,
  Linear,
  Module,
  type NamedArray,
  randn,
  sweep,
  type Tensor,
  where,
} from "tsvene";
import { cardOf } from "../../src/models/model/bound-card.ts";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { RESIDUAL_FAMILIES } from "./residual-families.ts";
import { indirectObjects } from "./indirect-objects.ts";
import { type Ids, tinyPairs } from "./tiny-pairs.ts";

const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
const pairs = tinyPairs();
const heads = { component: "head_attention_value_output", layer: "all", head: "all" } as const;

const total = ({ values }: NamedArray): number => values.reduce((a, b) => a + b, 0);

/** Estimates of a grid. */
async function estimate(
  model: Module,
  sites: Attribution["sites"],
  more: Omit<Attribution, "sites"> = {},
): Promise<NamedArray> {
  return (await attribute(model, pairs, { sites, ...more })).effects.change();
}

test.each(RESIDUAL_FAMILIES)("%s: heads and positions sum to the whole", async (name) => {
  const model = await AutoModelForCausalLM.fromPretrained(golden(name));
  const nodes = await estimate(model, "nodes");
  const layer = 1;
  const component = "attention_value_output";
  const byPosition = total(await estimate(model, { component, layer, position: "all" }));
  const own = nodes.entries().filter(({ at }) => JSON.stringify(at["node"]).startsWith('"a1.'));
  const sum = own.reduce((before, { value }) => before + value, 0);
  expect(Math.abs(sum - byPosition)).toBeLessThan(1e-5);
  expect(Math.abs(sum)).toBeGreaterThan(1e-6);
});

/** Two linear maps, one after the other. */
class Affine extends Module {
  readonly first = new Linear(4, 6);
  readonly second = new Linear(6, 3);
  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x));
  }
}

const vectors = ((): ContrastData<Tensor> => {
  const [clean, corrupt] = [randn([5, 4]), randn([5, 4])];
  return {
    length: 5,
    batch: (indices) => ({
      indices,
      clean: clean.indexSelect(0, [...indices]),
      corrupt: corrupt.indexSelect(0, [...indices]),
      right: indices.map(() => [0]),
      wrong: indices.map(() => [2]),
    }),
  };
})();

describe("a linear network", () => {
  const sites = {
    path: "first.output",
    dimensions: [{ from: 0, to: 2 }, [2, 5], [3], [4]],
  } as const;
  test.each(["noise", "denoise"] as const)("%s: estimates are exact", async (direction) => {
    const model = new Affine();
    for (const method of ["gradient", "integratedGradients"] as const) {
      const asked = { sites, direction, method, steps: 2 };
      const { effects, convergenceDelta } = await attribute(model, vectors, asked);
      const exact = await sweep(model, vectors, { sites, direction });
      const [a, b] = [effects.values.values, exact.values.values];
      expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))))).toBeLessThan(1e-5);
      for (const gap of convergenceDelta ?? []) expect(Math.abs(gap)).toBeLessThan(1e-5);
    }
  });
});

describe("integrated gradients", () => {
  const sites = { component: "block_input", layer: 0 } as const;
  const method = "integratedGradients";

  test.each(["gpt2", "llama", "gemma2", "bloom"])("%s: of the embeddings sum up", async (name) => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    for (const direction of ["noise", "denoise"] as const) {
      const asked = { sites, method, steps: 50, direction } as const;
      const { effects, convergenceDelta = [] } = await attribute(model, pairs, asked);
      const { clean, corrupt } = effects;
      const changes = clean.map((value, i) => Math.abs(value - (corrupt[i] ?? NaN)));
      const gaps = convergenceDelta.map(Math.abs);
      expect(Math.max(...gaps)).toBeLessThan(1e-3 * Math.max(...changes));
    }
  });

  test("the left rule takes in the corrupt end and not the clean one", async () => {
    const asked = { sites, method, steps: 1, rule: "left" } as const;
    const left = await estimate(gpt2, sites, asked);
    const atCorrupt = await estimate(gpt2, sites, { direction: "denoise" });
    expect(Math.abs(total(left) - total(atCorrupt))).toBeLessThan(1e-6);
  });

  test("numbers do not depend on how many pairs are computed together", async () => {
    const asked = { sites: heads, method, steps: 3 } as const;
    const all = (await attribute(gpt2, pairs, asked)).effects.values.values;
    const dones: number[] = [];
    const few = await attribute(gpt2, pairs, asked, {
      memoryBudget: 60_000,
      onProgress: (done) => dones.push(done),
    });
    expect(dones.length).toBeGreaterThan(1);
    const off = few.effects.values.values.map((value, i) => Math.abs(value - (all[i] ?? NaN)));
    expect(Math.max(...off)).toBeLessThan(1e-5);
  });
});

describe("AtP*", () => {
  test.each(["llama", "gpt_oss", "phi"])("%s: weights of other queries and keys", async (name) => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    for (const component of ["head_query_output", "head_key_output"]) {
      const sites = { component, layer: 1, head: "all", position: [2, 5] } as const;
      const asked = { sites, qkFix: true } as const;
      const fixed = (await attribute(model, pairs, asked)).effects.change();
      for (const position of sites.position) {
        const wanted = await byWeights(model, component, position);
        const found = fixed.at({ position }).values;
        wanted.forEach((value, head) => {
          expect(Math.abs((found[head] ?? NaN) - value)).toBeLessThan(1e-6);
        });
      }
    }
  });

  test("columns at all positions are a softmax of all keys", async () => {
    const llama = await AutoModelForCausalLM.fromPretrained(golden("llama"));
    const sites = { component: "head_key_output", layer: 1, head: "all" } as const;
    const everywhere: typeof pairs = { ...pairs, places: () => [0, 1, 2, 3, 4, 5] };
    const asked = { sites: { ...sites, position: "everywhere" }, qkFix: true } as const;
    const named = (await attribute(llama, everywhere, asked)).effects.change();
    const whole = await estimate(llama, sites, { qkFix: true });
    expect(total(named)).toBeCloseTo(total(whole), 6);
    expect(Math.abs(total(whole))).toBeGreaterThan(1e-6);
  });

  test("leaving layers out gives magnitudes; what is left out itself counts once less", async () => {
    const one = { ...pairs, length: 1 };
    const of = async (gradDrop: boolean): Promise<NamedArray> =>
      (await attribute(gpt2, one, { sites: "nodes", gradDrop })).effects.change();
    const [plain, dropped] = [await of(false), await of(true)];
    expect(Math.min(...dropped.values)).toBeGreaterThanOrEqual(-1e-9);
    const last = { node: "m2" };
    // Of three passes one is without it, and their sum is divided by two.
    expect(dropped.valueAt(last)).toBeCloseTo(Math.abs(plain.valueAt(last)), 6);
  });
});

test("importance is what the answer needs, whichever input is edited", async () => {
  const sites = { component: "block_input", layer: 0 } as const;
  const [noise, denoise] = await Promise.all(
    (["noise", "denoise"] as const).map(async (direction) => {
      const asked = { sites, direction, method: "integratedGradients", steps: 50 } as const;
      return total((await attribute(gpt2, pairs, asked)).effects.importance());
    }),
  );
  expect(noise).toBeCloseTo(denoise ?? NaN, 3);
});

test("a metric without a gradient at the base is refused", async () => {
  const sites = { component: "block_output", layer: "all" } as const;
  const asked = { sites, metric: "kl", direction: "noise" } as const;
  await expect(attribute(gpt2, pairs, asked)).rejects.toThrow("KL divergence is zero at the base");
  await attribute(gpt2, pairs, { ...asked, method: "integratedGradients" });
  await expect(attribute(gpt2, pairs, { sites, metric: "rank" })).rejects.toThrow("rank is zero");
});

describe("is refused", () => {
  const sites = { component: "block_output", layer: "all" } as const;
  const method = "integratedGradients";
  const ask =
    (asked: object, options: object = {}, model: Module = gpt2) =>
    (): unknown =>
      untyped(attribute)(model, pairs, { sites, ...asked }, options);
  refusesEach([
    ["qkFix elsewhere", ask({ qkFix: true }), /qkFix is of head_query_output/],
    ["nodes of no layers", ask({ sites: "nodes" }, {}, new Affine()), /has no residual stream/],
    ["no points", ask({ steps: 0 }), /steps must be a number of points/],
    ["gradDrop of many gradients", ask({ gradDrop: true, method }), /use method: "gradient"/],
    ["too small a budget", ask({}, { memoryBudget: 10 }), /one pair takes about/],
    ["an unknown option", ask({ mehtod: 1 }), /mehtod/],
    ["heads where none are", ask({ sites: { path: "transformer.h.0.output", head: [0] } }), /not split into heads/], // prettier-ignore
    ["time steps", ask({ sites: { component: "block_output", layer: 0, step: 1 } }), /time steps/],
  ]);
});

test("tsvene-mini: heads of indirect objects are found from gradients", async () => {
  const { model, pairs: prompts } = await indirectObjects(60);
  const found = async (asked: GradientRule): Promise<Attributed> =>
    attribute(model, prompts, { sites: heads, direction: "noise", ...asked }, { verify: 10 });
  const top = ({ effects, verified }: Attributed): void => {
    const ranked = effects.change().ranked().slice(0, 3);
    expect(ranked.map(({ at }) => at)).toMatchObject([
      { layer: 2, head: 0 },
      { layer: 3, head: 2 },
      { layer: 3, head: 3 },
    ]);
    const exact = verified?.cells.toSorted((x, y) => x.exact - y.exact).slice(0, 3) ?? [];
    expect(exact).toEqual(verified?.cells.slice(0, 3));
  };
  const plain = await found({});
  top(plain);
  expect(plain.verified?.cells.length).toBe(20);
  expect(plain.verified?.spearman).toBeGreaterThanOrEqual(0.95);
  expect(plain.verified?.largestMiss.at).toMatchObject({ layer: 2, head: 0 });
  const along = await found({ method: "integratedGradients", steps: 5 });
  top(along);
  expect(along.verified?.spearman).toBeGreaterThanOrEqual(0.9);
  for (const { estimate: own, exact } of along.verified?.cells.slice(0, 3) ?? []) {
    expect(Math.abs(own / exact - 1)).toBeLessThan(0.2);
  }
}, 60_000);

/** What a query or key of the source changes by the weights that it makes, by head. */
async function byWeights(model: Module, component: string, position: number): Promise<number[]> {
  const { clean, corrupt, right, wrong } = pairs.batch([0, 1, 2]);
  const at = (name: string): Module => {
    const path = cardOf(model)?.components.get(name)?.path.replace("{layer}", "1");
    return new Map(model.namedModules()).get(path ?? "") ?? model;
  };
  const run = (
    inputs: Ids,
    edit: (t: Tensor) => Tensor,
  ): Readonly<Record<"own" | "weights" | "logits", Tensor>> => {
    let [own, weights]: Tensor[] = [];
    const scope = new EditScope()
      .on(at(component), "output", (t) => edit((own = t)))
      .on(at("attention_weight"), "input", (t) => void (weights = t));
    const { logits } = scope.run(() => (model as CausalLanguageModel).forward(inputs));
    return { own: own ?? logits, weights: weights ?? logits, logits };
  };
  const [source, plain] = [run(clean, (t) => t), run(corrupt, (t) => t)];
  const isHere = arange(6).eq(position).reshape([1, 6, 1]);
  const other = run(corrupt, (t) => where(isHere, source.own, t));
  const logit = (id = 0): Tensor => plain.logits.select(1, -1).select(1, id);
  const [g] = grad(logit(right[0]?.[0]).sub(logit(wrong[0]?.[0])).sum(), [plain.weights]);
  const change = other.weights.sub(plain.weights).mul(g);
  const byHead = change.sum({ dim: [2, 3] }).mean({ dim: 0 });
  const groups = cardOf(model)?.components.get(component)?.heads ?? 1;
  return byHead.reshape([groups, -1]).sum({ dim: 1 }).toArray(1);
}
