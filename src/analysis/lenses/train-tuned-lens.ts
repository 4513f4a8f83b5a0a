import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { logSoftmax } from "../../nn/functional/activations.ts";
import { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { PromptTokenizer } from "../../training/data/prompt-options.ts";
import { train } from "../../training/loop/train.ts";
import type {
  LoopOptions,
  TracedBatch,
  TrainingData,
  TrainingResult,
} from "../../training/loop/train-options.ts";
import { textData } from "../data/text-data.ts";
import { divergence } from "../metrics/contrast-metric.ts";
import { requireLens } from "./read-tuned.ts";
import { decodeState, type Stream, streamOf, traceStream } from "./stream.ts";
import { TunedLens } from "./tuned-lens.ts";

/** How a lens is trained: the options of `train`, and what is named here. */
export interface TunedLensTraining extends LoopOptions<object> {
  /** What texts are read with. @default none, for inputs */
  readonly tokenizer?: PromptTokenizer;
  /** A lens to go on from. @default a new one, which is the logit lens */
  readonly lens?: TunedLens;
  /** What is kept of the model's name in the lens's files. @default nothing */
  readonly baseModel?: string;
}

/** A lens, and how its training went. */
export interface TrainedLens extends TrainingResult {
  /** The lens. */
  readonly lens: TunedLens;
}

/** What a training has where nothing is said. */
const DEFAULTS = { steps: 250, batchSize: 8 } as const;
const OP = "trainTunedLens";

/**
 * Trains a translator for each layer, so that what is read of its states is as near as can be to what the model
 * says in the end: the divergence of the latter from the former, the mean over all tokens, is made small
 * (Belrose and others, 2023). The model stays as it is; its states are computed once for each text.
 *
 * @param texts - Texts, or data whose batches are what the model's `forward` takes.
 * @returns The lens, and how it went: the divergence of each layer is a metric of the steps.
 * @throws TsveneError for texts without a tokenizer, and models without layers on a residual stream or without
 * logits at every position.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, trainTunedLens, tunedLens } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const texts = ["Italy", "Spain", "France"].map((name) => `The capital of ${name} is`);
 * const { lens } = await trainTunedLens(model, texts, { tokenizer, steps: 5 });
 * const reading = await tunedLens(model, lens, "The capital of Peru is", { tokenizer });
 * console.log(reading.kl.at({ position: 4 }).toArray());
 * ```
 */
export async function trainTunedLens(
  model: Module,
  texts: readonly string[] | TrainingData<object>,
  options: TunedLensTraining = {},
): Promise<TrainedLens> {
  if (!(model instanceof Module)) fail(OP, `first a model, got ${describeValue(model)}`);
  const { tokenizer, lens: given, baseModel, ...loop } = options;
  const stream = streamOf(OP, model);
  const data = dataOf(texts, tokenizer);
  const lens = given ?? newLens(stream, data, baseModel);
  requireLens(OP, lens, stream);
  const amount = loop.epochs === undefined ? DEFAULTS : { batchSize: DEFAULTS.batchSize };
  const result = await train({
    ...amount,
    ...loop,
    parameters: lens,
    data,
    loss: (inputs) => lensLoss(stream, lens, inputs),
  });
  return { lens, ...result };
}

function dataOf(
  texts: readonly string[] | TrainingData<object>,
  tokenizer: PromptTokenizer | undefined,
): TrainingData<object> {
  if (Array.isArray(texts)) {
    if (tokenizer === undefined) fail(OP, "texts need a tokenizer: pass { tokenizer }");
    const read = textData(OP, tokenizer, texts as readonly string[]);
    return { length: read.length, batch: (indices) => read.batch(indices).clean };
  }
  const { length, batch } = (texts ?? {}) as Partial<TrainingData<object>>;
  if (typeof batch === "function" && Number(length) >= 1) return texts as TrainingData<object>;
  return fail(OP, `second texts, or data { length, batch(indices) }, got ${shown(texts)}`);
}

function newLens(
  stream: Stream,
  data: TrainingData<object>,
  baseModel: string | undefined,
): TunedLens {
  const [state] = traceStream(OP, stream, data.batch([0])).states;
  const layers = stream.entries.length;
  const width = state?.size(-1) ?? 0;
  return new TunedLens({ width, layers, ...(baseModel !== undefined && { baseModel }) });
}

/** Every layer has parameters of its own, so that the sum is least where each of them is. */
function lensLoss(stream: Stream, lens: TunedLens, inputs: object): TracedBatch {
  const { states, logits } = traceStream(OP, stream, inputs);
  const final = logSoftmax(logits, -1);
  const weights = tokenWeights(inputs, final);
  const each = stream.entries.map((_, layer): readonly [string, Tensor] => {
    const state = states[layer] ?? fail(OP, `internal: no state enters layer ${layer}`);
    const read = decodeState(OP, stream, inputs, lens.forward(state, layer));
    const apart = divergence(final, logSoftmax(read, -1));
    return [`layer ${layer}`, weights === undefined ? apart.mean() : apart.mul(weights).sum()];
  });
  const loss = each.map(([, kl]) => kl).reduce((sum, kl) => sum.add(kl));
  return { loss, metrics: Object.fromEntries(each) };
}

/** The share of each position in the mean over all that are no padding; undefined where none is. */
function tokenWeights(inputs: object, { shape }: Tensor): Tensor | undefined {
  const given = inputs as Readonly<Record<string, unknown>>;
  const name = "decoderInputIds" in given ? "decoderAttentionMask" : "attentionMask";
  const { [name]: mask } = given;
  if (!(mask instanceof Tensor) || mask.ndim !== 2 || mask.size(1) !== shape[1]) return undefined;
  const isToken = mask.to("float32");
  return isToken.div(isToken.sum());
}
