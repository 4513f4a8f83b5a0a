import { AutoModelForCausalLM, AutoModelForMaskedLM, GPT2LMHeadModel, type Module } from "tsvene";
import { describe, expect, test } from "vitest";
import { contrastMetric } from "../../src/analysis/metrics/contrast-metric.ts";
import { blocksOf, type SweepBlock } from "../../src/analysis/sweep/sweep-blocks.ts";
import { sweepCells } from "../../src/analysis/sweep/sweep-cells.ts";
import { planSource } from "../../src/analysis/sweep/sweep-source.ts";
import type { Sweep } from "../../src/analysis/sweep/sweep-options.ts";
import { runCells, type SweepRuns } from "../../src/analysis/sweep/sweep-rows.ts";
import { golden } from "../models/checkpoints.ts";
import { tinyPairs } from "./tiny-pairs.ts";

const asked = { sites: { component: "block_output", layer: "all", position: "all" } } as const;

function runsOf(model: Module, data: SweepRuns["data"], sweep: Sweep = asked): SweepRuns {
  const source = planSource(sweep, data.length);
  return { model, data, sweep, source, metric: contrastMetric("sweep", undefined) };
}

describe("blocks of neighbouring positions", () => {
  const blocksIn = (model: Module, length: number, sweep: Sweep = asked): readonly SweepBlock[] => {
    const runs = runsOf(model, tinyPairs({ count: 1, length }), sweep);
    return blocksOf(runs, sweepCells(model, runs.data, sweep).cells, 1_000);
  };
  const spans = (blocks: readonly SweepBlock[]): unknown =>
    blocks.map(({ cells, readsInTwo }) => {
      const at = cells.map(({ site }) => Number(site.position));
      return [Math.min(...at), Math.max(...at), readsInTwo];
    });
  // Its weights are lazy, and nobody reads them.
  const large = new GPT2LMHeadModel({ nLayer: 12, nEmbd: 768, nHead: 12 }).eval();

  test("cost less where a model is large and texts are long", () => {
    expect(spans(blocksIn(large, 16))).toEqual([[0, 7, false], [8, 15, true]]); // prettier-ignore
    expect(spans(blocksIn(large, 8))).toEqual([[0, 7, false]]);
    expect(blocksIn(large, 64).length).toBeGreaterThan(3);
  });

  test("are one where only late positions are edited, after a text that is read once", () => {
    const sites = { ...asked.sites, position: [14, 15] } as const;
    expect(spans(blocksIn(large, 16, { sites }))).toEqual([[14, 15, true]]);
    const last = blocksIn(large, 16, { sites: { ...sites, position: "last" } });
    expect(last.map(({ readsInTwo }) => readsInTwo)).toEqual([true]);
  });

  test("are one of a small model, of whole tensors, and of one in training mode", () => {
    const small = new GPT2LMHeadModel({ nLayer: 3, nEmbd: 16, nHead: 2, vocabSize: 20 }).eval();
    expect(spans(blocksIn(small, 16))).toEqual([[0, 15, false]]);
    const whole = blocksIn(large, 16, { sites: { component: "block_output", layer: "all" } });
    expect(whole.map(({ readsInTwo }) => readsInTwo)).toEqual([false]);
    large.train();
    expect(spans(blocksIn(large, 16))).toEqual([[0, 15, false]]);
    large.eval();
  });
});

test.each(["gpt2", "llama", "gemma2", "falcon", "bloom", "opt", "mixtral", "bert", "mamba"])(
  "%s: the numbers are the same, whether texts are read in two or not",
  async (name) => {
    const kind = name === "bert" ? AutoModelForMaskedLM : AutoModelForCausalLM;
    const model = await kind.fromPretrained(golden(name));
    const runs = runsOf(model, tinyPairs());
    const { cells } = sweepCells(model, runs.data, asked);
    const late = cells.filter(({ site }) => Number(site.position) >= 3);
    const pairs = [0, 1, 2];
    const [whole, inTwo] = [
      await runCells(runs, { cells: late, pairs, readsInTwo: false }),
      await runCells(runs, { cells: late, pairs, readsInTwo: true }),
    ];
    expect(whole.length).toBe(late.length * pairs.length);
    for (const [i, value] of whole.entries()) expect(inTwo[i]).toBeCloseTo(value, 5);
  },
);
