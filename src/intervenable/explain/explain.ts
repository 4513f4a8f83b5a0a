import type { Module } from "../../nn/module.ts";
import { ModuleList } from "../../nn/module-list.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { changeFirst, EditScope } from "../../nn/scope.ts";
import { describeProgram, valueIds } from "../../runtime/program/describe-program.ts";
import { pending } from "../../tensor/graph.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Mode } from "../config/config.ts";
import {
  type ExplainedIntervention,
  type ExplainedLayer,
  type ExplainedRun,
  Explanation,
} from "./explanation.ts";
import type { Action, Plan } from "../call/plan.ts";
import type { Target } from "../sites/target.ts";
import { type Activations, callModel, type TracedCall } from "../call/trace.ts";

/** A call to explain. */
export interface ExplainedCall {
  readonly model: Module;
  readonly mode: Mode;
  readonly targets: readonly Target[];
  readonly plan: Plan;
  /** What the model is called with for its original output. */
  readonly base: unknown;
  /** Traces the plan, as `forward` does. */
  readonly trace: () => TracedCall;
}

/** Results of the model's layers in one run, by path; a layer that runs at each time step has many. */
type LayerResults = ReadonlyMap<string, readonly Tensor[]>;

/** Says what a call does. Runs are traced, and nothing is computed. */
export function explainCall(call: ExplainedCall): Explanation {
  const { model, mode, targets, plan, base, trace } = call;
  const { result: traced, runs } = watchLayers(model, () => {
    const done = trace();
    return { ...done, original: callModel(model, base) };
  });
  const { activations, harvest, intervened, original } = traced;
  const outputs = [...outputsOf(intervened), ...harvest.collected.values()];
  const originals = outputsOf(original).slice(0, 1);
  const wanted = [
    ...plan.sources.map(({ reads }) => reads.flatMap(({ name }) => activations.get(name) ?? [])),
    outputs,
    originals,
  ];
  const layers = layersOf(runs, wanted, [...plan.sources.map(({ name }) => name), "base"]);
  const passes = [...plan.sources, plan.base, { name: "original", edits: [], reads: [] }];
  return new Explanation({
    mode,
    interventions: explainInterventions(
      targets,
      plan,
      traced,
      notesOn(targets, () => callModel(model, base)),
    ),
    runs: passes.map(({ name, edits, reads }, i): ExplainedRun => ({
      name,
      edits: edits.map(({ name }) => name),
      reads: reads.map(({ name }) => name),
      stopsAt: stopOf(reads, activations),
      layers: layers[i] ?? [],
      cost: describeProgram(wanted[i] ?? []),
    })),
    trainableParameters: countElements(new Set(targets.flatMap(learned))),
    cost: describeProgram(outputs),
    costWithOriginal: describeProgram([...outputs, ...originals]),
  });
}

/** Parameters of an intervention that are to be learned. */
function learned({ intervention }: Target): Parameter[] {
  return intervention.trainable ? intervention.parameters() : [];
}

function countElements(parameters: Iterable<Parameter>): number {
  return [...parameters].reduce((sum, { numel }) => sum + numel, 0);
}

/** The first tensor of an output, and its loss. */
function outputsOf(output: unknown): Tensor[] {
  const found: Tensor[] = [];
  changeFirst(output, (tensor) => {
    found.push(tensor);
    return tensor;
  });
  const loss: unknown = Object(output as object).loss;
  return loss instanceof Tensor && !found.includes(loss) ? [...found, loss] : found;
}

/** Notes on outputs, by name, that are not what their modules add to the residual stream. */
function notesOn(targets: readonly Target[], trace: () => unknown): ReadonlyMap<string, string> {
  const scope = new EditScope();
  const passed = new Map<string, { at?: Tensor; added?: Tensor }>();
  for (const { name, site } of targets) {
    const { addition } = site;
    if (addition === undefined) continue;
    const pair: { at?: Tensor; added?: Tensor } = {};
    passed.set(name, pair);
    scope.on(site.module, site.side, (value) => void (pair.at = value));
    scope.on(addition.module, addition.side, (value) => void (pair.added = value));
  }
  if (passed.size > 0) scope.run(trace);
  return new Map(
    targets.flatMap(({ name, site }): [string, string][] => {
      const { at, added } = passed.get(name) ?? {};
      if (at === added || added === undefined) return [];
      return [
        [name, `not what is added to the residual stream; that is ${site.addition?.component}`],
      ];
    }),
  );
}

function explainInterventions(
  targets: readonly Target[],
  plan: Plan,
  { activations, harvest }: TracedCall,
  notes: ReadonlyMap<string, string>,
): readonly ExplainedIntervention[] {
  const actions = new Map(
    [...plan.sources, plan.base].flatMap(({ edits }) => edits.map((edit) => [edit.name, edit])),
  );
  const counted = new Set<Parameter>();
  return targets.map((target): ExplainedIntervention => {
    const { name, intervention, site } = target;
    const { heads, part } = site.layout;
    const seen = harvest.seen.get(name);
    const own = learned(target).filter((parameter) => !counted.has(parameter));
    for (const parameter of own) counted.add(parameter);
    const width = seen?.site.at(-1);
    return {
      name,
      intervention: intervention.constructor.name,
      site: `${site.path}.${site.side}`,
      shape: seen?.site,
      units: seen?.units,
      rows: actions.get(name)?.rows,
      heads,
      headDim: heads && width && width / (heads * (part?.of ?? 1)),
      part,
      ...sourceOf(target, actions.get(name), plan, activations),
      parameters: countElements(own),
      note: notes.get(name),
    };
  });
}

function sourceOf(
  { name, intervention, sourceSite }: Target,
  action: Action | undefined,
  plan: Plan,
  activations: Activations,
): Pick<ExplainedIntervention, "source" | "sourceShape"> {
  if (action === undefined) return { source: "null: skipped", sourceShape: undefined };
  const { source } = action;
  if (source.kind === "given") return { source: "given", sourceShape: source.value.shape };
  if (source.kind === "run") {
    const run = plan.sources.find(({ reads }) => reads.some((read) => read.name === name));
    const at = `${sourceSite.path}.${sourceSite.side}`;
    return {
      source: `${run?.name ?? "source"} at ${at}`,
      sourceShape: activations.get(name)?.shape,
    };
  }
  if (intervention.readsOwnRun) {
    return { source: `base at ${sourceSite.path}.${sourceSite.side}`, sourceShape: undefined };
  }
  const constant = intervention.sourceRepresentation?.value.shape;
  return { source: constant === undefined ? "none" : "constant", sourceShape: constant };
}

/** What is read last, in the order in which the model runs. */
function stopOf(reads: readonly Action[], activations: Activations): string | undefined {
  const byName = new Map(reads.map((read) => [read.name, read]));
  const last = [...activations.keys()].findLast((name) => byName.has(name));
  const read = last === undefined ? undefined : byName.get(last);
  return read && `${read.sourceSite.path}.${read.sourceSite.side}`;
}

/** Traces with an eye on the model's layers; every call of the model begins a run. */
function watchLayers<T>(
  model: Module,
  trace: () => T,
): { readonly result: T; readonly runs: readonly LayerResults[] } {
  const runs: Map<string, Tensor[]>[] = [];
  const scope = new EditScope().on(model, "input", () => {
    runs.push(new Map());
    return undefined;
  });
  for (const [path, layer] of namedLayers(model)) {
    scope.on(layer, "output", (value) => {
      const results = runs.at(-1)?.get(path) ?? [];
      runs.at(-1)?.set(path, [...results, value]);
      return undefined;
    });
  }
  return { result: scope.run(trace), runs };
}

/** The modules of all lists that are in no other list; of a model without lists, its parts. */
function namedLayers(model: Module): readonly (readonly [path: string, layer: Module])[] {
  const found: [string, Module][] = [];
  const visit = (module: Module, path: string): void => {
    for (const [name, child] of module.namedChildren()) {
      const inside = path === "" ? name : `${path}.${name}`;
      if (module instanceof ModuleList) found.push([inside, child]);
      else visit(child, inside);
    }
  };
  visit(model, "");
  return found.length > 0 ? found : [...model.namedChildren()];
}

/** For each run, the layers that what is wanted of it needs. */
function layersOf(
  runs: readonly LayerResults[],
  wanted: readonly (readonly Tensor[])[],
  names: readonly string[],
): readonly (readonly ExplainedLayer[])[] {
  const needed = wanted.map((tensors) => new Set(pending(tensors)));
  const results = runs.map((run, i) =>
    [...run].filter(([, tensors]) => tensors.some((t) => needed[i]?.has(t) === true)),
  );
  const flat = results.flatMap((run) => run.flatMap(([, tensors]) => tensors));
  const ids = valueIds(flat);
  const idOf = new Map(flat.map((t, i) => [t, ids[i]]));
  const known = new Map<string, string>();
  return results.map((run, i) =>
    run.map(([path, tensors]): ExplainedLayer => {
      const value = tensors.map((t) => idOf.get(t)).join();
      const sharedWith = known.get(value);
      if (sharedWith === undefined && names[i] !== undefined) known.set(value, names[i]);
      return { path, sharedWith };
    }),
  );
}
