import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { AxisValues, SiteGrid } from "../../intervenable/grid/site-grid.ts";
import { Module } from "../../nn/module.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import {
  findDirection,
  requireTexts,
  STEERING_METHODS,
  type SteeringMethod,
  type TwoSets,
} from "./find-direction.ts";
import { type ReadPosition, readStates, requireReadable } from "./read-states.ts";
import { heldOutShare, spreadAlong } from "./separability.ts";
import { Steering } from "./steering.ts";

/** Texts to be told apart, and where and how. */
export interface SteeringOptions {
  /** What texts are read with. */
  readonly tokenizer: PromptTokenizer;
  /** Texts with what is looked for. */
  readonly positive: readonly string[];
  /** Texts without it; of pairs, in the same order. */
  readonly negative: readonly string[];
  /** The sites that are read: a layer, all of them, heads. */
  readonly sites: Omit<SiteGrid, "position" | "step" | "dimensions">;
  /** The position of each text's own tokens, or several; `"mean"` is the mean of all that read it. @default "last" */
  readonly read?: AxisValues<ReadPosition>;
  /** @default "meanDifference" */
  readonly method?: SteeringMethod;
  /** Into how many parts texts are divided to see how well a vector tells those that it was not found in. @default 4 */
  readonly folds?: number;
}

const OP = "steeringVector";
const OPTIONS: OptionNames<SteeringOptions> = {
  tokenizer: true,
  positive: true,
  negative: true,
  sites: true,
  read: true,
  method: true,
  folds: true,
};
const SITES: OptionNames<SteeringOptions["sites"]> = {
  layer: true,
  component: true,
  path: true,
  head: true,
};

/**
 * Finds vectors that lead from texts without something to texts with it, from the states of both. What is
 * returned makes interventions of them: to add them, or to take their direction out.
 *
 * @param model - Any model: by components, or by paths of modules.
 * @returns A vector for each site, with how well it tells texts that it was not found in.
 * @throws TsveneError, before anything runs, for sites that are not there, and texts that do not fit the method.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, steeringVector } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const toItaly = await steeringVector(model, {
 *   tokenizer,
 *   positive: ["The capital of Italy", "The language of Italy"],
 *   negative: ["The capital of Spain", "The language of Spain"],
 *   sites: { layer: 1 },
 * });
 * const steered = toItaly.intervention({ strength: 2 });
 * const { intervened } = await steered.generate(tokenizer.tokenize("The capital of Spain is"), {
 *   maxNewTokens: 1,
 *   steps: "all",
 * });
 * console.log(tokenizer.decode((await intervened.sequences.toArray())[0] ?? []));
 * ```
 */
export async function steeringVector<M extends Module>(
  model: M,
  options: SteeringOptions,
): Promise<Steering<M>> {
  const {
    tokenizer,
    positive,
    negative,
    sites,
    read = "last",
    method = "meanDifference",
    folds = 4,
  } = checked(model, options);
  const texts = [...positive, ...negative];
  const asked = { op: OP, model, tokenizer, texts };
  const found = await readStates(asked, { ...sites, position: read });
  const vectors = [];
  for (const [i, site] of found.sites.entries()) {
    const sets = divided(found.states.slice(i, i + 1), positive.length);
    const vector = await findDirection(method, sets);
    const sd = await spreadAlong(vector, sets);
    const separability = await heldOutShare(method, sets, folds);
    vectors.push({ site, vector, sd, separability });
  }
  const origin = { method, positive: positive.length, negative: negative.length };
  return new Steering({ model, origin, axes: found.axes, vectors });
}

function checked(model: unknown, options: SteeringOptions): SteeringOptions {
  if (!(model instanceof Module)) fail(OP, `first a model (a Module), got ${describeValue(model)}`);
  requireKnownOptions(OP, options, OPTIONS);
  const {
    positive,
    negative,
    method = "meanDifference",
    sites,
    folds = 4,
    read = "last",
    tokenizer,
  } = options;
  requireOneOf(OP, "method", method, STEERING_METHODS);
  if (!Array.isArray(positive) || !Array.isArray(negative)) {
    fail(OP, "positive and negative must be lists of texts");
  }
  requireTexts(OP, method, positive, negative);
  requireKnownOptions(`${OP}: sites`, sites, SITES);
  if (!Number.isSafeInteger(folds) || folds < 2) {
    fail(OP, `folds must be a whole number of 2 or more, got ${shown(folds)}`);
  }
  requireReadable(OP, tokenizer, read);
  return options;
}

function divided(states: readonly TwoSets["positive"][], count: number): TwoSets {
  const [all] = states;
  if (all === undefined) return fail(OP, "internal: no states");
  return {
    positive: all.narrow(0, 0, count),
    negative: all.narrow(0, count, all.size(0) - count),
  };
}
