import { evaluate, Generator, GPT2LMHeadModel, manualSeed, pathPatch, tensor } from "tsvene";
import type { Job } from "./job.ts";

const SMALL = { nLayer: 12, nEmbd: 768, nHead: 12, vocabSize: 50_257 };
const TOKENS = 64;

function ids(seed: number): readonly number[] {
  const generator = new Generator(seed);
  return Array.from({ length: TOKENS }, () => generator.integer(SMALL.vocabSize));
}

/** One pair of texts of tokens drawn at random. */
function randomPair(): Parameters<typeof pathPatch>[1] {
  const rows = (tokens: readonly number[], count: number): object => ({
    inputIds: tensor(
      Array.from({ length: count }, () => [...tokens]),
      { dtype: "int64" },
    ),
  });
  const [clean, corrupt] = [ids(1), ids(2)];
  return {
    length: 1,
    batch: (indices) => ({
      indices,
      clean: rows(clean, indices.length),
      corrupt: rows(corrupt, indices.length),
      right: indices.map(() => [7]),
      wrong: indices.map(() => [8]),
    }),
  };
}

/** The paths of GPT-2 small's 144 heads to its logits, through MLPs or not, beside a pass of as many tokens. */
function everyHead(name: string, throughMlps: boolean): Job {
  return {
    name,
    async prepare() {
      manualSeed(0);
      const model = new GPT2LMHeadModel(SMALL).eval();
      await evaluate(...model.parameters().map((p) => p.value));
      const pair = randomPair();
      const inputs = pair.batch([0]).clean as Parameters<typeof model.forward>[0];
      return {
        run: () => pathPatch(model, pair, { throughMlps }),
        beside: () => model.forward(inputs).logits.data(),
        other: "plain_T64",
      };
    },
  };
}

/** Path patching. */
export const pathJobs: readonly Job[] = [
  everyHead("path_patch_heads", true),
  everyHead("path_patch_heads_direct", false),
];
