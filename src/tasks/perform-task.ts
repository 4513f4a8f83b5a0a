import { attentionPatterns } from "../analysis/attention/attention-patterns.ts";
import { attribute } from "../analysis/attribution/attribute.ts";
import type { ContrastData } from "../analysis/data/contrast-data.ts";
import { contrastPairs } from "../analysis/data/contrast-pairs.ts";
import { directLogits } from "../analysis/lenses/direct-logits.ts";
import { logitLens } from "../analysis/lenses/logit-lens.ts";
import { pathPatch } from "../analysis/paths/path-patch.ts";
import type { Effects } from "../analysis/results/effects.ts";
import { steeringVector } from "../analysis/steering/steering-vector.ts";
import { sweep } from "../analysis/sweep/sweep.ts";
import { causalTrace } from "../analysis/tracing/causal-trace.ts";
import { describeValue } from "../base/describe-value.ts";
import { fail } from "../base/errors.ts";
import { requireOneOf } from "../base/known-options.ts";
import { callModel } from "../intervenable/call/trace.ts";
import type { GridSite } from "../intervenable/grid/site-grid.ts";
import type { Module } from "../nn/module.ts";
import { tokensRead } from "../tokenizers/next-token.ts";
import type { PreTrainedTokenizer } from "../tokenizers/tokenizer.ts";
import { describeModel } from "./describe-model.ts";
import { editedCall, readEdited } from "./edited-texts.ts";
import { lastLogits, nextTokens, readTexts } from "./read-texts.ts";
import type {
  PlainPairs,
  PlainSiteVector,
  Task,
  TaskName,
  TaskOptions,
  TaskResult,
  Tasks,
} from "./tasks.ts";
import { dataOf } from "./tensor-data.ts";
import { writeTexts } from "./write-texts.ts";

/** A model with the tokenizer that texts are read with. */
export interface ModelForTexts {
  /** Any model that reads texts. */
  readonly model: Module;
  /** Its tokenizer. */
  readonly tokenizer: PreTrainedTokenizer;
}

type Perform<Name extends TaskName> = (
  on: ModelForTexts,
  asked: Tasks[Name]["ask"],
  options: TaskOptions<Name>,
) => Promise<TaskResult<Name>>;

/** How most tasks are run. */
type Run = Pick<TaskOptions, "onProgress" | "signal">;

const TASKS: { readonly [K in TaskName]: Perform<K> } = {
  describe: async (on) => describeModel(on),
  tokens: async ({ tokenizer }, { text }) => {
    const ids = tokenizer.encode(text);
    return { ids, tokens: tokensRead(tokenizer, ids) };
  },
  next: async ({ model, tokenizer }, { prompts, top = 5 }) => {
    const read = readTexts("next", tokenizer, prompts);
    return nextTokens(lastLogits("next", callModel(model, read.inputs), read), tokenizer, top);
  },
  forward: async ({ model, tokenizer }, asked) =>
    readEdited("forward", editedCall("forward", model, tokenizer, asked), tokenizer, asked.top),
  explain: async ({ model, tokenizer }, asked) => {
    const { model: edited, read, options } = editedCall("explain", model, tokenizer, asked);
    return edited.explain(read.inputs, options);
  },
  generate: async (on, asked, options) => writeTexts({ ...on, op: "generate" }, asked, options),
  sweep: async (on, asked, options) =>
    sweep(on.model, pairsOf(on, asked), asked.sweep, {
      ...budgetOf(asked),
      ...runOf(options),
      ...(options.onPart && { onCell: inParts(options.onPart) }),
    }),
  causalTrace: async ({ model, tokenizer }, { prompts, ...how }, options) =>
    causalTrace(model, prompts, { ...how, ...runOf(options), tokenizer }),
  pathPatch: async (on, asked, options) =>
    pathPatch(on.model, pairsOf(on, asked), asked.paths ?? {}, {
      ...budgetOf(asked),
      ...runOf(options),
    }),
  attribute: async (on, asked, options) =>
    attribute(on.model, pairsOf(on, asked), asked.attribution, {
      ...budgetOf(asked),
      ...runOf(options),
      verify: asked.verify ?? 0,
    }),
  logitLens: async ({ model, tokenizer }, { text, ...how }) =>
    logitLens(model, text, { ...how, tokenizer }),
  directLogits: async ({ model, tokenizer }, { text, ...how }) =>
    directLogits(model, text, { ...how, tokenizer }),
  attentionPatterns: async ({ model, tokenizer }, { text, ...how }) =>
    attentionPatterns(model, text, { ...how, tokenizer }),
  steeringVector: async ({ model, tokenizer }, asked) => {
    const { vectors } = await steeringVector(model, { ...asked, tokenizer });
    const plain = vectors.map(async (one): Promise<PlainSiteVector> => ({
      ...one,
      vector: await dataOf(one.vector),
    }));
    return Promise.all(plain);
  },
};

/**
 * Does what plain data says, with a model: what a worker, a link, a file or a queue can hold is done the same
 * everywhere.
 *
 * @param on - The model, and its tokenizer.
 * @param task - The kind of task as `task`, beside what is asked, under the names that the function of that
 * name has it under.
 * @returns What that function gives; of `forward` and others that give tensors, their numbers.
 * @throws TsveneError for a task that is not there, and whatever the function throws.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, performTask } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const { original, intervened } = await performTask(
 *   { model, tokenizer },
 *   {
 *     task: "forward",
 *     prompts: "The capital of Spain is",
 *     config: { layer: 0, component: "mlp_output", intervention: "ZeroIntervention" },
 *   },
 * );
 * console.log(original.top[0]?.[0]?.token, intervened.top[0]?.[0]?.token); // " Madrid" " of"
 * ```
 */
export async function performTask<Name extends TaskName>(
  on: ModelForTexts,
  task: Task<Name>,
  options: TaskOptions<Name> = {},
): Promise<TaskResult<Name>> {
  if (typeof task !== "object" || task === null) {
    fail("performTask", `expected a task, { task: "sweep", ... }, got ${describeValue(task)}`);
  }
  const { task: name, ...asked } = task;
  requireOneOf("performTask", "task", name, Object.keys(TASKS));
  const perform = TASKS[name] as Perform<Name>;
  return perform(on, asked, options);
}

function runOf({ onProgress, signal }: Run): Run {
  return { ...(onProgress && { onProgress }), ...(signal && { signal }) };
}

function pairsOf({ tokenizer }: ModelForTexts, { pairs, positions }: PlainPairs): ContrastData {
  return contrastPairs(tokenizer, pairs, positions === undefined ? {} : { positions });
}

function budgetOf({ memoryBudget }: PlainPairs): Pick<PlainPairs, "memoryBudget"> {
  return memoryBudget === undefined ? {} : { memoryBudget };
}

/** Gathers cells that are finished together, so that each result is handed on once. */
function inParts(
  onPart: (part: Tasks["sweep"]["part"]) => void,
): (cell: GridSite, effects: Effects) => void {
  let cells: GridSite[] = [];
  return (cell, effects) => {
    cells.push(cell);
    if (cells.length > 1) return;
    queueMicrotask(() => {
      onPart({ cells, effects });
      cells = [];
    });
  };
}
