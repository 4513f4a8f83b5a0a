import { pathPatch } from "tsvene";
import { randomGpt2, randomPair } from "./random-gpt2.ts";
import type { Job } from "./job.ts";

/** The paths of GPT-2 small's 144 heads to its logits, through MLPs or not, beside a pass of as many tokens. */
function everyHead(name: string, throughMlps: boolean): Job {
  return {
    name,
    async prepare() {
      const [model, pair] = [await randomGpt2(), randomPair(64)];
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
