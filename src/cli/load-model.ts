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
export async function loadModel(io: Io, options: ModelOptions): Promise<LoadedModel> {
  const [{ AutoModelForCausalLM }, { AutoTokenizer }] = await Promise.all([
    import("../models/catalogue/auto.ts"),
    import("../tokenizers/auto-tokenizer.ts"),
    import("../runtime/index.ts"),
  ]);
  return withProgress(io, async ({ onProgress }) => {
    const hub = hubOptions(options, { signal: io.signal, onProgress });
    const tokenizer = await AutoTokenizer.fromPretrained(options.model, hub);
    const settings = { ...hub, dtype: options.dtype };
    return { tokenizer, model: await AutoModelForCausalLM.fromPretrained(options.model, settings) };
  });
}
