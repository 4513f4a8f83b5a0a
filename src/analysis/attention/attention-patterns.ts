import { range } from "../../base/lists.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import type { Module } from "../../nn/module.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { oneText, positionAxis, type TextInputs, type TextTokenizer } from "../data/one-text.ts";
import { NamedArray } from "../results/named-array.ts";
import { attentionSites, traceAttention } from "./attention-sites.ts";
import { traceWrittenShares } from "./weigh-by-values.ts";

/** Which attention is read. */
export interface AttentionOptions {
  /** What texts are read with, and tokens are written with. @default ids are written as numbers */
  readonly tokenizer?: TextTokenizer;
  /**
   * The component, such as `"encoder.attention_weight"` or `"decoder.cross_attention_weight"`.
   * @default the attention weights of the text that is written
   */
  readonly component?: string;
  /**
   * What a pattern says of a key: `"attention"`, its weight; `"value"`, its share in what the head writes: the
   * weight times the length of the key's value as the head writes it to the residual stream, before any norm,
   * by the sum of these over the keys (Kobayashi and others, 2020). A key that gets much attention but has
   * nothing to say, as the first token often, then gets little.
   * @default "attention"
   */
  readonly weighting?: "attention" | "value";
}

const OP = "attentionPatterns";
const OPTIONS: OptionNames<AttentionOptions> = {
  tokenizer: true,
  component: true,
  weighting: true,
};

/**
 * The attention weights of every head, [layer, head, query, key]: for each query the shares of the keys,
 * labelled by tokens. A head that a layer does not have is NaN.
 *
 * @param inputs - A text, or what the model's `forward` takes, of one row.
 * @throws TsveneError for models without attention, and `weighting: "value"` for those without a residual stream
 * that can be taken apart.
 *
 * @example
 * ```ts
 * import { attentionPatterns, attentionPlot, AutoModelForCausalLM, AutoTokenizer, toSvg } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const patterns = await attentionPatterns(model, "The capital of Italy is", { tokenizer });
 * console.log(patterns.at({ layer: 0, head: 3, query: 4 }).toArray()); // from the last token
 * console.log((await toSvg(attentionPlot(patterns))).length);
 * ```
 */
export async function attentionPatterns(
  model: Module,
  inputs: TextInputs,
  options: AttentionOptions = {},
): Promise<NamedArray> {
  requireKnownOptions(OP, options, OPTIONS);
  const { component, weighting = "attention" } = options;
  requireOneOf(OP, "weighting", weighting, ["attention", "value"]);
  if (component !== undefined && weighting === "value") {
    fail(
      OP,
      'weighting "value" is of the attention that writes to the residual stream; leave out component',
    );
  }
  const sites = attentionSites(OP, model, component);
  const text = await oneText(OP, inputs, options.tokenizer);
  const layers =
    weighting === "value"
      ? traceWrittenShares(OP, model, text.inputs)
      : traceAttention(OP, sites, text.inputs);
  for (const { weights } of layers) {
    const [batch, ...rest] = weights.shape;
    if (batch === 1 && rest.length === 3) continue;
    fail(
      OP,
      `one text is read at a time, but the attention weights are [${weights.shape.join(", ")}]`,
    );
  }
  await evaluate(...layers.map(({ weights }) => weights));
  const [heads, queries, keys] = [1, 2, 3].map((axis) =>
    Math.max(...layers.map(({ weights }) => weights.size(axis))),
  ) as [number, number, number];
  return new NamedArray({
    name: weighting === "value" ? "share of what is written" : "attention",
    axes: [
      { name: "layer", values: layers.map(({ layer }) => layer) },
      { name: "head", values: range(heads) },
      positionAxis("query", queries, text.tokens),
      positionAxis("key", keys, text.tokens),
    ],
    values: await valuesOf(layers, [heads, queries, keys]),
  });
}

/** [layer, head, query, key]; a layer with fewer heads, or a window, fills the beginning of its part. */
async function valuesOf(
  layers: readonly { readonly weights: Tensor }[],
  [heads, queries, keys]: readonly [number, number, number],
): Promise<Float64Array> {
  const values = new Float64Array(layers.length * heads * queries * keys).fill(NaN);
  for (const [i, { weights }] of layers.entries()) {
    const own = await weights.squeeze(0).toArray(3);
    own.forEach((rows, head) =>
      rows.forEach((row, query) => {
        values.set(row, ((i * heads + head) * queries + query) * keys);
      }),
    );
  }
  return values;
}
