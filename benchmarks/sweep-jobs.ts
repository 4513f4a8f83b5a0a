import {
  attribute,
  AutoModelForCausalLM,
  AutoTokenizer,
  type ContrastData,
  contrastPairs,
  evaluate,
  Generator,
  GPT2LMHeadModel,
  manualSeed,
  sweep,
  type Tensor,
  tensor,
} from "tsvene";
import type { Job } from "./job.ts";

const SMALL = { nLayer: 12, nEmbd: 768, nHead: 12, vocabSize: 50_257 };
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

let built: Promise<GPT2LMHeadModel> | undefined;

function gpt2(): Promise<GPT2LMHeadModel> {
  built ??= build();
  return built;
}

async function build(): Promise<GPT2LMHeadModel> {
  manualSeed(0);
  const model = new GPT2LMHeadModel(SMALL).eval();
  await evaluate(...model.parameters().map((p) => p.value));
  return model;
}

function ids(length: number, seed: number): readonly number[] {
  const generator = new Generator(seed);
  return Array.from({ length }, () => generator.integer(SMALL.vocabSize));
}

function repeated(tokens: readonly number[], rows: number): { readonly inputIds: Tensor } {
  return { inputIds: tensor(Array.from({ length: rows }, () => [...tokens]), { dtype: "int64" }) }; // prettier-ignore
}

/** One pair of texts of tokens drawn at random. */
function randomPair(length: number): ContrastData {
  const [clean, corrupt] = [ids(length, 1), ids(length, 2)];
  return {
    length: 1,
    batch: (indices) => ({
      indices,
      clean: repeated(clean, indices.length),
      corrupt: repeated(corrupt, indices.length),
      right: indices.map(() => [7]),
      wrong: indices.map(() => [8]),
    }),
  };
}

/** A pass of GPT-2 small over 64 tokens, which all sweeps are set beside. */
async function plainPass(): Promise<() => Promise<unknown>> {
  const model = await gpt2();
  const text = repeated(ids(64, 0), 1);
  return () => model.forward(text).logits.data();
}

const other = "plain_T64";

/** Estimates of every cell of GPT-2 small at 64 tokens. */
function attribution(name: string, asked: Parameters<typeof attribute>[2]): Job {
  return {
    name,
    async prepare() {
      const [model, pair] = [await gpt2(), randomPair(64)];
      return { run: () => attribute(model, pair, asked), beside: await plainPass(), other };
    },
  };
}

/** Sweeps over every layer and every position, each with its metric of every cell, and attributions. */
export const sweepJobs: readonly Job[] = [
  {
    name: "sweep_12x16",
    async prepare() {
      const [model, pair] = [await gpt2(), randomPair(16)];
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
