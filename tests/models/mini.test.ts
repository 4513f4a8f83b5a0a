import { readdirSync, statSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { AutoTokenizer, GPT2LMHeadModel, type PreTrainedTokenizer } from "tsvene";
import {
  accuracy,
  evaluateFacts,
  evaluateIndirectObjects,
  evaluateMoods,
} from "../../scripts/mini/accuracy.ts";
import { loadTokenizer, MODEL_DIRECTORY } from "../../scripts/mini/tokenizer-files.ts";

let model: GPT2LMHeadModel;
let padded: PreTrainedTokenizer;
const tokenizer = loadTokenizer();

/** Percent of right answers. */
const share = ({ right, total }: { right: number; total: number }): number => (100 * right) / total;

beforeAll(async () => {
  model = await GPT2LMHeadModel.fromPretrained(MODEL_DIRECTORY);
  padded = await AutoTokenizer.fromPretrained(MODEL_DIRECTORY, { paddingSide: "left" });
});

describe("tsvene-mini", () => {
  test("takes at most 4 MB", () => {
    const sizes = readdirSync(MODEL_DIRECTORY).map((name) => statSync(MODEL_DIRECTORY + name).size);
    expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(4_000_000);
  });

  test("answers a person's prompts", async () => {
    const prompts = [
      { prompt: "The capital of Spain is", answer: " Madrid" },
      { prompt: "The language of Italy is", answer: " Italian" },
      {
        prompt: "When Mary and John went to the store, John gave a drink to",
        answer: " Mary",
      },
    ];
    expect((await accuracy(model, tokenizer, prompts)).wrong).toEqual([]);
  });

  test("knows its facts as trained, and in phrasings held out for them", async () => {
    expect(share(await evaluateFacts(model, tokenizer, "trained"))).toBeGreaterThanOrEqual(98);
    expect(share(await evaluateFacts(model, tokenizer, "heldOut"))).toBeGreaterThanOrEqual(90);
  });

  test("names the indirect object, for pairs of names it never saw too", async () => {
    const heldOut = await evaluateIndirectObjects(model, tokenizer, "heldOut");
    expect(share(heldOut)).toBeGreaterThanOrEqual(95);
  });

  test("goes on with a story in the mood it began in", async () => {
    expect(share(await evaluateMoods(model, padded, "heldOut"))).toBeGreaterThanOrEqual(90);
  }, 60_000);
});
