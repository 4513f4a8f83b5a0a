import { describeValue } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import { Module } from "../../nn/module.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import { neutralTexts, type TextTensors } from "../steering/neutral-texts.ts";
import {
  type AutoencoderSite,
  type AutoencoderSites,
  resolveAutoencoderSite,
} from "./autoencoder-site.ts";
import { SparseAutoencoder } from "./sparse-autoencoder.ts";

/** Where and how an autoencoder is run on texts. */
export interface AutoencoderTextsOptions {
  /** What texts are read with. @default none, for ids */
  readonly tokenizer?: PromptTokenizer;
  /** Where the autoencoder is. @default where its files say it was trained */
  readonly site?: AutoencoderSite;
  /** Texts in one program. @default 8 */
  readonly batchSize?: number;
}

/** A model, an autoencoder at its place, and texts in batches. */
export interface AutoencoderTexts {
  readonly op: string;
  readonly model: Module;
  readonly sae: SparseAutoencoder;
  readonly sites: AutoencoderSites;
  readonly batches: readonly (readonly number[])[];
  readonly inputs: (indices: readonly number[]) => TextTensors;
}

/** @throws TsveneError for what is no model or autoencoder, another width, and what are no texts. */
export function autoencoderTexts(
  op: string,
  model: unknown,
  sae: unknown,
  texts: readonly string[] | TextTensors,
  { tokenizer, site, batchSize = 8 }: AutoencoderTextsOptions,
): AutoencoderTexts {
  if (!(model instanceof Module)) return fail(op, `first a model, got ${describeValue(model)}`);
  if (!(sae instanceof SparseAutoencoder)) {
    return fail(op, `second a SparseAutoencoder, got ${describeValue(sae)}`);
  }
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    fail(op, `batchSize must be a whole number of 1 or more, got ${String(batchSize)}`);
  }
  const { length, batch } = neutralTexts(op, texts, tokenizer, "texts");
  return {
    op,
    model,
    sae,
    sites: resolveAutoencoderSite(op, model, sae, site),
    batches: partsOf(range(length), batchSize),
    inputs: batch,
  };
}
