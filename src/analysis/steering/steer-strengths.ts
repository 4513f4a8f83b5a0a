import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { partsOf, range } from "../../base/lists.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { callModel } from "../../intervenable/call/trace.ts";
import { IntervenableModel } from "../../intervenable/intervenable-model.ts";
import { CausalLanguageModel } from "../../models/model/causal-language-model.ts";
import { PreTrainedModel } from "../../models/model/pretrained-model.ts";
import type { Module } from "../../nn/module.ts";
import { evaluateSharingRows } from "../../runtime/evaluate-sharing-rows.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { requirePairs } from "../data/require-pairs.ts";
import { contrastMetric, type ContrastMetric, type ContrastMetricChoice } from "../metrics/contrast-metric.ts"; // prettier-ignore
import { traceMetric } from "../metrics/traced-metric.ts";
import { NamedArray } from "../results/named-array.ts";
import { readNumbers } from "../results/read-numbers.ts";
import { BUDGET } from "../sweep/plan-sweep.ts";
import {
  logitsEverywhere,
  type NeutralTexts,
  neutralTexts,
  sideEffect,
  type TextTensors,
} from "./neutral-texts.ts";
import { SteeringTable } from "./steering-table.ts";

/** What strengths are compared by. */
export interface SteeringTableOptions {
  /** How far the edits go: each multiplies what the intervention does. 0, the plain model, is always there. */
  readonly strengths: readonly number[];
  /** Texts that should stay as likely as they are, or their ids; two tokens each at least. */
  readonly neutral: readonly string[] | TextTensors;
  /** What neutral texts are read with. @default none, for ids */
  readonly tokenizer?: PromptTokenizer;
  /** What is to become of the clean prompts. @default "logitDifference" */
  readonly metric?: ContrastMetricChoice;
  /** Bytes that the logits of one program may take. @default 256 MiB */
  readonly memoryBudget?: number;
}

const OP = "steeringTable";
const OPTIONS: OptionNames<SteeringTableOptions> = {
  strengths: true,
  neutral: true,
  tokenizer: true,
  metric: true,
  memoryBudget: true,
};
/** How many tensors of the logits' size live at once. */
const LIVE = 6;

/** One text at one strength. */
interface Row {
  readonly text: number;
  readonly strength: number;
}

/** What the rows of one program share. */
interface Runs {
  readonly steered: IntervenableModel;
  readonly model: Module;
  readonly strengths: readonly number[];
  readonly memoryBudget: number;
}

/**
 * Compares strengths of steering by what they do to prompts and by what they cost elsewhere, so that one can be
 * chosen: a metric of the prompts' answers, and on neutral texts the divergence from the plain model and the
 * perplexity. Strengths are rows of a few programs.
 *
 * @param steered - What `Steering.intervention` or `ablation` gives, or any edits that need no source.
 * @param pairs - Prompts with answers, as `contrastPairs` makes them, of which the clean ones are run.
 * @throws TsveneError, before anything runs, for strengths that are no numbers, and edits that read a source.
 *
 * @example
 * ```ts
 * import {
 *   AutoModelForCausalLM,
 *   AutoTokenizer,
 *   contrastPairs,
 *   steeringTable,
 *   steeringVector,
 * } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const toItaly = await steeringVector(model, {
 *   tokenizer,
 *   positive: ["The capital of Italy", "The language of Italy"],
 *   negative: ["The capital of Spain", "The language of Spain"],
 *   sites: { layer: 1 },
 * });
 * const prompts = contrastPairs(tokenizer, [
 *   { clean: "The capital of Spain is", right: " Rome", wrong: " Madrid" },
 * ]);
 * const table = await steeringTable(toItaly.intervention(), prompts, {
 *   strengths: [0.5, 1, 2],
 *   neutral: ["One morning, a cat went to the river."],
 *   tokenizer,
 * });
 * console.log(String(table));
 * console.log(table.best({ maxKl: 0.1 }));
 * ```
 */
export async function steeringTable(
  steered: IntervenableModel,
  pairs: ContrastData,
  options: SteeringTableOptions,
): Promise<SteeringTable> {
  const runs = runsOf(steered, pairs, options);
  const metric = contrastMetric(OP, options.metric);
  const neutral = neutralTexts(OP, options.neutral, options.tokenizer);
  const measured = await measurePrompts(runs, pairs, metric);
  const costs = await measureTexts(runs, neutral);
  const strength = { name: "strength", values: runs.strengths };
  const by = (name: string, axis: string, values: readonly number[]): NamedArray => {
    const axes = [strength, { name: axis, values: range(values.length / runs.strengths.length) }];
    return new NamedArray({ name, axes, values });
  };
  return new SteeringTable({
    effects: by(metric.name, "example", measured),
    isShare: metric.isShare,
    divergences: by("KL divergence", "text", costs.kl),
    losses: by("loss", "text", costs.loss),
    tokens: costs.tokens.slice(0, neutral.length),
  });
}

function runsOf(steered: unknown, pairs: unknown, options: SteeringTableOptions): Runs {
  if (!(steered instanceof IntervenableModel)) {
    return fail(
      OP,
      `first a model with interventions, such as steering.intervention(), got ${describeValue(steered)}`,
    );
  }
  const { model } = steered as { readonly model: Module };
  requirePairs(OP, model, pairs);
  requireKnownOptions(OP, options, OPTIONS);
  const { strengths, memoryBudget = BUDGET } = options;
  const isList = Array.isArray(strengths) && strengths.length > 0;
  if (!isList || !strengths.every((one) => Number.isFinite(one))) {
    fail(OP, `strengths must be a list of finite numbers, got ${shown(strengths)}`);
  }
  if (!(memoryBudget > 0)) {
    fail(OP, `memoryBudget must be a number of bytes, got ${shown(memoryBudget)}`);
  }
  const all = [...new Set([0, ...strengths.map((one) => one + 0)])].toSorted((a, b) => a - b);
  return { steered: steered as IntervenableModel, model, strengths: all, memoryBudget };
}

/** The metric of each clean prompt at each strength, strengths outermost. */
async function measurePrompts(
  runs: Runs,
  pairs: ContrastData,
  metric: Required<ContrastMetric>,
): Promise<readonly number[]> {
  const found: number[] = [];
  const bytes = bytesOfRow(runs, pairs.batch([0]).clean);
  for (const rows of rowsAtOnce(runs, pairs.length, bytes)) {
    const batch = pairs.batch(rows.map(({ text }) => text));
    const output = edited(runs, batch.clean, rows);
    const asked = { op: OP, model: runs.model, metric, batch, side: "clean", output } as const;
    const { values } = traceMetric(asked);
    await evaluateSharingRows([values], rows.length);
    found.push(...(await readNumbers(values)));
  }
  return found;
}

/** What becomes of each neutral text at each strength, strengths outermost. */
async function measureTexts(
  runs: Runs,
  texts: NeutralTexts,
): Promise<{ readonly [K in "kl" | "loss" | "tokens"]: readonly number[] }> {
  const found = { kl: [] as number[], loss: [] as number[], tokens: [] as number[] };
  const bytes = bytesOfRow(runs, texts.batch([0]));
  for (const rows of rowsAtOnce(runs, texts.length, bytes)) {
    const inputs = texts.batch(rows.map(({ text }) => text));
    const plain = logitsIn(runs.model, callModel(runs.model, inputs));
    const costs = sideEffect(inputs, logitsIn(runs.model, edited(runs, inputs, rows)), plain);
    await evaluateSharingRows(Object.values(costs), rows.length);
    for (const name of ["kl", "loss", "tokens"] as const) {
      found[name].push(...(await readNumbers(costs[name])));
    }
  }
  return writesOn(runs.model) ? found : { ...found, loss: found.loss.map(() => NaN) };
}

/** Whether logits are of the next token; a model of one's own is taken to write. */
function writesOn(model: Module): boolean {
  return model instanceof CausalLanguageModel || !(model instanceof PreTrainedModel);
}

/** All texts at all strengths, in the parts that the budget allows. */
function rowsAtOnce(
  { strengths, memoryBudget }: Runs,
  texts: number,
  bytes: number,
): readonly (readonly Row[])[] {
  const count = Math.floor(memoryBudget / (bytes * LIVE));
  if (count < 1) {
    fail(OP, `memoryBudget is ${memoryBudget} bytes, but one text takes about ${bytes * LIVE}`);
  }
  const all = strengths.flatMap((strength) => range(texts).map((text) => ({ text, strength })));
  return partsOf(all, count);
}

/** Bytes of what the model says of one text. */
function bytesOfRow({ model }: Runs, inputs: unknown): number {
  const output = callModel(model, inputs) as { readonly logits?: unknown };
  const logits = output instanceof Tensor ? output : output.logits;
  return logits instanceof Tensor ? 4 * logits.numel : 1;
}

/** Rows of strength 0 are not edited at all, so that they are the plain model's to the last bit. */
function edited({ steered }: Runs, inputs: unknown, rows: readonly Row[]): unknown {
  const { intervened } = steered.forward(inputs, {
    strength: rows.map(({ strength }) => strength),
    rows: rows.map(({ strength }) => strength !== 0),
  });
  return intervened;
}

function logitsIn(model: Module, output: unknown): Tensor {
  return logitsEverywhere(OP, model, output, "neutral texts are compared by");
}
