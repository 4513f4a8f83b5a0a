import { VanillaIntervention } from "../interventions/vanilla.ts";
import { IntervenableModel } from "../intervenable/intervenable-model.ts";
import { cardOf } from "../models/model/bound-card.ts";
import type { CausalLanguageModel } from "../models/model/causal-language-model.ts";
import { didYouMean } from "../base/nearest.ts";
import { fail } from "../base/errors.ts";
import { softmax } from "../nn/functional/activations.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nextToken, tokensRead } from "../tokenizers/next-token.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";

/** What is patched, and what is looked at. */
export interface PatchOptions {
  /** The text that is run with one state replaced. */
  readonly base: string;
  /** The text whose states are put in; it must have as many tokens. */
  readonly source: string;
  /** What the model might say next, with the space before it if it has one: one token. */
  readonly answer: string;
  /** Another token to compare with: what is looked at is then the difference of logits. */
  readonly against?: string;
  /** Name of the states, as in a configuration. @default "block_input" */
  readonly component?: string;
  /** Which layers. @default all */
  readonly layers?: readonly number[];
  /** Called after each layer. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops before the next layer. */
  readonly signal?: AbortSignal;
}

/** What became of an answer, layer by layer and position by position. */
export interface PatchedStates {
  /** What the numbers are: the answer's probability, or its logit less the other's. */
  readonly measure: "probability" | "logitDifference";
  /** The states that were put in. */
  readonly component: string;
  /** The layers, one for each row of `values`. */
  readonly layers: readonly number[];
  /** The tokens at each position. */
  readonly tokens: { readonly base: readonly string[]; readonly source: readonly string[] };
  /** For each layer and position, what the base gives with that one state of the source's. */
  readonly values: readonly (readonly number[])[];
  /** What the base gives as it is. */
  readonly base: number;
  /** What the source gives as it is. */
  readonly source: number;
}

const OP = "patchStates";

/**
 * Puts one state of a run on `source` after the other into a run on `base`, and says what each does to
 * the next token: where the change appears, there the model keeps what tells the texts apart. A layer's
 * positions are rows of one batch.
 *
 * @throws TsveneError for texts of different lengths, an answer of more than one token, and a component
 * without positions.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, patchStates } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const { values } = await patchStates(model, tokenizer, {
 *   base: "The capital of Spain is",
 *   source: "The capital of Italy is",
 *   answer: " Rome",
 * });
 * console.log(values[0]?.[3]); // the country, as it enters the first layer
 * ```
 */
export async function patchStates(
  model: CausalLanguageModel,
  tokenizer: PreTrainedTokenizer,
  options: PatchOptions,
): Promise<PatchedStates> {
  const { base, source, against, component = "block_input", onProgress, signal } = options;
  const tokens = {
    base: tokensOf(tokenizer, "base", base),
    source: tokensOf(tokenizer, "source", source),
  };
  requireSameLength(tokens);
  const layers = layersOf(model, component, options.layers);
  const tokenOf = (name: string, text: string): number =>
    nextToken(OP, tokenizer, { prompt: base, name, text });
  const answer = tokenOf("answer", options.answer);
  const other = against === undefined ? undefined : tokenOf("against", against);
  const measure = measureOf(answer, other);
  const rows = (text: string) => tokenizer.tokenize(tokens.base.map(() => text));
  const [bases, sources] = [rows(base), rows(source)];
  const unitLocations = { "sources->base": tokens.base.map((_, position) => [position]) };
  const values: number[][] = [];
  for (const layer of layers) {
    signal?.throwIfAborted();
    const place = { layer, component, intervention: VanillaIntervention };
    const patched = new IntervenableModel(place, model);
    const { intervened } = patched.forward(bases, { sources, unitLocations });
    values.push(await measure(intervened.logits).toArray(1));
    onProgress?.(values.length, layers.length);
  }
  const clean = async (text: string): Promise<number> =>
    measure(model.forward(tokenizer.tokenize(text)).logits).item();
  return {
    measure: other === undefined ? "probability" : "logitDifference",
    component,
    layers,
    tokens,
    values,
    base: await clean(base),
    source: await clean(source),
  };
}

/** From logits [batch, sequence, vocabulary], a number for each row. */
function measureOf(answer: number, other: number | undefined): (logits: Tensor) => Tensor {
  return (logits) => {
    const last = logits.select(1, -1);
    if (other === undefined) return softmax(last, -1).select(1, answer);
    return last.select(1, answer).sub(last.select(1, other));
  };
}

function tokensOf(tokenizer: PreTrainedTokenizer, name: string, text: string): string[] {
  if (text === "") fail(OP, `${name} is empty; a text was expected`);
  return tokensRead(tokenizer, tokenizer.encode(text));
}

function listed(tokens: readonly string[]): string {
  return tokens.map((token) => JSON.stringify(token)).join(" ");
}

function requireSameLength({ base, source }: PatchedStates["tokens"]): void {
  if (base.length === source.length) return;
  fail(
    OP,
    `base has ${base.length} tokens and source ${source.length}, so that positions do not ` +
      `correspond; write them with as many tokens:\n  base   ${listed(base)}\n  source ${listed(source)}`,
  );
}

function layersOf(
  model: CausalLanguageModel,
  component: string,
  layers: readonly number[] | undefined,
): readonly number[] {
  const card = cardOf(model);
  if (card === undefined) {
    return fail(OP, `${model.constructor.name} names no components, by which states are found`);
  }
  if (!card.components.has(component)) {
    fail(
      OP,
      `there is no component ${JSON.stringify(component)}; ${didYouMean(component, card.components.keys())}`,
    );
  }
  const all = Array.from({ length: card.layers }, (_, layer) => layer);
  const wrong = layers?.find((layer) => !all.includes(layer));
  if (wrong === undefined) return layers ?? all;
  return fail(OP, `there is no layer ${wrong}; layers are 0 to ${card.layers - 1}`);
}
