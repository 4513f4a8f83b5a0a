import type { Module } from "../nn/module.ts";
import { EditScope, type Visit } from "../nn/scope.ts";
import { constantLike, where } from "../tensor/arithmetic.ts";
import type { InterventionOutput } from "../interventions/intervention.ts";
import { fail, TensorError } from "../tensor/errors.ts";
import { sameShape, type Shape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Site } from "./address.ts";
import type { Action, Plan, Run } from "./plan.ts";

/** What source runs gave, by key. */
export type Activations = ReadonlyMap<string, Tensor>;

/** What came out of one traced run beside the model's own output. */
export interface Harvest {
  /** What collecting interventions took, by key. */
  readonly collected: Map<string, Tensor>;
  /** Latents that interventions were computed through, by key. */
  readonly latents: Map<string, Tensor>;
  /** Shapes of what each intervention met, by key. */
  readonly seen: Map<string, SeenShapes>;
}

/** What an intervention met at its place. */
export interface SeenShapes {
  /** Of the whole tensor there. */
  readonly site: Shape;
  /** Of the units that it works on. */
  readonly units: Shape;
}

const OP = "IntervenableModel";

/** All that tracing a plan gives. */
export interface TracedCall {
  readonly activations: Activations;
  readonly harvest: Harvest;
  /** The model's output with the interventions. */
  readonly intervened: unknown;
}

/** Traces a plan: its source runs, then the base with the edits. Nothing is computed. */
export function traceCall(model: Module, plan: Plan): TracedCall {
  const harvest = emptyHarvest();
  const activations = traceSources(model, plan);
  const intervened = traceRun(model, plan.base, activations, harvest);
  return { activations, harvest, intervened };
}

/** Traces the source runs of a plan and returns what they read. Nothing is computed. */
export function traceSources(model: Module, plan: Plan): Activations {
  const activations = new Map<string, Tensor>();
  for (const run of plan.sources) {
    traceRun(model, run, activations, emptyHarvest());
  }
  return activations;
}

export function emptyHarvest(): Harvest {
  return { collected: new Map(), latents: new Map(), seen: new Map() };
}

/** A harvest in the order in which the interventions were declared, not that of the model's layers. */
export function inOrder({ collected, latents, seen }: Harvest, keys: readonly string[]): Harvest {
  const sorted = (found: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
    new Map(keys.flatMap((key) => [found.get(key) ?? []].flat().map((t) => [key, t])));
  return { collected: sorted(collected), latents: sorted(latents), seen };
}

/** Traces one run of the model with its edits, putting what it reads into `activations`. */
export function traceRun(
  model: Module,
  run: Run,
  activations: Map<string, Tensor> | Activations,
  harvest: Harvest,
): unknown {
  return traceEdits(run, activations, harvest, () => callModel(model, run.inputs));
}

/** The model on its inputs, which only the caller knows the type of. */
export function callModel(model: Module, inputs: unknown): unknown {
  return (model as { forward(inputs: unknown): unknown }).forward(inputs);
}

/** Opens the scope of a run around a trace. */
export function traceEdits<T>(
  { edits, reads, name }: Pick<Run, "edits" | "reads" | "name">,
  activations: Map<string, Tensor> | Activations,
  harvest: Harvest,
  trace: () => T,
): T {
  const scope = new EditScope();
  for (const action of edits) {
    watch(scope, action.key, action.site, (value, visit) =>
      edit(action, value, visit, activations, harvest),
    );
  }
  for (const action of reads) {
    watch(scope, action.key, action.sourceSite, (value) => {
      (activations as Map<string, Tensor>).set(action.key, action.reads?.read(value) ?? value);
      return undefined;
    });
  }
  const result = scope.run(trace);
  refuseUnvisited(scope, [...edits.map(placeOf), ...reads.map(sourcePlaceOf)], name);
  return result;
}

type Handler = (value: Tensor, visit: Visit) => Tensor | undefined;

/** Calls the handler once; its errors say which intervention they come from. */
function watch(
  scope: EditScope,
  key: string,
  { module, side, path }: Site,
  handler: Handler,
): void {
  scope.on(module, side, (value, visit) => {
    if (visit.call > 0) {
      fail(
        OP,
        `${key}: ${path} runs more than once in a pass, so it is not clear which run is meant`,
      );
    }
    try {
      return handler(value, visit);
    } catch (error) {
      if (!(error instanceof TensorError)) throw error;
      throw new TensorError(`${OP}: ${key}, at ${path}.${side}: ${error.message}`, {
        cause: error,
      });
    }
  });
}

function edit(
  action: Action,
  value: Tensor,
  { args }: Visit,
  activations: Activations,
  { collected, latents, seen }: Harvest,
): Tensor | undefined {
  const { key, intervention, edits, subspaces, extra } = action;
  const base = edits?.read(value) ?? value;
  seen.set(key, { site: value.shape, units: base.shape });
  const joined = intervention.concatenatesUnits && !intervention.keepLastDim;
  const source = sourceOf(action, activations);
  const unitMask = edits?.maskOf(value);
  const result = intervention.forward(
    joined ? concatenateUnits(base) : base,
    joined && source !== undefined ? concatenateUnits(source) : source,
    { subspaces, args, extra, ...(unitMask && { unitMask }) },
  );
  if (result === undefined) return undefined;
  const { output, latent } = asOutput(result, intervention.constructor.name);
  if (latent !== undefined) latents.set(key, latent);
  if (intervention.collects) {
    // Rows with fewer units than others are filled up, visibly.
    collected.set(key, unitMask ? where(unitMask, output, constantLike(0, output)) : output);
    return undefined;
  }
  const piece = (joined ? separateUnits(output, base) : output).to(value.dtype);
  if (!sameShape(piece.shape, base.shape)) {
    fail(
      intervention.constructor.name,
      `it returned ${show(piece.shape)} in the place of ${show(base.shape)}; the shape must stay`,
    );
  }
  return edits?.write(value, piece) ?? piece;
}

function sourceOf({ key, source }: Action, activations: Activations): Tensor | undefined {
  if (source.kind === "given") return source.value;
  return source.kind === "run" ? activations.get(key) : undefined;
}

function asOutput(result: Tensor | InterventionOutput, name: string): InterventionOutput {
  if (result instanceof Tensor) return { output: result };
  if (result.output instanceof Tensor) return result;
  return fail(name, "it must return a Tensor, { output, latent } or undefined");
}

/** [batch, units, d] as [batch, units x d]; [batch, heads, units, d] as [batch, units, heads x d]. */
function concatenateUnits(x: Tensor): Tensor {
  if (x.ndim === 3) return x.flatten(1, 2);
  return x.ndim === 4 ? x.permute([0, 2, 1, 3]).flatten(2, 3) : x;
}

function separateUnits(x: Tensor, { shape, ndim }: Tensor): Tensor {
  const [batch = 1, heads = 1, units = 1] = shape;
  if (ndim === 3) return x.reshape([batch, heads, -1]);
  return ndim === 4 ? x.reshape([batch, units, heads, -1]).permute([0, 2, 1, 3]) : x;
}

interface Place {
  readonly key: string;
  readonly site: Site;
}

const placeOf = ({ key, site }: Action): Place => ({ key, site });
const sourcePlaceOf = ({ key, sourceSite }: Action): Place => ({ key, site: sourceSite });

/** An edit at a module that was never run would silently do nothing. */
function refuseUnvisited(scope: EditScope, places: readonly Place[], run: string): void {
  for (const [module, side] of scope.unvisited()) {
    const missed = places.find(({ site }) => site.module === module && site.side === side);
    if (missed === undefined) continue;
    const { key, site } = missed;
    fail(
      OP,
      `${key} never fires: ${site.path} passed no ${side} in the ${run} run; is that module used?`,
    );
  }
}
