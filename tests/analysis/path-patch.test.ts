import { describe, expect, test } from "vitest";
import {
  AutoModelForCausalLM,
  cat,
  type ContrastData,
  EditScope,
  type Effects,
  GPT2LMHeadModel,
  type Module,
  pathPatch,
  runEdges,
  sweep,
  type Tensor,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { indirectObjects } from "./indirect-objects.ts";
import { RESIDUAL_FAMILIES } from "./residual-families.ts";
import { type Ids, tinyPairs } from "./tiny-pairs.ts";

const pairs = tinyPairs({ count: 2, length: 4, differsAt: 1 });
const gpt2 = new GPT2LMHeadModel({
  nLayer: 3,
  nEmbd: 16,
  nHead: 2,
  vocabSize: 20,
  initializerRange: 0.4,
}).eval();

type Block = ReturnType<typeof gpt2.transformer.h.at>;

/** By how much numbers differ at most. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));
}

const valuesOf = async (effects: Promise<Effects>): Promise<Float64Array> =>
  (await effects).values.values;

/** What becomes of the metric where one head is the source's and all else is computed anew. */
const patchHead = (model: Module, layer: number, data: ContrastData): Promise<Float64Array> =>
  valuesOf(
    sweep(model, data, {
      sites: { component: "head_attention_value_output", layer, head: 0 },
      direction: "noise",
    }),
  );

describe.each(RESIDUAL_FAMILIES)("%s", (name) => {
  test("one step of a path is its edges; of the last layer's heads, patching", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const { values } = await pathPatch(model, pairs);
    const last = values.shape[0] ?? 0;
    expect(
      apart(
        values.at({ layer: last - 1, head: 0 }).values,
        await patchHead(model, last - 1, pairs),
      ),
    ).toBeLessThan(1e-5);
    const direct = { senders: ["input", "a0.h0", "m0"], throughMlps: false } as const;
    const into = ["a1.h0<q>", "a1.h0<k>", "a1.h0<v>"];
    const sets = Object.fromEntries(
      direct.senders.flatMap((u) => [
        [`${u} end`, [`${u}->logits`]],
        [`${u} head`, into.map((v) => `${u}->${v}`)],
      ]),
    );
    const edges = await runEdges(model, pairs, { sets });
    const end = await pathPatch(model, pairs, direct);
    const head = await pathPatch(model, pairs, { ...direct, receivers: ["a1.h0"] });
    for (const sender of direct.senders) {
      const at = (set: string): Float64Array => edges.values.at({ set: `${sender} ${set}` }).values;
      expect(apart(end.values.at({ sender }).values, at("end"))).toBeLessThan(1e-5);
      expect(apart(head.values.at({ sender }).values, at("head"))).toBeLessThan(1e-5);
    }
  });
});

test("the four passes, by hand", async () => {
  const { clean, corrupt } = pairs.batch([0, 1]) as { clean: Ids; corrupt: Ids };
  const [first, second, third] = [0, 1, 2].map((layer) => gpt2.transformer.h.at(layer)) as [
    Block,
    Block,
    Block,
  ];
  const found: Record<string, Tensor> = {};
  const keep = (name: string) => (value: Tensor) => void (found[name] = value);
  const run = (scope: EditScope, inputs: Ids): Tensor =>
    scope.run(() => gpt2.forward(inputs).logits.select(1, -1));
  run(new EditScope().on(first.attn.c_proj, "input", keep("mixed")), corrupt);
  run(new EditScope().on(second.attn.resid_dropout, "output", keep("frozen")), clean);
  const held = new EditScope()
    .on(first.attn.c_proj, "input", (own) =>
      cat([own.slice(-1, 0, 8), (found.mixed ?? own).slice(-1, 8)], -1),
    )
    .on(second.attn.resid_dropout, "output", () => found.frozen)
    .on(third.attn.c_attn, "output", keep("read"));
  run(held, clean);
  const queries = new EditScope().on(third.attn.c_attn, "output", (own) =>
    cat([(found.read ?? own).slice(-1, 0, 8), own.slice(-1, 8)], -1),
  );
  const logits = run(queries, clean);
  const want = await logits.select(1, 1).sub(logits.select(1, 2)).toArray(1);
  const patched = await pathPatch(gpt2, pairs, { senders: ["a0.h1"], receivers: ["a2.h0<q>"] });
  expect(apart(patched.values.values, want)).toBeLessThan(1e-5);
  expect(apart(patched.values.values, patched.clean)).toBeGreaterThan(1e-6);
});

test("what is put in: of the other input, nothing, or a mean", async () => {
  const sites = { component: "head_attention_value_output", layer: 2, head: 1 } as const;
  for (const source of ["counterpart", "zero", { mean: "corrupt" }] as const) {
    for (const direction of ["noise", "denoise"] as const) {
      const asked = { source, direction };
      const path = await valuesOf(pathPatch(gpt2, pairs, { ...asked, senders: ["a2.h1"] }));
      const into = ["a2.h1->m2", "a2.h1->logits"];
      const edges = await valuesOf(runEdges(gpt2, pairs, { ...asked, sets: { into } }));
      const wanted = await valuesOf(sweep(gpt2, pairs, { ...asked, sites }));
      expect(apart(path, wanted)).toBeLessThan(1e-5);
      expect(apart(edges, wanted)).toBeLessThan(1e-5);
    }
  }
});

test("the numbers do not depend on what is computed together", async () => {
  for (const metric of ["logitDifference", "kl"] as const) {
    const asked = { metric, receivers: ["a1.h0<k>", "m2"] } as const;
    const parts: number[] = [];
    const all = await pathPatch(gpt2, pairs, asked);
    const few = await pathPatch(gpt2, pairs, asked, {
      memoryBudget: 9000,
      onProgress: (done) => parts.push(done),
    });
    expect(parts.length).toBeGreaterThan(2);
    expect(apart(few.values.values, all.values.values)).toBeLessThan(1e-6);
  }
});

test("with the norm's scale kept, effects on logits add up", async () => {
  const llama = await AutoModelForCausalLM.fromPretrained(golden("llama"));
  const senders = ["input", "a0.h0", "m1", ["input", "a0.h0", "m1"]];
  for (const model of [gpt2, llama]) {
    const gap = async (linearNorm: boolean): Promise<number> => {
      const asked = { senders, linearNorm, throughMlps: false };
      const [a = 0, b = 0, c = 0, all = 0] = (await pathPatch(model, pairs, asked)).change().values;
      return Math.abs(a + b + c - all) / Math.abs(all);
    };
    expect(await gap(true)).toBeLessThan(1e-4);
    expect(await gap(false)).toBeGreaterThan(1e-3);
    const into = async (linearNorm: boolean): Promise<Float64Array> =>
      valuesOf(pathPatch(model, pairs, { receivers: ["a1.h0", "m1"], senders, linearNorm }));
    expect(apart(await into(true), await into(false))).toBeGreaterThan(1e-6);
  }
});

test("a stored configuration, and percents", async () => {
  const asked = { senders: ["a0.h0", ["a0.h0", "m1"]], throughMlps: false } as const;
  const stored = JSON.parse(JSON.stringify(asked)) as typeof asked;
  const effects = await pathPatch(gpt2, pairs, stored);
  expect(effects.values.axes[0]).toEqual({ name: "sender", values: ["a0.h0", "a0.h0+m1"] });
  const base = effects.base.reduce((a, b) => a + b) / 2;
  const share = effects.change().valueAt({ sender: "a0.h0" }) / base;
  expect(effects.percent().valueAt({ sender: "a0.h0" })).toBeCloseTo(100 * share, 6);
});

test("tsvene-mini's heads for indirect objects", async () => {
  const { model, pairs: sentences } = await indirectObjects(20);
  const direct = await pathPatch(model, sentences, { throughMlps: false });
  const ranked = direct.change().ranked();
  expect(ranked.slice(0, 3).map(({ at }) => at)).toEqual([
    { layer: 2, head: 0 },
    { layer: 3, head: 2 },
    { layer: 3, head: 3 },
  ]);
  expect(ranked[0]?.value).toBeLessThan(-3);
  expect(Math.abs(ranked[3]?.value ?? 1)).toBeLessThan(0.2);
  const heads = ranked.slice(0, 6).map(({ at }) => `a${Number(at.layer)}.h${Number(at.head)}`);
  const two = heads.flatMap((a, i) => heads.slice(i + 1).map((b) => [a, b]));
  const together = await pathPatch(model, sentences, { senders: two });
  const [most] = together.change().ranked((value) => -value);
  expect(most?.at).toEqual({ sender: "a2.h0+a3.h2" });
});

const loose = untyped({ pathPatch }).pathPatch;
refusesEach([
  ["a sender that is none", () => pathPatch(gpt2, pairs, { senders: ["a0.h7"] }), /no sender a0.h7; did you mean a0.h/],
  ["no senders", () => pathPatch(gpt2, pairs, { senders: [] }), /senders: "heads", or names such as "a0.h1"/],
  ["a receiver that is none", () => pathPatch(gpt2, pairs, { receivers: ["a0.h1<z>"] }), /no receiver a0.h1<z>; did you mean/],
  ["the end beside others", () => pathPatch(gpt2, pairs, { receivers: ["m1", "logits"] }), /"logits" stands alone/],
  ["another option", () => loose(gpt2, pairs, { throughMLPs: true }), /there is no option throughMLPs; did you mean throughMlps/],
  ["no pairs", () => loose(gpt2, []), /second pairs, as contrastPairs/],
  ["a budget for nothing", () => pathPatch(gpt2, pairs, {}, { memoryBudget: 8 }), /memoryBudget is 8 B, but one run takes/],
]); // prettier-ignore
