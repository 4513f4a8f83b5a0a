import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { range } from "../../base/lists.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { Module } from "../../nn/module.ts";
import { grad } from "../../tensor/autograd.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { stack } from "../../tensor/functions/shaping.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { oneText, type TextInputs, type TextTokenizer } from "../data/one-text.ts";
import { normBefore, upstreamUntil } from "../residual/graph-reading.ts";
import { ResidualStream } from "../residual/residual-stream.ts";
import { residualWrites } from "../residual/residual-writes.ts";
import { NamedArray } from "../results/named-array.ts";
import { DirectLogits } from "./direct-logits-result.ts";
import { neuronLayers, type NeuronWrites, neuronWrites } from "./direct-neurons.ts";
import { tokenId } from "./token-id.ts";

/** An answer: a text of one token, or an id. */
export type Answer = string | number;

/** Which logits are taken apart. */
export interface DirectLogitsOptions {
  /** What texts are read with. */
  readonly tokenizer?: TextTokenizer;
  /** The answer, or several, of which the mean is taken. */
  readonly right: Answer | readonly Answer[];
  /** What it is compared with. @default nothing: the logit itself is taken apart */
  readonly wrong?: Answer | readonly Answer[];
  /** The position that predicts them; negative ones count from the end. @default -1 */
  readonly position?: number;
  /**
   * Whether MLPs are taken apart by neuron: all, or those of some layers. A neuron is what the MLP's last
   * projection is given.
   * @default false
   */
  readonly neurons?: boolean | readonly number[];
}

const OP = "directLogits";
const OPTIONS: OptionNames<DirectLogitsOptions> = {
  tokenizer: true,
  right: true,
  wrong: true,
  position: true,
  neurons: true,
};

/**
 * Direct logit attribution: what each part of a model writes straight into a logit, or a difference of two,
 * with the final norm's scale of the whole state. Parts are what the first layer is given (`input`), each head
 * (`a0.h1`), what an attention adds beside its heads (`a0.bias`) and each MLP (`m0`); with the remainder, which
 * are biases of the norm and of the matrix of logits, they sum to the difference. Where a family caps its
 * logits, the difference is that before the cap. With `neurons`, the part of each MLP is taken apart in turn.
 *
 * @param inputs - A text, or what the model's `forward` takes, of one row.
 * @throws TsveneError for models whose layers do not add to a residual stream, which says why, and for neurons of
 * MLPs that mix experts.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, directLogits } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const direct = await directLogits(model, "The capital of Italy is", {
 *   tokenizer,
 *   right: " Rome",
 *   wrong: " Madrid",
 * });
 * console.log(direct.values.ranked().slice(0, 3), direct.remainder, direct.total);
 * ```
 */
export async function directLogits(
  model: Module,
  inputs: TextInputs,
  options: DirectLogitsOptions,
): Promise<DirectLogits> {
  requireKnownOptions(OP, options, OPTIONS);
  if (!(model instanceof Module)) fail(OP, `first a model, got ${describeValue(model)}`);
  const text = await oneText(OP, inputs, options.tokenizer);
  const stream = new ResidualStream(OP, model, text.inputs);
  const layers = neuronLayers(OP, stream, options.neurons);
  const pass = stream.trace(text.inputs);
  const { logits } = pass.result as { readonly logits?: unknown };
  if (!(logits instanceof Tensor) || logits.ndim !== 3) {
    return fail(OP, `${model.constructor.name} gives no logits at every position`);
  }
  const at = positionIn(options.position, logits.size(1));
  const { normed, linear, bias } = lastNorm(pass.final, logits);
  const ids = (answers: DirectLogitsOptions["wrong"], name: string): readonly number[] =>
    ([answers ?? []].flat() as readonly Answer[]).map((answer) =>
      tokenId(OP, { answer, name, given: inputs, ...options, vocabulary: logits.size(-1) }),
    );
  const [right, wrong] = [ids(options.right, "right"), ids(options.wrong, "wrong")];
  if (right.length === 0) fail(OP, "right is missing: the answer whose logit is taken apart");
  const row = uncapped(normed, logits).select(1, at).squeeze(0);
  const total =
    wrong.length === 0 ? meanAt(row, right) : meanAt(row, right).sub(meanAt(row, wrong));
  const direction = grad(total, [normed])[0].select(1, at).squeeze(0);
  const along = (x: Tensor): Tensor => x.mul(direction).sum({ dim: -1 });
  const writes = residualWrites(stream, pass);
  const parts = stack(writes.map(({ value }) => linear(value).select(1, at).squeeze(0)));
  const values = along(parts);
  const offset = bias === undefined ? along(normed.mul(0).select(1, at).squeeze(0)) : along(bias);
  const remainder = total.sub(along(normed.select(1, at).squeeze(0))).add(offset);
  const place = { model: model.constructor.name, pass, at };
  const writtenAt = (x: Tensor): Tensor => along(linear(x).select(1, at).squeeze(0));
  const taken = layers.map((layer) => neuronWrites(OP, place, layer, writtenAt));
  const apart = taken.flatMap(({ neurons, bias: rest }) => [neurons, rest]);
  await evaluate(values, total, remainder, ...apart);
  return new DirectLogits({
    values: new NamedArray({
      name: wrong.length === 0 ? "logit" : "logit difference",
      axes: [{ name: "component", values: writes.map(({ node }) => node.name) }],
      values: await values.toArray(1),
    }),
    nodes: writes.map(({ node }) => node),
    ...(taken.length > 0 && (await neuronArrays(taken))),
    remainder: await remainder.item(),
    total: await total.item(),
  });
}

async function neuronArrays(
  taken: readonly NeuronWrites[],
): Promise<Pick<DirectLogits, "neurons" | "neuronBias">> {
  const axis = { name: "layer", values: taken.map(({ layer }) => layer) };
  const rows = await Promise.all(taken.map(async ({ neurons }) => neurons.toArray(1)));
  const width = Math.max(...rows.map(({ length }) => length));
  return {
    neurons: new NamedArray({
      name: "effect of a neuron",
      axes: [axis, { name: "neuron", values: range(width) }],
      values: rows.flatMap((row) => range(width).map((i) => row[i] ?? NaN)),
    }),
    neuronBias: new NamedArray({
      name: "effect of an MLP's biases",
      axes: [axis],
      values: await Promise.all(taken.map(async ({ bias }) => bias.item())),
    }),
  };
}

function positionIn(position: number | undefined, length: number): number {
  const wanted = position ?? -1;
  const at = wanted < 0 ? wanted + length : wanted;
  if (isCount(at) && at < length) return at;
  return fail(OP, `position must be from ${-length} to ${length - 1}, got ${shown(position)}`);
}

/** What is read of the last state, and how a part of it is. */
interface LastNorm {
  readonly normed: Tensor;
  readonly linear: (part: Tensor) => Tensor;
  readonly bias: Tensor | undefined;
}

/** A model without a final norm reads the state itself. */
function lastNorm(final: Tensor, logits: Tensor): LastNorm {
  for (const t of upstreamUntil(logits, (u) => u === final)) {
    const norm = normBefore(t);
    if (norm?.of === final) return { normed: t, linear: norm.linear, bias: norm.bias };
  }
  return { normed: final, linear: (part) => part, bias: undefined };
}

/** The logits, or what they were before a cap, which is not linear. */
function uncapped(normed: Tensor, logits: Tensor): Tensor {
  const between = [...upstreamUntil(logits, (t) => t === normed)];
  const isCapped = between.some(({ origin }) => origin?.op === "tanh");
  if (!isCapped) return logits;
  const linear = between.find(
    (t) => t.origin?.op === "linear" && t.shape.at(-1) === logits.shape.at(-1),
  );
  return (
    linear ?? fail(OP, "the logits are no linear function of the final norm, nor a cap of one")
  );
}

function meanAt(row: Tensor, ids: readonly number[]): Tensor {
  return stack(ids.map((id) => row.select(0, id))).mean();
}
