import { describeValue, shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { range } from "../../base/lists.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Module } from "../../nn/module.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import type { ResidualEdge } from "../residual/residual-edges.ts";
import { Effects } from "../results/effects.ts";
import { NamedArray } from "../results/named-array.ts";
import { EdgeRuns } from "./edge-runs.ts";
import { OPTIONS, PATCHING, type Patching, type PatchingOptions } from "./patching.ts";

/**
 * Edges that carry the source's values: names, `"a0.h1->m2"`, `"m1->a2.h0<q>"`, `"a2.h0->logits"`; or names
 * with weights, 1 for the source's value, 0 for that of the run, and in between for a mean of both.
 */
export type EdgeSet = readonly string[] | Readonly<Record<string, number>>;

/** Which edges carry what, and what is measured: plain data, where the metric is named. */
export interface EdgePatching extends Patching {
  /** Sets of edges by name; each is a run of its own. */
  readonly sets: Readonly<Record<string, EdgeSet>>;
}

const OP = "runEdges";
const ASKED: OptionNames<EdgePatching> = { ...PATCHING, sets: true };

/**
 * Runs pairs with sets of edges of the residual stream that carry the source's values: along a chosen edge a
 * receiver sees what the sender wrote in the source's run, along all others what it writes in the edited run
 * itself; all that comes after is computed anew, through norms of the sum. Senders are `input`, heads
 * (`a0.h1`) and MLPs (`m0`); receivers are each head's queries, keys and values (`a2.h0<q>`), MLPs and
 * `logits`. (Goldowsky-Dill et al. 2023, names of EAP-IG's graphs)
 *
 * @returns The metric by `set` and pair. All edges make the source's answer, and none the base's.
 * @throws TsveneError for an edge that is none, and models whose layers do not add to a residual stream.
 *
 * @example
 * ```ts
 * import { AutoModelForCausalLM, AutoTokenizer, contrastPairs, runEdges } from "tsvene";
 * const model = await AutoModelForCausalLM.fromPretrained("tsvene-mini");
 * const tokenizer = await AutoTokenizer.fromPretrained("tsvene-mini");
 * const pairs = contrastPairs(tokenizer, [
 *   {
 *     clean: "The capital of Italy is",
 *     corrupt: "The capital of Spain is",
 *     right: " Rome",
 *     wrong: " Madrid",
 *   },
 * ]);
 * const effects = await runEdges(model, pairs, {
 *   sets: { direct: ["m3->logits"], through: ["m3->a4.h0<v>", "m3->m4"], half: { "m3->m4": 0.5 } },
 * });
 * console.log(String(effects));
 * ```
 */
export async function runEdges(
  model: Module,
  pairs: ContrastData,
  asked: EdgePatching,
  options: PatchingOptions = {},
): Promise<Effects> {
  requireKnownOptions(OP, asked, ASKED);
  requireKnownOptions(OP, options, OPTIONS);
  const { sets, ...patching } = asked;
  const names = Object.keys(sets ?? {});
  if (names.length === 0) fail(OP, 'sets: give at least one: { first: ["a0.h1->m2"] }');
  const runs = new EdgeRuns(OP, model, pairs, patching, options);
  const weights = Object.entries(sets).map(([name, set]) => edgeWeights(OP, runs.edges, set, name));
  const { clean, corrupt } = await runs.unedited();
  const values = await runs.run(weights, options);
  const { metric, direction } = runs.runs;
  const axes = [
    { name: "set", values: names },
    { name: "example", values: range(pairs.length) },
  ];
  const named = new NamedArray({ name: metric.name, axes, values: values.flat() });
  return new Effects({ values: named, direction, clean, corrupt, isShare: metric.isShare });
}

/** A weight for each edge. @throws TsveneError for an edge that is none. */
export function edgeWeights(
  op: string,
  edges: readonly ResidualEdge[],
  set: EdgeSet,
  name: string,
): Float32Array {
  if (typeof set !== "object" || set === null) {
    fail(op, `set ${name}: names of edges, or names with weights, got ${describeValue(set)}`);
  }
  const given: readonly (readonly [string, unknown])[] = Array.isArray(set)
    ? set.map((edge: string) => [edge, 1] as const)
    : Object.entries(set);
  const places = new Map(edges.map((edge, i) => [edge.name, i]));
  const weights = new Float32Array(edges.length);
  for (const [edge, weight] of given) {
    const place = places.get(edge);
    if (place === undefined) {
      return fail(op, `set ${name}: there is no edge ${edge}; ${didYouMean(edge, places.keys())}`);
    }
    if (typeof weight !== "number" || !Number.isFinite(weight)) {
      fail(op, `set ${name}: the weight of ${edge} must be a number, got ${shown(weight)}`);
    }
    weights[place] = weight;
  }
  return weights;
}
