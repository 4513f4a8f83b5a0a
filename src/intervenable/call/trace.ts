import type { Module } from "../../nn/module.ts";
import { EditScope, type Visit } from "../../nn/scope.ts";
import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import type { Intervention, InterventionOutput } from "../../interventions/intervention.ts";
import { describeValue, isPromise } from "../../base/describe-value.ts";
import { TsveneError } from "../../base/errors.ts";
import { fail, InterventionError } from "../../interventions/errors.ts";
import { sameShape, type Shape, show } from "../../tensor/shape.ts";
import { stack } from "../../tensor/functions/shaping.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Site } from "../sites/address.ts";
import type { Action, Plan, Run } from "./plan.ts";
import type { Selection } from "../units/selection.ts";
import { traceInParts } from "./prefix.ts";
import { inRows } from "./rows.ts";
import { editAtStep, refuseLateSteps } from "./time-steps.ts";

/** What source runs gave, by name. */
export type Activations = ReadonlyMap<string, Tensor>;

/** What came out of one traced run beside the model's own output. */
export interface Harvest {
  /** What collecting interventions took, by name. */
  readonly collected: Map<string, Tensor>;
  /** Latents that interventions were computed through, by name. */
  readonly latents: Map<string, Tensor>;
  /** Shapes of what each intervention met, by name. */
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
  const activations = traceSources(model, plan, harvest);
  const intervened = traceRun(model, plan.base, activations, harvest);
  return { activations, harvest, intervened };
}

/**
 * Traces the source runs of a plan and returns what they read. Nothing is computed. What interventions
 * on source runs take, in serial mode, goes into the harvest.
 */
export function traceSources(model: Module, plan: Plan, harvest: Harvest): Activations {
  const activations = new Map<string, Tensor>();
  for (const run of plan.sources) {
    traceRun(model, run, activations, harvest);
  }
  return activations;
}

export function emptyHarvest(): Harvest {
  return { collected: new Map(), latents: new Map(), seen: new Map() };
}

/** A harvest in the order in which the interventions were declared, not that of the model's layers. */
export function inOrder({ collected, latents, seen }: Harvest, names: readonly string[]): Harvest {
  const sorted = (found: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
    new Map(names.flatMap((name) => [found.get(name) ?? []].flat().map((t) => [name, t])));
  return { collected: sorted(collected), latents: sorted(latents), seen };
}

/** Traces one run of the model with its edits, putting what it reads into `activations`. */
export function traceRun(
  model: Module,
  run: Run,
  activations: Map<string, Tensor> | Activations,
  harvest: Harvest,
): unknown {
  const edited = (part: Run): unknown =>
    traceEdits(part, activations, harvest, () => callModel(model, part.inputs));
  const parts = traceInParts(run, (inputs) => callModel(model, inputs), edited);
  return parts === undefined ? edited(run) : parts.output;
}

/** The model on its inputs, which only the caller knows the type of. */
export function callModel(model: Module, inputs: unknown): unknown {
  return (model as { forward(inputs: unknown): unknown }).forward(inputs);
}

/** Opens the scope of a run around a trace. */
export function traceEdits<T>(
  { edits, reads, name: run }: Pick<Run, "edits" | "reads" | "name">,
  activations: Map<string, Tensor> | Activations,
  harvest: Harvest,
  trace: () => T,
): T {
  const scope = new EditScope();
  const ends: (() => void)[] = [];
  const own = new Map<string, Tensor>();
  for (const action of edits) {
    const { name, site, edits: units } = action;
    const source = (): Tensor | undefined => sourceOf(action, activations);
    if (action.axes.steps) ends.push(watchSteps(scope, action, source, harvest));
    else {
      watch(scope, name, site, (value, { args }) =>
        edit(
          action,
          { value, edits: units, source: source(), args, read: ownOf(action, own) },
          harvest,
        ),
      );
    }
  }
  // After all edits, of which some may be at the places that are read.
  const readers = edits.filter(({ intervention }) => intervention.readsOwnRun);
  for (const { name, sourceSite, edits: units } of readers) {
    watch(scope, name, sourceSite, (value) => void own.set(name, units?.read(value) ?? value));
  }
  for (const action of reads) {
    const { name, sourceSite, sourceAxes } = action;
    const read = (value: Tensor): undefined => {
      (activations as Map<string, Tensor>).set(name, action.reads?.read(value) ?? value);
      return undefined;
    };
    if (sourceAxes.steps) ends.push(gatherSteps(scope, name, sourceSite, read));
    else watch(scope, name, sourceSite, read);
  }
  const result = scope.run(trace);
  const sourceSites = [...readers, ...reads].map(sourceSiteOf);
  refuseUnvisited(scope, [...edits.map(editedSiteOf), ...sourceSites], run);
  for (const end of ends) end();
  return result;
}

/**
 * Edits the values of each time step as they pass, or collects them. Call the
 * returned function after the trace.
 */
function watchSteps(
  scope: EditScope,
  action: Action,
  source: () => Tensor | undefined,
  harvest: Harvest,
): () => void {
  const { name, site, edits, intervention } = action;
  if (intervention.collects) {
    return gatherSteps(scope, name, site, (value) => {
      edit(action, { value, edits, source: source(), args: [] }, harvest);
    });
  }
  const shapes: Shape[] = [];
  const editStep: Handler = (value, { call, args }) => {
    shapes.push(value.shape);
    const step = editAtStep(action, value, source(), call);
    return step && edit(action, { ...step, args }, harvest)?.squeeze(1);
  };
  watch(scope, name, site, editStep, "each");
  return () => {
    refuseLateSteps(name, edits?.levels[0], shapes.length);
    const [[batch = 0, ...rest] = []] = shapes;
    const units = edits?.levels[0]?.[0]?.length ?? shapes.length;
    harvest.seen.set(name, {
      site: [batch, shapes.length, ...rest],
      units: [batch, units, ...rest],
    });
  };
}

/** Takes the values of all time steps together, [batch, steps, ...]. */
function gatherSteps(
  scope: EditScope,
  name: string,
  site: Site,
  take: (value: Tensor) => void,
): () => void {
  const values: Tensor[] = [];
  watch(scope, name, site, (value) => void values.push(value), "each");
  return () => {
    withPlace(name, site, () => take(stack(values, 1)));
  };
}

type Handler = (value: Tensor, visit: Visit) => Tensor | undefined;

/** Calls the handler; a second run of the module is an error unless `runs` is "each". */
function watch(
  scope: EditScope,
  name: string,
  site: Site,
  handler: Handler,
  runs: "one" | "each" = "one",
): void {
  const { module, side, path } = site;
  scope.on(module, side, (value, visit) => {
    if (visit.call > 0 && runs === "one") {
      fail(
        OP,
        `${name}: ${path} runs more than once in a pass, so it is not clear which run is meant; ` +
          `use unit "t" to count its runs`,
      );
    }
    return withPlace(name, site, () => handler(value, visit));
  });
}

/** Errors say which intervention they come from. */
function withPlace<T>(name: string, { path, side }: Site, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TsveneError)) throw error;
    throw new InterventionError(`${OP}: ${name}, at ${path}.${side}: ${error.message}`, {
      cause: error,
    });
  }
}

/** What an intervention works on. */
interface Passing {
  readonly value: Tensor;
  readonly edits: Selection | undefined;
  readonly source: Tensor | undefined;
  readonly args: readonly unknown[];
  /** What is at the place that it reads in the same run; undefined for interventions that read none. */
  readonly read?: Tensor | undefined;
}

function edit(
  action: Action,
  { value, edits, source, args, read }: Passing,
  { collected, latents, seen }: Harvest,
): Tensor | undefined {
  const { name, intervention, subspaces, extra, hard } = action;
  const base = edits?.read(value) ?? value;
  seen.set(name, { site: value.shape, units: base.shape });
  const joined = intervention.concatenatesUnits && !intervention.keepLastDim;
  const unitMask = edits?.maskOf(value);
  const result = intervention.forward(
    joined ? joinUnits(base, intervention) : base,
    joined && source !== undefined ? joinUnits(source, intervention) : source,
    { subspaces, args, extra, hard, ...(unitMask && { unitMask }), ...(read && { read }) },
  );
  if (result === undefined) return undefined;
  const { output, latent } = asOutput(result, intervention.constructor.name);
  if (latent !== undefined) latents.set(name, latent);
  if (intervention.collects) {
    // Rows with fewer units than others are filled up, visibly.
    collected.set(name, unitMask ? where(unitMask, output, constantLike(0, output)) : output);
    return undefined;
  }
  const piece = (joined ? separateUnits(output, base) : output).to(value.dtype);
  if (!sameShape(piece.shape, base.shape)) {
    fail(
      intervention.constructor.name,
      `it returned ${show(piece.shape)} in the place of ${show(base.shape)}; the shape must stay`,
    );
  }
  const written = inRows(action.rows, moved(action, base, piece), base);
  return edits?.write(value, written) ?? written;
}

/** What an edit makes of a base, as far along the way there as its strength says. */
function moved({ strength }: Action, base: Tensor, piece: Tensor): Tensor {
  if (strength === 1) return piece;
  const by = strength instanceof Tensor ? ofRows(strength, base) : strength;
  return base.add(piece.sub(base).mul(by));
}

/** A number for each row, [batch], as what a tensor [batch, ...] can be multiplied by. */
function ofRows(numbers: Tensor, base: Tensor): Tensor {
  const rows = numbers.size(0);
  if (rows > 1 && base.size(0) !== rows) {
    fail(
      OP,
      `strengths are said for a batch of ${rows}, but the tensor ${show(base.shape)} has no such dimension in ` +
        "front; give one for all rows",
    );
  }
  return numbers.to(base.dtype).reshape(base.shape.map((_, dim) => (dim === 0 ? rows : 1)));
}

function sourceOf({ name, source }: Action, activations: Activations): Tensor | undefined {
  if (source.kind === "given") return source.value;
  return source.kind === "run" ? activations.get(name) : undefined;
}

/** What an intervention has read of the run that it edits, if it is one that does. */
function ownOf(
  { name, intervention, sourceSite }: Action,
  own: ReadonlyMap<string, Tensor>,
): Tensor | undefined {
  if (!intervention.readsOwnRun) return undefined;
  const { path, side } = sourceSite;
  return own.get(name) ?? fail(OP, `it reads ${path}.${side}, which the model only passes later`);
}

function asOutput(result: Tensor | InterventionOutput, name: string): InterventionOutput {
  if (result instanceof Tensor) return { output: result };
  if (result.output instanceof Tensor) return result;
  return fail(
    name,
    `it must return a Tensor, { output, latent } or undefined, got ${isPromise(result) ? "a Promise; it cannot be async: numbers are not there yet when it is called" : describeValue(result)}`,
  );
}

/** Units as one vector, for an intervention that is made for vectors of their size. */
function joinUnits(units: Tensor, { constructor: { name }, embedDim }: Intervention): Tensor {
  const joined = concatenateUnits(units);
  const width = joined.shape.at(-1);
  if (units.ndim < 3 || embedDim === undefined || width === embedDim) return joined;
  return fail(
    name,
    `it is made for vectors of ${embedDim}, but units of ${show(units.shape)} make vectors of ${width}; ` +
      `give unitLocations with as many units as maxNumberOfUnits says`,
  );
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

/** A site, and the intervention that reads or edits it. */
interface NamedSite {
  readonly name: string;
  readonly site: Site;
}

const editedSiteOf = ({ name, site }: Action): NamedSite => ({ name, site });
const sourceSiteOf = ({ name, sourceSite }: Action): NamedSite => ({ name, site: sourceSite });

/** An edit at a module that was never run would silently do nothing. */
function refuseUnvisited(scope: EditScope, sites: readonly NamedSite[], run: string): void {
  for (const [module, side] of scope.unvisited()) {
    const missed = sites.find(({ site }) => site.module === module && site.side === side);
    if (missed === undefined) continue;
    const { name, site } = missed;
    fail(
      OP,
      `${name} never fires: ${site.path} passed no ${side} in the ${run} run; is that module used?`,
    );
  }
}
