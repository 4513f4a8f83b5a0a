import { attribute, AutoModelForCausalLM, AutoTokenizer, contrastPairs, sweep } from "tsvene";
import { randomGpt2, randomPair, randomTokens, repeated } from "./random-gpt2.ts";
import type { Job } from "./job.ts";

const EVERY = {
  sites: { component: "block_output", layer: "all", position: "all" },
} as const;

/** Heads' outputs, MLPs and residual stream, everywhere. */
const EVERYWHERE = {
  sites: {
    component: ["head_attention_value_output", "mlp_output", "block_output"],
    layer: "all",
    position: "all",
  },
} as const;

/** A pass of GPT-2 small over 64 tokens, which all sweeps are set beside. */
async function plainPass(): Promise<() => Promise<unknown>> {
  const model = await randomGpt2();
  const text = repeated(randomTokens(64, 0), 1);
  return () => model.forward(text).logits.data();
}

const other = "plain_T64";

/** Estimates of every cell of GPT-2 small at 64 tokens. */
function attribution(name: string, asked: Parameters<typeof attribute>[2]): Job {
  return {
    name,
    async prepare() {
      const [model, pair] = [await randomGpt2(), randomPair(64)];
      return { run: () => attribute(model, pair, asked), beside: await plainPass(), other };
    },
  };
}

/** Sweeps over every layer and every position, each with its metric of every cell, and attributions. */
export const sweepJobs: readonly Job[] = [
  {
    name: "sweep_12x16",
    async prepare() {
      const [model, pair] = [await randomGpt2(), randomPair(16)];
      return { run: () => sweep(model, pair, EVERY), beside: await plainPass(), other };
    },
  },
  {
    name: "sweep_mini",
    async prepare() {
      const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
      const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
      const pair = contrastPairs(tokenizer, [
        {
          clean: "The capital of Italy is",
          corrupt: "The capital of Spain is",
          right: " Rome",
          wrong: " Madrid",
        },
      ]);
      return { run: () => sweep(model, pair, EVERY), beside: await plainPass(), other };
    },
  },
  attribution("attribution_T64", EVERYWHERE),
  attribution("attribution_nodes_T64", { sites: "nodes" }),
];
