import { describe, expect, test } from "vitest";
import { AutoModelForCausalLM, GPT2LMHeadModel, runEdges, runtimeStats, sweep } from "tsvene";
import { EdgeRuns } from "../../src/analysis/paths/edge-runs.ts";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { RESIDUAL_FAMILIES } from "./residual-families.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const pairs = tinyPairs({ count: 2, length: 4, differsAt: 1 });
const gpt2 = new GPT2LMHeadModel({ nLayer: 2, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();

/** By how much numbers differ at most. */
function apart(a: ArrayLike<number> = [], b: ArrayLike<number> = []): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));
}

describe.each(RESIDUAL_FAMILIES)("%s", (name) => {
  test("no edge is the base, all are the source, all of a head are the head patched", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const runs = new EdgeRuns("test", model, pairs);
    const of = (isChosen: (sender: string) => boolean): number[] =>
      runs.edges.map(({ sender }) => (isChosen(sender.name) ? 1 : 0));
    const sets = [of(() => false), of(() => true), of((sender) => sender === "a0.h1")];
    const { clean, corrupt } = await runs.unedited();
    const [none, all, head] = await runs.run(sets);
    const sites = { component: "head_attention_value_output", layer: 0, head: 1 } as const;
    const patched = await sweep(model, pairs, { sites, direction: "noise" });
    expect(apart(none, clean)).toBeLessThan(1e-5);
    expect(apart(all, corrupt)).toBeLessThan(1e-5);
    expect(apart(head, patched.values.values)).toBeLessThan(1e-5);
    expect(apart(head, clean)).toBeGreaterThan(1e-5);
  });
});

test("sets are data: others compile nothing, and what is run together changes nothing", async () => {
  const of = (runs: EdgeRuns): number[][] =>
    [0.3, 0.9, 1, 0].map((share) =>
      runs.edges.map((_, i) => ((i * 7) % 10 < share * 10 ? 0.5 : 0)),
    );
  const [many, few] = [2 ** 28, 12_000].map(
    (memoryBudget) => new EdgeRuns("test", gpt2, pairs, {}, { memoryBudget }),
  ) as [EdgeRuns, EdgeRuns];
  const all = await many.run(of(many));
  const { programsCompiled } = runtimeStats();
  const others = await many.run(of(many).toReversed());
  expect(runtimeStats().programsCompiled).toBe(programsCompiled);
  expect(apart(others.toReversed().flat(), all.flat())).toBe(0);
  const parts: number[] = [];
  const alone = await few.run(of(few), { onProgress: (done) => parts.push(done) });
  expect(parts).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(apart(alone.flat(), all.flat())).toBeLessThan(1e-6);
});

test("a set names edges, with weights if they are not whole", async () => {
  const sets = { direct: ["m0->logits"], half: { "m0->logits": 0.5 }, none: { "input->m1": 0 } };
  const effects = await runEdges(gpt2, pairs, { sets });
  const change = effects.change();
  expect(effects.values.axes.map(({ name }) => name)).toEqual(["set", "example"]);
  expect(Math.abs(change.valueAt({ set: "none" }))).toBeLessThan(1e-6);
  expect(Math.abs(change.valueAt({ set: "half" }))).toBeGreaterThan(1e-5);
  const { edges } = new EdgeRuns("test", gpt2, pairs);
  const only = edges.map(({ name }) => (name === "m0->logits" ? 1 : 0));
  const [direct] = await new EdgeRuns("test", gpt2, pairs).run([only]);
  expect(apart(direct, effects.values.at({ set: "direct" }).values)).toBe(0);
});

const loose = untyped({ runEdges }).runEdges;
refusesEach([
  ["no sets", () => runEdges(gpt2, pairs, { sets: {} }), /sets: give at least one/],
  [
    "an edge that is none",
    () => runEdges(gpt2, pairs, { sets: { a: ["m1->m0"] } }),
    /set a: there is no edge m1->m0; did you mean/,
  ],
  [
    "a weight that is no number",
    () => runEdges(gpt2, pairs, { sets: { a: { "m0->m1": NaN } } }),
    /the weight of m0->m1 must be a number, got NaN/,
  ],
  [
    "a set that is none",
    () => loose(gpt2, pairs, { sets: { a: 3 } }),
    /set a: names of edges, or names with weights, got/,
  ],
  [
    "another source",
    () => loose(gpt2, pairs, { sets: { a: [] }, source: "mean" }),
    /source must be one of "counterpart", "zero"/,
  ],
  [
    "too small a budget",
    () => runEdges(gpt2, pairs, { sets: { a: [] } }, { memoryBudget: 100 }),
    /memoryBudget is 100 B, but one run takes about/,
  ],
]);
