import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { range } from "../../base/lists.ts";
import type { Module } from "../../nn/module.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { OPTIONS, type PatchingOptions } from "../paths/patching.ts";
import { NamedArray } from "../results/named-array.ts";
import { Circuit } from "./circuit.ts";
import { CircuitEvaluation } from "./circuit-evaluation.ts";
import { type CircuitMeasure, CircuitRuns } from "./circuit-runs.ts";

/** Random circuits that circuits are compared with. */
export interface CircuitControls {
  /** How many for each circuit, of as many edges. @default 3 */
  readonly controls?: number;
  /** Where they start. @default 0 */
  readonly seed?: number;
}

/** Which circuits are evaluated, and how: plain data, where the metric is named. */
export interface CircuitEvaluationSettings extends CircuitMeasure, CircuitControls {
  /** By name. */
  readonly circuits: Readonly<Record<string, Circuit>>;
}

const OP = "evaluateCircuits";
const ASKED: OptionNames<CircuitEvaluationSettings> = {
  circuits: true,
  source: true,
  metric: true,
  controls: true,
  seed: true,
};

/**
 * Runs circuits on the clean inputs, where all edges outside carry what was written for the corrupt input, or
 * means, or nothing; beside random circuits of as many edges.
 *
 * @param model - Of a family whose layers add to a residual stream.
 * @param pairs - Of prompts, `contrastPairs` makes them.
 * @returns The metric of each pair, and how faithful the circuits are.
 * @throws TsveneError, before anything runs, for circuits of another model.
 *
 * @example
 * ```ts
 * import {
 *   attributeEdges,
 *   AutoModelForCausalLM,
 *   AutoTokenizer,
 *   contrastPairs,
 *   evaluateCircuits,
 * } from "tsvene";
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
 * const { scores } = await attributeEdges(model, pairs);
 * const small = scores.circuit({ edges: 50 });
 * console.log(String(await evaluateCircuits(model, pairs, { circuits: { small } })));
 * ```
 */
export async function evaluateCircuits(
  model: Module,
  pairs: ContrastData,
  asked: CircuitEvaluationSettings,
  options: PatchingOptions = {},
): Promise<CircuitEvaluation> {
  requireKnownOptions(OP, asked, ASKED);
  requireKnownOptions(OP, options, OPTIONS);
  const { circuits, controls = 3, seed = 0, ...measure } = asked;
  const names = Object.keys(circuits ?? {});
  if (names.length === 0) fail(OP, "circuits: give at least one: { small: circuit }");
  if (!isCount(controls)) fail(OP, `controls must be a number of circuits, got ${shown(controls)}`);
  const runs = new CircuitRuns(OP, model, pairs, measure, options);
  const own = Object.values(circuits);
  for (const circuit of own) runs.require(circuit);
  const random = own.flatMap((circuit) =>
    range(controls).map((i) => Circuit.random(circuit, circuit.size, seed + i)),
  );
  const none = new Circuit({ ...modelOf(own[0]), edges: [] });
  const whole = await runs.whole();
  const [empty = [], ...rest] = await runs.run([none, ...own, ...random], options);
  const named = (axes: NamedArray["axes"], values: readonly (readonly number[])[]): NamedArray =>
    new NamedArray({
      name: runs.metric,
      axes: [
        { name: "circuit", values: names },
        ...axes,
        { name: "example", values: range(pairs.length) },
      ],
      values: values.flat(),
    });
  return new CircuitEvaluation({
    values: named([], rest.slice(0, own.length)),
    controls: named([{ name: "control", values: range(controls) }], rest.slice(own.length)),
    whole,
    empty,
    sizes: own.map(({ size }) => size),
    modelSize: none.modelSize,
  });
}

function modelOf(circuit: Circuit | undefined): Pick<Circuit, "layers" | "width"> {
  return circuit ?? fail(OP, "internal: there is no circuit");
}
