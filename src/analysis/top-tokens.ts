import { evaluate } from "../tensor/evaluate.ts";
import { fail } from "../base/errors.ts";
import { softmax } from "../nn/functional/activations.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What can turn a token's id into text, such as a tokenizer. */
export interface TokenDecoder {
  /** Turns ids into text; a tokenizer's `decode` does. */
  readonly decode: (
    ids: readonly number[],
    options?: { readonly cleanUpTokenizationSpaces?: boolean },
  ) => string;
}

/** A token that may come next. */
export interface TokenProbability {
  /** Id of the token. */
  readonly id: number;
  /** Its text, with the space before it if it has one. */
  readonly token: string;
  /** From 0 to 1. */
  readonly probability: number;
}

/** How many tokens to take. */
export interface TopTokensOptions {
  /** @default 5, or the vocabulary's size if that is less */
  readonly count?: number;
}

/**
 * The likeliest next tokens, for one run or several. All are computed in one program, in which the
 * runs share what they have in common, and only the last position's logits are computed.
 *
 * @param logits - By name, such as `{ before, after }`: [vocabulary], or [sequence, vocabulary] or
 * [1, sequence, vocabulary], of which the last position is read.
 * @returns For each name the likeliest tokens, the likeliest first.
 * @throws TsveneError for more than one row, and for a count beyond the vocabulary.
 *
 * @example
 * ```ts no-run
 * import { AutoModelForCausalLM, AutoTokenizer, topTokens } from "tsvene";
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const { logits } = model.forward(tokenizer.tokenize("The capital of Spain is"));
 * console.log((await topTokens({ logits }, tokenizer)).logits);
 * ```
 */
export async function topTokens<Name extends string>(
  logits: Readonly<Record<Name, Tensor>>,
  tokenizer: TokenDecoder,
  options: TopTokensOptions = {},
): Promise<Record<Name, readonly TokenProbability[]>> {
  const names = Object.keys(logits) as Name[];
  if (names.length === 0) fail(OP, "expected at least one tensor of logits, as { name: logits }");
  const top = names.map((name) => likeliest(name, logits[name], options));
  await evaluate(...top.flatMap(({ ids, probabilities }) => [ids, probabilities]));
  const lists = await Promise.all(top.map(async (each) => readTokens(each, tokenizer)));
  return Object.fromEntries(names.map((name, i) => [name, lists[i] ?? []])) as Record<
    Name,
    readonly TokenProbability[]
  >;
}

const OP = "topTokens";

interface Top {
  readonly ids: Tensor;
  readonly probabilities: Tensor;
}

function likeliest(name: string, logits: Tensor, options: TopTokensOptions): Top {
  if (!(logits instanceof Tensor)) {
    fail(OP, `expected tensors by name, such as { logits }; ${name} is a ${typeof logits}`);
  }
  const vocabulary = logits.shape.at(-1) ?? 0;
  const { count = Math.min(5, vocabulary) } = options;
  if (!Number.isInteger(count) || count < 1 || count > vocabulary) {
    fail(OP, `count must be a whole number from 1 to ${vocabulary}, the vocabulary, got ${count}`);
  }
  const { values, indices } = softmax(lastPosition(name, logits), -1).topk(count);
  return { ids: indices, probabilities: values };
}

function lastPosition(name: string, logits: Tensor): Tensor {
  const { shape } = logits;
  if (shape.length === 1) return logits;
  if (shape.length === 3 && shape[0] === 1) return logits.select(0, 0).select(0, -1);
  if (shape.length === 2) return logits.select(0, -1);
  return fail(
    OP,
    `${name} is [${shape.join(", ")}]; expected [vocabulary], [sequence, vocabulary] or ` +
      `[1, sequence, vocabulary]: take one row of a batch with logits.select(0, row)`,
  );
}

async function readTokens(
  { ids, probabilities }: Top,
  tokenizer: TokenDecoder,
): Promise<readonly TokenProbability[]> {
  const [idData, values] = await Promise.all([ids.data(), probabilities.data()]);
  return Array.from<number | bigint, TokenProbability>(values, (probability, i) => {
    const id = Number(idData[i]);
    const token = tokenizer.decode([id], { cleanUpTokenizationSpaces: false });
    return { id, token, probability: Number(probability) };
  });
}
