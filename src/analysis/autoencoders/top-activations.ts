import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { shown } from "../../base/describe-value.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { tokensRead } from "../../tokenizers/next-token.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { isTokenIn, type TextTensors } from "../steering/neutral-texts.ts";
import {
  autoencoderTexts,
  type AutoencoderTexts,
  type AutoencoderTextsOptions,
} from "./autoencoder-texts.ts";
import { traceSite } from "./read-latents.ts";
import type { SparseAutoencoder } from "./sparse-autoencoder.ts";

/** Of which latents texts are wanted, and how many. */
export interface TopActivationsOptions extends AutoencoderTextsOptions {
  /** Numbers of latents. */
  readonly latents: readonly number[];
  /** How many texts of each. @default 5 */
  readonly count?: number;
}

/** A text in which a latent is strong. */
export interface ActivatingText {
  /** Number of the text. */
  readonly text: number;
  /** What its tokens read, without padding; their ids where there is no tokenizer. */
  readonly tokens: readonly string[];
  /** The latent at each token. */
  readonly activations: readonly number[];
  /** Number of the token at which it is greatest. */
  readonly position: number;
  /** What it is there. */
  readonly activation: number;
}

/** A latent, and the texts in which it is strongest. */
export interface LatentTexts {
  /** Number of the latent. */
  readonly latent: number;
  /** The texts in which it is not 0 throughout, the one with the greatest activation first. */
  readonly texts: readonly ActivatingText[];
}

const OP = "topActivations";
const OPTIONS: OptionNames<TopActivationsOptions> = {
  tokenizer: true,
  site: true,
  batchSize: true,
  latents: true,
  count: true,
};

/**
 * The texts in which latents are strongest, each latent's at every token: what one reads to see what it means.
 * `tokenStrip` and `terminalTokens` colour a text by them.
 *
 * @param texts - Texts of two tokens or more, or their ids.
 * @throws TsveneError for latents that are not there, and an autoencoder of another width.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, SparseAutoencoder, terminalTokens, topActivations } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const sae = new SparseAutoencoder({ width: 112, latentDim: 224 });
 * const texts = ["Italy", "Spain", "Peru"].map((name) => `The capital of ${name} is`);
 * const [found] = await topActivations(model, sae, texts, {
 *   tokenizer,
 *   site: { layer: 1, component: "block_output" },
 *   latents: [7],
 *   count: 2,
 * });
 * for (const { tokens, activations } of found?.texts ?? []) {
 *   console.log(terminalTokens(tokens, activations));
 * }
 * ```
 */
export async function topActivations(
  model: Module,
  sae: SparseAutoencoder,
  texts: readonly string[] | TextTensors,
  options: TopActivationsOptions,
): Promise<readonly LatentTexts[]> {
  requireKnownOptions(OP, options, OPTIONS);
  const { latents, count = 5, ...reading } = options;
  const run = autoencoderTexts(OP, model, sae, texts, reading);
  if (!Array.isArray(latents) || latents.length === 0) {
    fail(OP, `latents must be a list of their numbers, got ${shown(latents)}`);
  }
  const wrong = latents.find((latent) => !isCount(latent) || latent >= sae.count);
  if (wrong !== undefined) {
    fail(OP, `there is no latent ${shown(wrong)}; they are 0 to ${sae.count - 1}`);
  }
  if (!isCount(count) || count === 0) {
    fail(OP, `count must be a whole number of 1 or more, got ${shown(count)}`);
  }
  let best = latents.map((): readonly ActivatingText[] => []);
  for (const indices of run.batches) {
    const found = await readBatch(run, indices, latents, options);
    best = best.map((known, i) =>
      [...known, ...(found[i] ?? [])]
        .toSorted((a, b) => b.activation - a.activation)
        .slice(0, count),
    );
  }
  return latents.map((latent, i) => ({ latent, texts: best[i] ?? [] }));
}

/** For each latent, the texts of a batch in which it is not 0. */
async function readBatch(
  { model, sae, sites, inputs }: AutoencoderTexts,
  indices: readonly number[],
  latents: readonly number[],
  { tokenizer }: TopActivationsOptions,
): Promise<readonly (readonly ActivatingText[])[]> {
  const batch = inputs(indices);
  const { x } = traceSite(OP, model, sites, batch);
  const z = sae.encode(x).indexSelect(-1, [...latents]);
  const isToken = isTokenIn(batch);
  await evaluate(z, isToken);
  const [values, mask, ids] = await Promise.all([z, isToken, batch.inputIds].map(readNumbers));
  const length = batch.inputIds.size(1);
  return latents.map((_, latent) =>
    indices.flatMap((text, row) => {
      const cells = Array.from({ length }, (__, i) => row * length + i).filter(
        (cell) => mask?.[cell] === 1,
      );
      const activations = cells.map((cell) => values?.[cell * latents.length + latent] ?? NaN);
      const activation = Math.max(...activations);
      if (activation === 0) return [];
      const own = cells.map((cell) => ids?.[cell] ?? 0);
      const tokens = tokenizer === undefined ? own.map(String) : tokensRead(tokenizer, own);
      return [{ text, tokens, activations, position: activations.indexOf(activation), activation }];
    }),
  );
}
