import { fail } from "../../base/errors.ts";
import { resolveSite, type Site } from "../../intervenable/sites/address.ts";
import { cardOf } from "../../models/model/bound-card.ts";
import type { Module } from "../../nn/module.ts";
import { grad } from "../../tensor/autograd.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ContrastBatch, ContrastData, ContrastSide } from "../data/contrast-data.ts";
import type { ContrastMetric } from "../metrics/contrast-metric.ts";
import { traceMetric, type TracedMetric } from "../metrics/traced-metric.ts";
import { range } from "../../base/lists.ts";
import { ResidualStream } from "../residual/residual-stream.ts";
import { SIDES } from "../sweep/sweep-source.ts";
import { FIXED, fixedSums } from "./attention-fix.ts";
import type { CellsAtPlace } from "./attribution-cells.ts";
import type { Attribution, GradientRule } from "./attribution-options.ts";
import { type CellPairs, cellSums, cellView } from "./cell-sums.ts";
import {
  embeddingSite,
  inputTensor,
  traceStates,
  type TracedStates,
  type TraceStates,
} from "./traced-states.ts";

/** What all programs of an attribution have in common. */
export interface AttributionRuns {
  readonly op: string;
  readonly model: Module;
  readonly data: ContrastData;
  readonly metric: Required<ContrastMetric>;
  readonly asked: Omit<Attribution, "sites">;
}

/** What is traced of some pairs. */
export interface Estimates {
  /** Of each place, as `cellSums`. */
  readonly sums: readonly Tensor[];
  /** The metric of each input, [batch]. */
  readonly clean: Tensor;
  readonly corrupt: Tensor;
  /** The greatest gradient of the metric, with respect to the logits if it reads them. */
  readonly steepest: Tensor;
  /** Of integrated gradients, [batch]. */
  readonly convergenceDelta: Tensor | undefined;
}

/** The name of the embeddings among sites. */
const ENTRY = "embeddings";

/** The inputs of some pairs, and the states at all sites in both. */
interface Ends {
  readonly batch: ContrastBatch;
  readonly states: Readonly<Record<ContrastSide, TracedStates>>;
  readonly metrics: Readonly<Record<ContrastSide, TracedMetric>>;
}

/** Gradients by the sites' names, the mean over the points where they were taken. */
interface Gradients {
  readonly at: ReadonlyMap<string, Tensor>;
  readonly steepest: Tensor;
}

/** Traces what all cells of some pairs are estimated to change. Nothing is computed. */
export function traceEstimates(
  runs: AttributionRuns,
  places: readonly CellsAtPlace[],
  pairs: readonly number[],
): Estimates {
  const { data, asked } = runs;
  const sides = SIDES[asked.direction ?? "denoise"];
  const sites = sitesToRead(runs, places);
  const ends = traceEnds(runs, sites, pairs);
  const passes = gradientPasses(runs, sites, ends);
  const own: CellPairs = { data, pairs, sides };
  const stream =
    asked.qkFix === true
      ? new ResidualStream(runs.op, runs.model, ends.batch[sides.base])
      : undefined;
  const pass = stream?.trace(ends.batch[sides.base]);
  const sums = places.map((place) => {
    const view = (states: ReadonlyMap<string, Tensor>): Tensor =>
      cellView(stateOf(states, place.key), place.site);
    const [base, source] = [view(ends.states[sides.base].at), view(ends.states[sides.from].at)];
    const each = passes.map(({ at }) => {
      const gradient = view(at);
      if (stream === undefined || pass === undefined || !FIXED.has(place.component)) {
        return cellSums(place, own, source, (from) => from.sub(base).mul(gradient));
      }
      const weights = stateOf(at, weightsName(place.layer ?? 0));
      return fixedSums({ stream, pass, place, pairs: own, source, gradient: weights });
    });
    return together(each);
  });
  return {
    sums,
    clean: ends.metrics.clean.values,
    corrupt: ends.metrics.corrupt.values,
    steepest: cat(
      passes.map(({ steepest }) => steepest.reshape([1])),
      0,
    ).amax(),
    convergenceDelta: convergence(runs, ends, passes),
  };
}

/** Of one pass, its estimate; of several, each without a layer, their mean magnitude (AtP*). */
function together(each: readonly Tensor[]): Tensor {
  const [first, ...rest] = each;
  if (first === undefined) return fail("attribute", "there is no gradient");
  if (rest.length === 0) return first;
  return rest.reduce((sum, one) => sum.add(one.abs()), first.abs()).div(rest.length);
}

/** The sites of all cells, of attention weights where these are computed anew, and of the embeddings. */
function sitesToRead(
  { op, model, asked }: AttributionRuns,
  places: readonly CellsAtPlace[],
): ReadonlyMap<string, Site> {
  const sites = new Map(places.map(({ key, site }) => [key, site]));
  if (asked.qkFix === true) {
    const fixed = places.filter(({ component }) => FIXED.has(component));
    if (fixed.length === 0) {
      fail(op, "qkFix is of head_query_output and head_key_output, which sites do not name");
    }
    const card = cardOf(model);
    for (const { layer = 0 } of fixed) {
      const component = "attention_weight";
      sites.set(weightsName(layer), resolveSite(model, card, { layer, component }));
    }
  }
  const entry = asked.method === "integratedGradients" ? embeddingSite(model) : undefined;
  return entry === undefined ? sites : new Map([[ENTRY, entry], ...sites]);
}

function weightsName(layer: number): string {
  return `weights ${layer}`;
}

function traceEnds(
  runs: AttributionRuns,
  sites: ReadonlyMap<string, Site>,
  pairs: readonly number[],
): Ends {
  const batch = runs.data.batch(pairs);
  const traced = (side: ContrastSide): TracedStates =>
    traceStates(runs.model, batch[side], { sites });
  const states = { clean: traced("clean"), corrupt: traced("corrupt") };
  const measured = (side: ContrastSide): TracedMetric =>
    traceMetric({ ...runs, batch, side, output: states[side].output });
  return { batch, states, metrics: { clean: measured("clean"), corrupt: measured("corrupt") } };
}

/** The passes in which gradients are taken: one, or with `gradDrop` one without each layer. */
function gradientPasses(
  runs: AttributionRuns,
  sites: ReadonlyMap<string, Site>,
  { batch, states, metrics }: Ends,
): readonly Gradients[] {
  const { asked, model } = runs;
  const { base: side } = SIDES[asked.direction ?? "denoise"];
  if (asked.method === "integratedGradients") {
    return [pathGradients(runs, sites, { batch, states, metrics })];
  }
  if (asked.gradDrop !== true) return [gradientsOf(metrics[side], states[side].at)];
  return droppedSites(runs).map((dropped) => {
    const own = traceStates(model, batch[side], { sites, dropped });
    const metric = traceMetric({ ...runs, batch, side, output: own.output });
    return gradientsOf(metric, own.at);
  });
}

/** What each layer adds to the residual stream. */
function droppedSites({ op, model }: AttributionRuns): readonly (readonly Site[])[] {
  const card = cardOf(model);
  const components = ["attention_addition", "mlp_addition"];
  if (card === undefined || !components.every((name) => card.components.has(name))) {
    return fail(
      op,
      "gradDrop leaves out attention_addition and mlp_addition, which this model lacks",
    );
  }
  if (card.layers < 2) fail(op, "gradDrop leaves out one layer after the other; the model has one");
  return range(card.layers).map((layer) =>
    components.map((component) => resolveSite(model, card, { layer, component })),
  );
}

function gradientsOf(
  { values, logits }: TracedMetric,
  states: ReadonlyMap<string, Tensor>,
): Gradients {
  const names = [...states.keys()];
  const targets = [...states.values(), ...(logits === undefined ? [] : [logits])];
  const gradients = grad(values.sum(), targets, { allowUnused: true });
  const looked = logits === undefined ? gradients : gradients.slice(names.length);
  const steepest = cat(
    looked.map((g) => g.abs().amax().reshape([1])),
    0,
  ).amax();
  const at = new Map(names.map((name, i) => [name, gradients[i] as Tensor]));
  return { at, steepest };
}

/** The mean of the gradients at points on the way from the corrupt inputs to the clean ones. */
function pathGradients(
  runs: AttributionRuns,
  sites: ReadonlyMap<string, Site>,
  ends: Ends,
): Gradients {
  const { model, data, asked } = runs;
  const { base: side } = SIDES[asked.direction ?? "denoise"];
  const points = pathPoints(asked);
  const pairs = points.flatMap(() => ends.batch.indices);
  const batch = data.batch(pairs);
  const { clean, corrupt } = embeddingsOf(runs, ends);
  const along = tensor(points).reshape([points.length, ...clean.shape.map(() => 1)]);
  const moved = corrupt.unsqueeze(0).add(clean.sub(corrupt).unsqueeze(0).mul(along));
  const embedded = moved.reshape([pairs.length, ...clean.shape.slice(1)]);
  const traced = tracePath(model, batch[side], { sites, embedded });
  const metric = traceMetric({ ...runs, batch, side, output: traced.output });
  const { at, steepest } = gradientsOf(metric, traced.at);
  const mean = (g: Tensor): Tensor =>
    g.reshape([points.length, -1, ...g.shape.slice(1)]).mean({ dim: 0 });
  return { steepest, at: new Map([...at].map(([name, g]) => [name, mean(g)])) };
}

/** Where inputs themselves are moved, they are what gradients are taken of. */
function tracePath(model: Module, inputs: unknown, asked: TraceStates): TracedStates {
  const traced = traceStates(model, inputs, asked);
  const { embedded } = asked;
  if (traced.at.has(ENTRY) || embedded === undefined) return traced;
  return { ...traced, at: new Map([[ENTRY, embedded], ...traced.at]) };
}

/** Shares of the way, from the corrupt end. */
export function pathPoints({ steps = 10, rule = "midpoint" }: GradientRule): readonly number[] {
  const shift = rule === "midpoint" ? 0.5 : 0;
  return range(steps).map((i) => (i + shift) / steps);
}

function embeddingsOf(
  { op, model }: AttributionRuns,
  { batch, states }: Ends,
): Readonly<Record<ContrastSide, Tensor>> {
  const of = (side: ContrastSide): Tensor =>
    states[side].at.get(ENTRY) ?? inputTensor(op, model, batch[side]);
  return { clean: of("clean"), corrupt: of("corrupt") };
}

/** What all embeddings are said to change, less what they do. */
function convergence(
  runs: AttributionRuns,
  ends: Ends,
  [pass]: readonly Gradients[],
): Tensor | undefined {
  const gradient = pass?.at.get(ENTRY);
  if (runs.asked.method !== "integratedGradients" || gradient === undefined) return undefined;
  const { base, from: source } = SIDES[runs.asked.direction ?? "denoise"];
  const { [base]: before, [source]: after } = embeddingsOf(runs, ends);
  const said = after.sub(before).mul(gradient).flatten(1).sum({ dim: 1 });
  return said.sub(ends.metrics[source].values.sub(ends.metrics[base].values));
}

function stateOf(states: ReadonlyMap<string, Tensor>, name: string): Tensor {
  return states.get(name) ?? fail("attribute", `there is no state ${name}`);
}
