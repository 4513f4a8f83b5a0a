import { fail } from "../../nn/errors.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import type { GenerateInputs, PromptImages } from "./options.ts";

/** What passes are given besides tokens. */
export interface ImagesOfPasses {
  /** Those that read the prompt: all, where there is no cache. */
  readonly first: PromptImages;
  /** Those that find the prompt in the cache. */
  readonly later: PromptImages;
}

const TEXT: readonly string[] = ["inputIds", "attentionMask"];

/** The images of each prompt, for each of its rows. */
function repeated(name: string, t: Tensor, batch: number, times: number): Tensor {
  if (times === 1) return t;
  if (t.size(0) === batch) return t.repeatInterleave(times, 0);
  if (batch === 1) return t.repeat([times, ...t.shape.slice(1).map(() => 1)]);
  return fail(
    "generate",
    `${name} ${show(t.shape)} does not say which of the ${batch} prompts each image belongs to; ` +
      "for several continuations give one image a prompt, or one prompt at a time",
  );
}

/**
 * Picks what the model reads besides tokens.
 * @param times how many rows each prompt takes.
 * @throws ModelError for inputs that the model does not read.
 */
export function readImages(
  model: CausalLanguageModel,
  inputs: GenerateInputs,
  times: number,
): ImagesOfPasses {
  const known: Readonly<Record<string, "prompt" | "too">> = model.imageInputs;
  const [first, later]: [Record<string, Tensor>, Record<string, Tensor>] = [{}, {}];
  for (const [name, t] of Object.entries(inputs) as [string, unknown][]) {
    if (TEXT.includes(name) || t === undefined) continue;
    if (!Object.hasOwn(known, name) || !(t instanceof Tensor)) {
      const wanted = [...TEXT, ...Object.keys(known)].join(", ");
      fail(
        "generate",
        `${name} is not a tensor that ${model.constructor.name} writes from; it takes ${wanted}`,
      );
    }
    const rows = repeated(name, t, inputs.inputIds.size(0), times);
    first[name] = rows;
    if (known[name] === "too") later[name] = rows;
  }
  return { first, later };
}
