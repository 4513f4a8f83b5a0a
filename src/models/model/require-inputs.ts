import { describeValue, isPromise } from "../../base/describe-value.ts";
import { editDistance } from "../../base/nearest.ts";
import { fail } from "../../nn/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";

const COLLECT = "collect them with a CollectIntervention at the component";

/** Inputs that models of Hugging Face take and these do not: what to write instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  outputHiddenStates: COLLECT,
  outputAttentions: COLLECT,
  outputRouterLogits: COLLECT,
  headMask: "use a ZeroIntervention at the heads",
  decoderHeadMask: "use a ZeroIntervention at the heads",
  crossAttnHeadMask: "use a ZeroIntervention at the heads",
  returnDict: "outputs are objects, always; leave it out",
  logitsToKeep: "only the logits that are read are computed; leave it out",
  numLogitsToKeep: "only the logits that are read are computed; leave it out",
};

/** Inputs of the models here that misspelt ones are compared with. */
const INPUTS = [
  "inputIds",
  "inputsEmbeds",
  "attentionMask",
  "positionIds",
  "tokenTypeIds",
  "pastKeyValues",
  "labels",
  "pixelValues",
  "inputFeatures",
  "decoderInputIds",
  "decoderInputsEmbeds",
  "decoderAttentionMask",
  "encoderOutputs",
];

/** How ids and texts become inputs. */
export const INPUTS_ADVICE: string =
  'of a text, pass tokenizer.tokenize(text); of ids, { inputIds: tensor([ids], { dtype: "int64" }) }';

/** @throws ModelError for what is no object of tensors, and for texts without a token. */
export function requireInputs(model: string, inputs: unknown): void {
  const isObject = typeof inputs === "object" && inputs !== null && !Array.isArray(inputs);
  if (!isObject || inputs instanceof Tensor) {
    fail(model, `forward takes inputs by name, got ${describeValue(inputs)}; ${INPUTS_ADVICE}`);
  }
  for (const [name, value] of Object.entries(inputs)) {
    requireInput(model, name);
    if (isPromise(value) || typeof value === "string" || isNumbers(value)) {
      const advice = isNumbers(value) ? `; write ${name}: tensor(values, { dtype })` : "";
      fail(model, `${name} must be a tensor, got ${describeValue(value)}${advice}`);
    }
  }
  const { inputIds } = inputs as { readonly inputIds?: unknown };
  if (!(inputIds instanceof Tensor) || inputIds.numel > 0) return;
  fail(model, `inputIds [${inputIds.shape.join(", ")}] are empty; give at least one token`);
}

/**
 * What a model does not read would silently be ignored: a name of Python's, a misspelt one, or a wish of
 * another library.
 */
function requireInput(model: string, name: string): void {
  if (name.includes("_")) {
    const own = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    fail(model, `there is no input ${name}; did you mean ${own}?`);
  }
  const advice = ELSEWHERE[name];
  if (advice !== undefined) fail(model, `there is no input ${name}; ${advice}`);
  if (INPUTS.includes(name)) return;
  const meant = INPUTS.find((known) => editDistance(name.toLowerCase(), known.toLowerCase()) <= 2);
  if (meant !== undefined) fail(model, `there is no input ${name}; did you mean ${meant}?`);
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && (typeof value[0] === "number" || isNumbers(value[0]));
}
