import { fail } from "../../../nn/errors.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { maskOf, notesOf } from "../../model/cache-notes.ts";
import { endsInPadding, paddingOf } from "../../model/mask.ts";

/** What a recurrent model is to read. */
export interface ReadSteps {
  readonly attentionMask?: Tensor;
  /** What the next step needs of these. */
  readonly pastKeyValues?: object;
}

/** Which tokens are real: of the text, cached ones included, and of those that are new. */
export interface RealSteps {
  /** [batch, past + steps] */
  readonly attentionMask: Tensor | undefined;
  /** bool [batch, steps, 1] */
  readonly real: Tensor | undefined;
}

/**
 * Which of the last `steps` tokens are real, for a model that reads one after the other.
 *
 * @throws ModelError for padding within a text, which would change what the model remembers.
 */
export function realSteps(model: string, inputs: ReadSteps, steps: number): RealSteps {
  const { pastKeyValues } = inputs;
  const attentionMask = maskOf(inputs.attentionMask, pastKeyValues, steps);
  const cached = notesOf(pastKeyValues).attentionMask;
  if (paddingOf(attentionMask) === "within" || endsInPadding(cached)) {
    fail(
      model,
      "there is padding between the tokens of a row, and a recurrent model remembers what it read " +
        "last; " +
        "pad on the left, or leave padding out of what is cached",
    );
  }
  const real = attentionMask?.slice(1, -steps).unsqueeze(-1).to("bool");
  return { attentionMask, real };
}
