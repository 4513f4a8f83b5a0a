import { describe, expect, test } from "vitest";
import {
  attribute,
  attributeEdges,
  AutoModelForCausalLM,
  type EdgeAttribution,
  EdgeScores,
  GPT2LMHeadModel,
  type Module,
  runEdges,
} from "tsvene";
import { refusesEach, untyped } from "../mistakes.ts";
import { golden } from "../models/checkpoints.ts";
import { RESIDUAL_FAMILIES, UNDIVIDED_FAMILIES } from "./residual-families.ts";
import { recordedCircuits } from "./recorded-circuits.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const gpt2 = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
const pairs = tinyPairs();

const scoresOf = async (model: Module, asked: EdgeAttribution = {}): Promise<EdgeScores> =>
  (await attributeEdges(model, pairs, asked)).scores;

const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));

const size = (values: ArrayLike<number>): number =>
  Math.max(...Array.from(values, Math.abs).filter((value) => !Number.isNaN(value)));

test.each(RESIDUAL_FAMILIES)(
  "%s: edges of a node sum to its attribution",
  async (name) => {
    const model = await AutoModelForCausalLM.fromPretrained(golden(name));
    const asked = { direction: "noise", method: "integratedGradients", steps: 2 } as const;
    const nodes = (await scoresOf(model, asked)).nodes().values;
    const { effects } = await attribute(model, pairs, { sites: "nodes", ...asked });
    expect(apart(nodes, effects.change().values)).toBeLessThan(1e-5);
    expect(size(nodes)).toBeGreaterThan(1e-4);
  },
  60_000,
);

describe("scores are those of EAP-IG's formulas in PyTorch", async () => {
  const recorded = await recordedCircuits();
  const model = await AutoModelForCausalLM.fromPretrained(golden("gpt2"));
  const rules = { integratedGradients: "left", integratedActivations: "right" } as const;
  test.each(Object.entries(recorded.scores))("%s", async (name, wanted) => {
    const method = name as keyof typeof rules;
    const asked = { method, steps: recorded.steps, rule: rules[method] ?? "midpoint" };
    const { scores } = await attributeEdges(model, recorded.pairs, asked);
    const found = scores.changes.entries();
    const names = found.map(({ at }) => `${at["sender"] as string}->${at["receiver"] as string}`);
    const values = found.map(({ value }) => value);
    expect(names).toEqual(recorded.edges);
    expect(apart(values, wanted)).toBeLessThan(1e-5 * size(wanted));
  });
});

test("numbers depend neither on how pairs and points are cut, nor on the direction's sign", async () => {
  const asked = { method: "integratedGradients", steps: 20 } as const;
  const whole = await attributeEdges(gpt2, pairs, asked);
  const dones: number[] = [];
  const onProgress = (done: number): number => dones.push(done);
  const cut = await attributeEdges(gpt2, pairs, asked, { memoryBudget: 500_000, onProgress });
  expect(dones).toEqual([1, 2, 3]);
  const most = size(whole.scores.changes.values);
  const values = ({ scores }: typeof whole, of: "changes" | "errors"): Float64Array =>
    scores[of].values.filter((value) => !Number.isNaN(value));
  for (const of of ["changes", "errors"] as const) {
    expect(apart(values(cut, of), values(whole, of))).toBeLessThan(1e-5 * most);
  }
  const gaps = whole.convergenceDelta ?? [];
  const { clean, corrupt } = whole.scores;
  expect(size(gaps)).toBeLessThan(2e-3 * apart(clean, corrupt));
  const { scores: back } = await attributeEdges(gpt2, pairs, { ...asked, direction: "denoise" });
  expect(size(back.importance().values)).toBeGreaterThan(0);
});

test("the greatest edges are run exactly", async () => {
  const asked = { method: "integratedGradients", steps: 20 } as const;
  const { scores, verified } = await attributeEdges(gpt2, pairs, asked, { verify: 4 });
  expect(verified?.edges.length).toBe(8);
  expect(verified?.edges[0]?.estimate).toBe(scores.top(1)[0]?.change);
  for (const { estimate, exact } of verified?.edges.slice(0, 4) ?? []) {
    expect(Math.abs(estimate / exact - 1)).toBeLessThan(0.2);
  }
  expect(verified?.spearman).toBeGreaterThan(0.9);
});

test("scores are plain data, and sum up what they are", async () => {
  const scores = await scoresOf(gpt2);
  const again = EdgeScores.fromJSON(JSON.parse(JSON.stringify(scores)) as never);
  expect(again.toJSON()).toEqual(scores.toJSON());
  const [top] = again.top(1);
  expect(String(again)).toContain(`${top?.edge}  `);
  expect(Math.abs(top?.change ?? 0)).toBe(size(again.changes.values));
  expect(JSON.stringify(again.plot())).toContain("importance of edges");
});

test("edges that carry nothing, or a mean, are run exactly too", async () => {
  for (const source of ["zero", { mean: "corrupt" }] as const) {
    const { verified } = await attributeEdges(gpt2, pairs, { source }, { verify: 4 });
    const sets = Object.fromEntries((verified?.edges ?? []).map(({ edge }) => [edge, [edge]]));
    const change = (await runEdges(gpt2, pairs, { sets, source })).change();
    for (const { edge, exact } of verified?.edges ?? []) {
      expect(Math.abs(exact - change.valueAt({ set: edge }))).toBeLessThan(1e-6);
    }
    expect(size(change.values)).toBeGreaterThan(1e-4);
  }
});

describe("is refused", () => {
  const ask =
    (asked: object, options: object = {}, model: Module = gpt2) =>
    (): unknown =>
      untyped(attributeEdges)(model, pairs, asked, options);
  const stopped = AbortSignal.abort();
  refusesEach([
    ["a method of another library", ask({ method: "EAP" }), /method must be one of/],
    ["an unknown option", ask({ mehtod: "gradient" }), /no option mehtod.*method/s],
    [
      "points with another source",
      ask({ method: "ends", source: "zero" }),
      /"ends" lie between both inputs/,
    ],
    [
      "a source that is none",
      ask({ source: "mean" }),
      /source must be one of "counterpart", "zero"/,
    ],
    ["no points", ask({ steps: 0 }), /steps must be a number of points/],
    ["too small a budget", ask({}, { memoryBudget: 10 }), /one pair takes about/],
    ["a metric without gradient", ask({ metric: "kl" }), /gradient of the KL divergence is zero/],
    ["no scores", () => untyped(EdgeScores).fromJSON?.({}), /these are no scores/],
  ]);
  test("a run that was stopped", async () => {
    await expect(ask({}, { signal: stopped })()).rejects.toThrow("aborted");
  });
  test("a model without a residual stream", async () => {
    const model = await AutoModelForCausalLM.fromPretrained(golden("mamba"));
    await expect(ask({}, {}, model)()).rejects.toThrow(UNDIVIDED_FAMILIES["mamba"]);
  });
});
