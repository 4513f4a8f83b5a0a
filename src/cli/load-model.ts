import type { CausalLanguageModel } from "../models/model/causal-language-model.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";
import type { Io } from "./io.ts";
import { hubOptions, type ModelOptions } from "./options.ts";
import { withProgress } from "./progress.ts";

/** A model that writes, and its tokenizer. */
export interface LoadedModel {
  readonly model: CausalLanguageModel;
  readonly tokenizer: PreTrainedTokenizer;
}

/** Loads the model that the options name, with what computes it. */
export async function loadModel(io: Io, options: ModelOptions): Promise<CausalLanguageModel> {
  const [{ AutoModelForCausalLM }] = await Promise.all([
    import("../models/catalogue/auto.ts"),
    import("../runtime/index.ts"),
  ]);
  return withProgress(io, async ({ onProgress }) => {
    const hub = hubOptions(options, { signal: io.signal, onProgress });
    return AutoModelForCausalLM.fromPretrained(options.model, { ...hub, dtype: options.dtype });
  });
}

/** Loads the model that the options name, and the tokenizer beside it, which is read first. */
export async function loadModelForText(io: Io, options: ModelOptions): Promise<LoadedModel> {
  const { AutoTokenizer } = await import("../tokenizers/auto-tokenizer.ts");
  const tokenizer = await withProgress(io, async ({ onProgress }) =>
    AutoTokenizer.fromPretrained(
      options.model,
      hubOptions(options, { signal: io.signal, onProgress }),
    ),
  );
  return { tokenizer, model: await loadModel(io, options) };
}
