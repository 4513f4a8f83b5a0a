import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  type ContrastData,
  Effects,
  GPT2LMHeadModel,
  Linear,
  Module,
  NamedArray,
  runtimeStats,
  sweep,
  type Tensor,
  tensor,
  ZeroIntervention,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const FAMILIES = ["llama", "gemma2", "falcon", "gptj", "opt", "phi", "qwen3", "gpt_oss", "bloom"];
const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
const pairs = tinyPairs();
const grid = { component: "block_output", layer: "all", position: "all" } as const;

/** By how much numbers differ at most. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));
}

describe.each(["gpt2", ...FAMILIES])("%s", (name) => {
  const load = async (): Promise<Module> =>
    name === "gpt2" ? gpt2 : AutoModelForCausalLM.fromPretrained(golden(name));

  test("the whole state of a layer is the source's answer", async () => {
    const model = await load();
    const sites = { component: "block_input", layer: "all" } as const;
    for (const direction of ["denoise", "noise"] as const) {
      const effects = await sweep(model, pairs, { sites, direction });
      const source = direction === "denoise" ? effects.clean : effects.corrupt;
      for (const layer of effects.values.axis("layer").values) {
        const { values } = effects.values.at({ layer });
        expect(apart(values, source)).toBeLessThan(1e-5);
      }
    }
  });

  test("what cannot reach the answer changes nothing, and the last layer only at the end", async () => {
    const model = await load();
    const change = (await sweep(model, pairs, { sites: grid })).change();
    const layers = change.axis("layer").values;
    for (const layer of layers) {
      for (const position of [0, 1]) {
        expect(Math.abs(change.valueAt({ layer, position }))).toBeLessThan(1e-6);
      }
    }
    const last = layers.at(-1) ?? 0;
    for (const position of [2, 3, 4]) {
      expect(Math.abs(change.valueAt({ layer: last, position }))).toBeLessThan(1e-6);
    }
    expect(Math.abs(change.valueAt({ layer: last, position: 5 }))).toBeGreaterThan(1e-5);
  });

  test("the numbers do not depend on what is computed together", async () => {
    const model = await load();
    const all = await sweep(model, pairs, { sites: grid });
    const parts: number[] = [];
    const few = await sweep(
      model,
      pairs,
      { sites: grid },
      {
        memoryBudget: 20_000,
        onProgress: (done) => parts.push(done),
      },
    );
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.at(-1)).toBe(
      all.values.axes.slice(0, -1).reduce((n, { values }) => n * values.length, 1),
    );
    expect(apart(few.values.values, all.values.values)).toBeLessThan(1e-5);
  });
});

/** Two parts, and what a function makes of them. */
class Parts extends Module {
  readonly a = new Same();
  readonly b = new Same();
  readonly #joined: (a: Tensor, b: Tensor) => Tensor;
  constructor(joined: (a: Tensor, b: Tensor) => Tensor) {
    super();
    this.#joined = joined;
  }
  override forward(x: Tensor): Tensor {
    const joined = this.#joined(this.a.forward(x), this.b.forward(x));
    return joined.mul(tensor([1, 0]));
  }
}

class Same extends Module {
  override forward(x: Tensor): Tensor {
    return x.mul(1);
  }
}

describe("noising and denoising", () => {
  const data: ContrastData<Tensor> = {
    length: 1,
    batch: (indices) => ({
      indices,
      clean: tensor(indices.map(() => [1])),
      corrupt: tensor(indices.map(() => [0])),
      right: indices.map(() => [0]),
      wrong: indices.map(() => [1]),
    }),
  };
  const sites = { path: ["a.output", "b.output"] };

  test("AND: either part is needed, and none is enough", async () => {
    const and = new Parts((a, b) => a.minimum(b));
    expect((await sweep(and, data, { sites, direction: "noise" })).change().toArray()).toEqual([
      -1, -1,
    ]);
    expect((await sweep(and, data, { sites, direction: "denoise" })).change().toArray()).toEqual([
      0, 0,
    ]);
  });

  test("OR: none is needed, and either is enough", async () => {
    const or = new Parts((a, b) => a.maximum(b));
    expect((await sweep(or, data, { sites, direction: "noise" })).change().toArray()).toEqual([
      0, 0,
    ]);
    expect((await sweep(or, data, { sites, direction: "denoise" })).change().toArray()).toEqual([
      1, 1,
    ]);
  });
});

describe("axes", () => {
  test("heads come after positions, kinds before layers; a head that is not there is no number", async () => {
    const llama = await AutoModelForCausalLM.fromPretrained(golden("llama"));
    const effects = await sweep(llama, pairs, {
      sites: {
        head: "all",
        position: [2, 5],
        layer: [0, 1],
        component: ["head_query_output", "head_key_output"],
      },
    });
    const change = effects.change();
    expect(change.axes.map(({ name }) => name)).toEqual(["component", "layer", "position", "head"]);
    const heads = (component: string): NamedArray =>
      change.at({ component, layer: 0, position: 2 });
    expect(heads("head_query_output").entries()).toHaveLength(4);
    expect(heads("head_key_output").entries()).toHaveLength(2);
    expect(heads("head_key_output").values.slice(2)).toEqual(Float64Array.of(NaN, NaN));
    const back = Effects.fromJSON(JSON.parse(JSON.stringify(effects)) as never);
    expect(back.values.values).toEqual(effects.values.values);
  });

  test("a window edits layers around its own at once", async () => {
    const whole = { component: "mlp_output", layer: "all" } as const;
    const [one, all] = [
      await sweep(gpt2, pairs, { sites: { ...whole, layer: 1 } }),
      await sweep(gpt2, pairs, { sites: whole, window: 3 }),
    ];
    expect(all.values.shape).toEqual([1, 3, 3]);
    expect(all.values.at({ layer: 1 }).values).not.toEqual(one.values.at({ layer: 1 }).values);
  });

  test("what needs no source reads none", async () => {
    const sites = { component: "mlp_output", layer: "all" } as const;
    const zeroed = await sweep(gpt2, pairs, {
      sites,
      direction: "noise",
      intervention: ZeroIntervention,
    });
    expect(zeroed.change().ranked()[0]?.value).not.toBe(0);
  });
});

describe("a sweep that was stopped", () => {
  test("keeps what is finished, and goes on from there", async () => {
    const stop = new AbortController();
    let kept: Effects | undefined;
    const options = {
      memoryBudget: 20_000,
      signal: stop.signal,
      onCell: (_: unknown, effects: Effects): void => {
        kept = effects;
        stop.abort();
      },
    };
    await expect(sweep(gpt2, pairs, { sites: grid }, options)).rejects.toThrow(/abort/i);
    expect(kept).toBeDefined();
    const whole = await sweep(gpt2, pairs, { sites: grid });
    const before = runtimeStats().multiplyAdds;
    await sweep(gpt2, pairs, { sites: grid }, { resume: whole });
    const unedited = runtimeStats().multiplyAdds - before;
    const resumed = await sweep(gpt2, pairs, { sites: grid }, { resume: kept ?? whole });
    expect(apart(resumed.values.values, whole.values.values)).toBeLessThan(1e-5);
    expect(runtimeStats().multiplyAdds - before).toBeGreaterThan(2 * unedited);
  });
});

test("a small budget is refused before anything runs, or holds for runs without edits too", async () => {
  const before = runtimeStats().runs;
  await expect(sweep(gpt2, pairs, { sites: grid }, { memoryBudget: 100 })).rejects.toThrow(
    /one run of one cell takes about/,
  );
  expect(runtimeStats().runs).toBe(before);
  const one = { component: "block_output", layer: 0, position: 2 };
  await sweep(gpt2, pairs, { sites: one }, { memoryBudget: 4000 });
  // Each of three pairs by itself: clean, corrupt, and with the cell's edit.
  expect(runtimeStats().runs - before).toBe(9);
});

describe("metrics", () => {
  const sites = { component: "block_output", layer: 2, position: "last" } as const;
  const metric = async (name: string): Promise<Effects> =>
    sweep(gpt2, pairs, { sites, metric: name as "kl" });

  test("agree with one another", async () => {
    const [p, logP, kl, js] = [
      await metric("probability"),
      await metric("logProbability"),
      await metric("kl"),
      await metric("js"),
    ];
    expect(apart(p.clean, logP.clean.map(Math.exp))).toBeLessThan(1e-6);
    expect(apart(kl.clean, [0, 0, 0])).toBeLessThan(1e-6);
    expect(Math.min(...kl.corrupt)).toBeGreaterThan(0);
    expect(Math.max(...js.corrupt)).toBeLessThan(Math.LN2);
    const [rank, accuracy] = [await metric("rank"), await metric("accuracy")];
    expect(rank.clean.map((value) => Number(value === 1))).toEqual(accuracy.clean);
    const normalized = (await metric("logitDifference")).normalized();
    expect(normalized.values[0]).toBeCloseTo(1, 5);
  });
});

describe("intervals", () => {
  test("of equal numbers have no width; of a share, Wilson's", () => {
    const effects = (values: readonly number[], isShare: boolean): Effects =>
      new Effects({
        values: new NamedArray({
          name: "accuracy",
          axes: [{ name: "example", values: values.map((_, i) => i) }],
          values,
        }),
        direction: "denoise",
        clean: values,
        corrupt: values,
        isShare,
      });
    const none = Array.from({ length: 50 }, () => 0);
    expect(effects(none, true).interval().high.values[0]).toBeCloseTo(0.0713, 4);
    const same = effects([2, 2, 2], false).interval();
    expect([same.low.values[0], same.high.values[0]]).toEqual([2, 2]);
    expect(() => effects(none, false).normalized()).toThrow(/nothing to normalize/);
  });
});

test("a cell of a later program that cannot be edited is refused before anything runs", async () => {
  const before = runtimeStats().runs;
  const sites = { ...grid, position: [0, 1, 9] };
  for (const source of ["counterpart", { mean: "clean" }] as const) {
    await expect(sweep(gpt2, pairs, { sites, source }, { memoryBudget: 20_000 })).rejects.toThrow(
      /9/,
    );
  }
  expect(runtimeStats().runs).toBe(before);
});

describe("what is refused, before anything runs", () => {
  const call = untyped({ sweep }).sweep;
  class Plain extends Module {
    readonly one = new Linear(2, 2);
    override forward(x: Tensor): Tensor {
      return this.one.forward(x);
    }
  }
  refusesEach([
    ["no model", () => call({}, pairs, { sites: grid }), /first a model/],
    ["no pairs", () => call(gpt2, [], { sites: grid }), /second pairs, as contrastPairs/],
    ["no sites", () => call(gpt2, pairs, {}), /sites must be axes by name/],
    ["a grid of no cells", () => call(gpt2, pairs, { sites: { layer: [] } }), /no values.*no cells/],
    ["an unknown axis", () => call(gpt2, pairs, { sites: { layers: 1 } }), /layers/],
    ["an unknown direction", () => call(gpt2, pairs, { sites: grid, direction: "up" }), /"denoise"/],
    ["an unknown metric", () => call(gpt2, pairs, { sites: grid, metric: "logits" }), /"logitDifference"/],
    ["a component that is not there", () => call(gpt2, pairs, { sites: { component: "mlp", layer: 0 } }), /mlp_output/],
    ["a position beyond the text", () => call(gpt2, pairs, { sites: { ...grid, position: 9 } }), /9/],
    ["a budget too small for one cell", () => call(gpt2, pairs, { sites: grid }, { memoryBudget: 100 }), /one run of one cell takes about \d+/],
    ["a window without layers", () => call(new Plain(), pairs, { sites: { path: "one.output" }, window: 3 }), /no layer/],
    ["a metric without wrong answers", () => call(gpt2, { length: 1, batch: (i: number[]) => ({ ...pairs.batch(i), wrong: i.map(() => []) }) }, { sites: grid }), /no wrong answer/],
    ["effects of another sweep", async () => call(gpt2, pairs, { sites: grid }, { resume: await sweep(gpt2, pairs, { sites: { layer: 0, component: "mlp_output" } }) }), /another sweep/],
  ]); // prettier-ignore
});
