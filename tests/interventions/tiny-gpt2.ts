import { Generator, type GPT2Config, GPT2LMHeadModel, randn, tensor, type Tensor } from "tsvene";

/** Settings of a GPT-2 that computes in no time. */
export const TINY = { nLayer: 4, nEmbd: 24, nHead: 4, vocabSize: 64, nPositions: 32 } as const;

/** A tiny GPT-2 with random weights large enough that every edit shows. */
export function tinyGpt2(seed = 0, settings: Partial<GPT2Config> = TINY): GPT2LMHeadModel {
  const model = new GPT2LMHeadModel(settings).eval();
  const generator = new Generator(seed);
  for (const parameter of model.parameters()) {
    parameter.set(randn(parameter.shape, { generator }).mul(0.3));
  }
  return model;
}

/** Token ids [batch, sequence]. */
export function ids(...rows: number[][]): { readonly inputIds: Tensor } {
  return { inputIds: tensor(rows, { dtype: "int64" }) };
}
