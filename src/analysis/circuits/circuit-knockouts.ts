import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import { isCount } from "../../base/is-count.ts";
import { type OptionNames, requireKnownOptions, requireOneOf } from "../../base/known-options.ts";
import { range } from "../../base/lists.ts";
import type { Module } from "../../nn/module.ts";
import { Generator } from "../../tensor/random/generator.ts";
import { meanOf } from "../../training/alignment/statistics.ts";
import type { ContrastData } from "../data/contrast-data.ts";
import { OPTIONS, type PatchingOptions } from "../paths/patching.ts";
import { drawn } from "../results/drawn.ts";
import { NamedArray } from "../results/named-array.ts";
import { Circuit } from "./circuit.ts";
import { type CircuitMeasure, CircuitRuns } from "./circuit-runs.ts";

/** What is knocked out of a circuit and of the model: plain data, where the metric is named. */
export interface CompletenessSettings extends CircuitMeasure {
  /** The circuit. */
  readonly circuit: Circuit;
  /** Nodes or edges by name; each list is a run of its own. @default `draws` random halves of its nodes */
  readonly knockouts?: Readonly<Record<string, readonly string[]>>;
  /** How many random sets of nodes. @default 10 */
  readonly draws?: number;
  /** Where they start. @default 0 */
  readonly seed?: number;
}

/** What of a circuit is left out: plain data, where the metric is named. */
export interface MinimalitySettings extends CircuitMeasure {
  /** The circuit. */
  readonly circuit: Circuit;
  /** What is left out one by one. @default "nodes" */
  readonly by?: "nodes" | "edges";
  /**
   * What is left out already when a node or an edge is looked at, by its name, such as others that do the same.
   * @default nothing
   */
  readonly given?: Readonly<Record<string, readonly string[]>>;
}

/** What a circuit and the model do without the same parts. */
export interface Completeness {
  /** The metric by `knockout`, `of` (`"circuit"` and `"model"`) and `example`. */
  readonly values: NamedArray;
  /**
   * By `knockout`, how far apart the means of both are: small where the circuit has what does the same as
   * others (Wang et al., 2022).
   */
  readonly incompleteness: NamedArray;
}

/** What a circuit does without each of its parts. */
export interface Minimality {
  /** The metric by `part`, `with` (`true` and `false`, as texts) and `example`. */
  readonly values: NamedArray;
  /** By `part`, what its absence changes of the mean: what is near 0 is not needed (Wang et al., 2022). */
  readonly changes: NamedArray;
}

const COMPLETENESS: OptionNames<CompletenessSettings> = {
  circuit: true,
  knockouts: true,
  draws: true,
  seed: true,
  source: true,
  metric: true,
};
const MINIMALITY: OptionNames<MinimalitySettings> = {
  circuit: true,
  by: true,
  given: true,
  source: true,
  metric: true,
};

/**
 * Whether a circuit does what the model does when the same nodes are knocked out of both: whether all is in it
 * that does something, also what another node stands in for.
 *
 * @throws TsveneError for nodes that the model does not have.
 */
export async function circuitCompleteness(
  model: Module,
  pairs: ContrastData,
  asked: CompletenessSettings,
  options: PatchingOptions = {},
): Promise<Completeness> {
  const op = "circuitCompleteness";
  requireKnownOptions(op, asked, COMPLETENESS);
  requireKnownOptions(op, options, OPTIONS);
  const { circuit, draws = 10, seed = 0, knockouts, ...measure } = asked;
  if (!isCount(draws)) fail(op, `draws must be a number of sets, got ${shown(draws)}`);
  const runs = new CircuitRuns(op, model, pairs, measure, options);
  runs.require(circuit);
  const sets = knockouts ?? randomHalves(circuit, draws, seed);
  if (Object.keys(sets).length === 0) {
    fail(op, 'knockouts: give at least one: { movers: ["a3.h2"] }');
  }
  const whole = Circuit.whole(circuit);
  const circuits = Object.values(sets).flatMap((out) => [circuit.without(out), whole.without(out)]);
  const values = named(runs, await runs.run(circuits, options), {
    name: "knockout",
    parts: Object.keys(sets),
    inner: { name: "of", values: ["circuit", "model"] },
    count: pairs.length,
  });
  const incompleteness = differences(values, "of", "incompleteness").map(Math.abs);
  return { values, incompleteness };
}

/**
 * Whether a circuit needs each of its nodes, or edges: what it does without it, beside what may do the same.
 *
 * @throws TsveneError for nodes that the model does not have.
 */
export async function circuitMinimality(
  model: Module,
  pairs: ContrastData,
  asked: MinimalitySettings,
  options: PatchingOptions = {},
): Promise<Minimality> {
  const op = "circuitMinimality";
  requireKnownOptions(op, asked, MINIMALITY);
  requireKnownOptions(op, options, OPTIONS);
  const { circuit, by = "nodes", given = {}, ...measure } = asked;
  requireOneOf(op, "by", by, ["nodes", "edges"]);
  const runs = new CircuitRuns(op, model, pairs, measure, options);
  runs.require(circuit);
  const parts = by === "edges" ? circuit.edges : circuit.nodes.filter((name) => name !== "logits");
  if (parts.length === 0) fail(op, "the circuit has no edges");
  const unknown = Object.keys(given).find((name) => !parts.includes(name));
  if (unknown !== undefined) fail(op, `given: ${unknown} is none of the circuit's ${by}`);
  const circuits = parts.flatMap((part) => {
    const before = circuit.without(given[part] ?? []);
    return [before, before.without([part])];
  });
  const values = named(runs, await runs.run(circuits, options), {
    name: "part",
    parts,
    inner: { name: "with", values: ["true", "false"] },
    count: pairs.length,
  });
  return {
    values,
    changes: differences(values, "with", `change of ${runs.metric}`).map((x) => -x),
  };
}

/** Half of a circuit's nodes that are neither the input nor the end, drawn anew for each set. */
function randomHalves(
  { nodes }: Circuit,
  draws: number,
  seed: number,
): Readonly<Record<string, readonly string[]>> {
  const generator = new Generator(seed);
  const inner = nodes.filter((name) => name !== "input" && name !== "logits");
  return Object.fromEntries(
    range(draws).map((i) => {
      const half = drawn(inner, Math.ceil(inner.length / 2), generator);
      return [`random half ${i + 1}`, half];
    }),
  );
}

/** How runs are named: of each part one for each value of an inner axis. */
interface Naming {
  readonly name: string;
  readonly parts: readonly string[];
  readonly inner: NamedArray["axes"][number];
  readonly count: number;
}

function named(
  { metric }: CircuitRuns,
  values: readonly (readonly number[])[],
  { name, parts, inner, count }: Naming,
): NamedArray {
  const axes = [{ name, values: parts }, inner, { name: "example", values: range(count) }];
  return new NamedArray({ name: metric, axes, values: values.flat() });
}

/** The first of an axis' two means less the second. */
function differences(values: NamedArray, axis: string, name: string): NamedArray {
  const means = values.reduce("example", (own) => meanOf([...own]));
  return means.reduce(axis, ([first = NaN, second = NaN]) => first - second, name);
}
