import type { Command } from "commander";
import type { GenerateOptions } from "../models/generation/options.ts";
import type { CausalLanguageModel } from "../models/model/causal-language-model.ts";
import { finiteNumber, wholeNumber } from "./options.ts";

/** Options of commands that let a model write. */
export interface WritingOptions {
  readonly maxNewTokens?: number;
  readonly sample?: boolean;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
}

/** New tokens unless the options say how many. */
const NEW_TOKENS = 60;

/** Adds options that say how a model writes. */
export function withWritingOptions(command: Command): Command {
  const most = `new tokens at most (default: ${NEW_TOKENS}, or what the model's positions leave)`;
  return command
    .option("-n, --max-new-tokens <count>", most, wholeNumber(1))
    .option("--sample", "draw tokens at random instead of taking the likeliest")
    .option("--temperature <number>", "divides logits before drawing", finiteNumber)
    .option("--top-p <share>", "draw among the likeliest that make up this share", finiteNumber)
    .option("--top-k <count>", "draw among so many of the likeliest", wholeNumber(0))
    .option("--seed <number>", "draw the same again", wholeNumber(0));
}

/** The library's options of what {@link withWritingOptions} reads; drawing is implied by its settings. */
export function generateOptions(
  { sample, temperature, topP, topK, seed, maxNewTokens }: WritingOptions,
  model: CausalLanguageModel,
  promptLength: number,
): GenerateOptions {
  const given = { temperature, topP, topK, seed };
  const draws = sample === true || Object.values(given).some((value) => value !== undefined);
  const room = Math.max((model.maxLength ?? Infinity) - promptLength, 1);
  const own = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    maxNewTokens: maxNewTokens ?? Math.min(NEW_TOKENS, room),
    ...(draws && { doSample: true }),
    ...Object.fromEntries(own),
  };
}
