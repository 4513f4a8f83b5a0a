import { describeValue, isPromise } from "../../base/describe-value.ts";
import { fail } from "../../nn/errors.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** @throws ModelError for what is no object of tensors, and for texts without a token. */
export function requireInputs(model: string, inputs: unknown): void {
  const isObject = typeof inputs === "object" && inputs !== null && !Array.isArray(inputs);
  if (!isObject || inputs instanceof Tensor) {
    fail(
      model,
      `forward takes inputs by name, got ${describeValue(inputs)}; of a text, pass ` +
        'tokenizer.tokenize(text); of ids, { inputIds: tensor([ids], { dtype: "int64" }) }',
    );
  }
  for (const [name, value] of Object.entries(inputs)) {
    if (isPromise(value) || typeof value === "string" || isNumbers(value)) {
      const advice = isNumbers(value) ? `; write ${name}: tensor(values, { dtype })` : "";
      fail(model, `${name} must be a tensor, got ${describeValue(value)}${advice}`);
    }
  }
  const { inputIds } = inputs as { readonly inputIds?: unknown };
  if (!(inputIds instanceof Tensor) || inputIds.numel > 0) return;
  fail(model, `inputIds [${inputIds.shape.join(", ")}] are empty; give at least one token`);
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && (typeof value[0] === "number" || isNumbers(value[0]));
}
