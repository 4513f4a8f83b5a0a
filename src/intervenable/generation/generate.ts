import type { Encoded } from "../../models/parts/encoder/encode.ts";
import type { GenerateOptions, Passes } from "../../models/generation/options.ts";
import { GENERATE_OPTIONS } from "../../models/generation/settings.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope } from "../../nn/scope.ts";
import { fail } from "../../interventions/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { evaluateSome } from "../../models/generation/evaluate-some.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { GenerationArguments, IntervenedGenerateOptions } from "./arguments.ts";
import { batchOf } from "../units/batch-rows.ts";
import { type Action, type Plan, planAgain, type PlanOptions, strengthOf } from "../call/plan.ts";
import { editedPasses, tracePass } from "./passes.ts";
import { Schedule, type Steps } from "./schedule.ts";
import { Selection } from "../units/selection.ts";
import { resolveSteps } from "./steps.ts";
import { type Activations, emptyHarvest, type Harvest, traceSources } from "../call/trace.ts";
import type { Target } from "../sites/target.ts";
import type { Writer } from "../call/writer.ts";

/** A generation that is traced with edits. */
export interface TracedGeneration {
  /** The hooks for the model's own loop. */
  readonly passes: Passes;
  /** What the encoder made of its source, edited, where there is an encoder. */
  readonly encoded: Encoded | undefined;
  /** What collecting interventions took in each step, by name; grows while the text is generated. */
  readonly collected: ReadonlyMap<string, readonly Tensor[]>;
}

/** What to generate, and with which interventions. */
export interface GenerationRequest {
  readonly model: Module;
  readonly writer: Writer;
  /** The interventions, in the order of declaration. */
  readonly targets: readonly Target[];
  /** The plan of a call with these arguments, as for a forward pass. */
  readonly plan: (options: PlanOptions) => Plan;
  readonly options: GenerationArguments<unknown>;
  /** Options of the model's own `generate`. */
  readonly settings: GenerateOptions;
}

const OP = "IntervenableModel.generate";

/** Steps are planned before the first is taken, each by itself. */
const MOST_STEPS = 2 ** 20;

const OWN: OptionNames<GenerationArguments> = {
  sources: true,
  unitLocations: true,
  sourceRepresentations: true,
  subspaces: true,
  strength: true,
  hard: true,
  extra: true,
  steps: true,
  interveneOnPrompt: true,
};

/** What a call says to the model's own `generate`. */
export function modelSettings(options: IntervenedGenerateOptions<unknown>): GenerateOptions {
  requireKnownOptions(OP, options, { ...OWN, ...GENERATE_OPTIONS });
  return Object.fromEntries(Object.entries(options).filter(([name]) => !(name in OWN)));
}

/**
 * Hooks that make the plans' edits in the steps they belong to. What the plans' sources give is computed
 * once, when the first pass is traced and it is known that the edits fit.
 * @throws InterventionError, before anything is computed, for an edit that no step would make.
 */
export async function traceGeneration(request: GenerationRequest): Promise<TracedGeneration> {
  const { encode } = request.writer;
  const { plans, rows, schedule } = scheduling(request);
  // Refuses what could never fire before any source is run.
  const asGiven = schedule((action) => action);
  const sources = plans.map((plan) => traceSourcesOf(request, plan));
  const activations = new Map(plans.map((plan, i) => [plan, sources[i]?.activations]));
  const sourced = (action: Action, plan: Plan): Action =>
    withSource(action, activations.get(plan)?.get(action.name));
  const isGiven = rows.times === 1 && plans.every((plan) => plan.sources.length === 0);
  const steps = isGiven
    ? asGiven
    : schedule((action, plan) => repeatRows(sourced(action, plan), rows));
  const collected = new Map<string, Tensor[]>();
  const take = (name: string, tensor: Tensor): void => {
    const taken = collected.get(name) ?? [];
    taken.push(tensor);
    collected.set(name, taken);
  };
  const takeAll = (harvest: Harvest): void => {
    for (const [name, tensor] of harvest.collected) take(name, tensor);
  };
  for (const { harvest } of sources) takeAll(harvest);
  for (const { name, intervention } of plans[0]?.base.edits ?? []) {
    if (intervention.collects) collected.set(name, []);
  }
  const compute = async (): Promise<void> => {
    const holders = request.targets.flatMap(({ intervention }) => intervention.parameters());
    await evaluate(...holders.map(({ stored }) => stored));
    for (const { activations, harvest } of sources) {
      await evaluate(...activations.values(), ...harvest.collected.values());
    }
    await evaluateSome(steps.given);
  };
  const passes = editedPasses({ schedule: steps, take, compute, training: request.model.training });
  if (encode === undefined) return { passes, collected, encoded: undefined };
  // The encoder reads each source once, however many texts are written from it.
  await compute();
  const { output, harvest } = tracePass(schedule(sourced).encoding(), encode, "encoder's");
  takeAll(harvest);
  await evaluate(output.lastHiddenState, ...harvest.collected.values());
  return { passes, collected, encoded: output };
}

/** Rows of the prompts, and how many texts are written from each. */
interface WrittenRows {
  readonly batch: number;
  readonly times: number;
}

/** What happens in which step. */
interface Scheduling {
  /** The different plans of all steps. */
  readonly plans: readonly Plan[];
  readonly rows: WrittenRows;
  /** The edits of each step, changed. */
  readonly schedule: (change: (action: Action, plan: Plan) => Action) => Schedule;
}

function scheduling(request: GenerationRequest): Scheduling {
  const { writer, targets, options, settings } = request;
  const { inputIds, encode } = writer;
  const names = targets.map(({ name }) => name);
  const { steps: count, rowsPerPrompt: times, useCache } = writer.extent(settings);
  if (count > MOST_STEPS) {
    fail(OP, `up to ${count} steps cannot be planned; give maxNewTokens, at most ${MOST_STEPS}`);
  }
  const rows = { batch: batchOf(inputIds, "inputIds"), times };
  const fires = stepsOf(options, targets, count);
  const all = plansOf(request, names, fires, count);
  const plans = [...new Set(all)].filter((plan) => plan !== undefined);
  refuseSkipped(names, plans, options);
  const frame = {
    promptLength: inputIds.size(1),
    rows: rows.batch * rows.times,
    useCache,
    steps: count,
    byDefault: isDefault(options) && plans.length === 1,
    encoded: encodedNames(targets, encode),
  };
  const { strength } = options;
  const strengths =
    typeof strength === "function" ? strengthsOf(strength, all, targets) : undefined;
  const schedule = (change: (action: Action, plan: Plan) => Action): Schedule => {
    const steps = schedules(names, all, fires, change);
    return new Schedule(strengths === undefined ? steps : withStrengths(steps, strengths), frame);
  };
  return { plans, rows, schedule };
}

/** The interventions at places that an encoder passes. */
function encodedNames(
  targets: readonly Target[],
  encode: (() => Encoded) | undefined,
): ReadonlySet<string> {
  const names = new Set<string>();
  if (encode === undefined) return names;
  const scope = new EditScope();
  for (const { name, site } of targets) {
    scope.on(site.module, site.side, () => void names.add(name));
  }
  scope.run(encode);
  return names;
}

/** Whether a call says nothing of steps, so that pyvene's default holds. */
function isDefault({ steps, interveneOnPrompt = false }: GenerationArguments<unknown>): boolean {
  return steps === undefined && !interveneOnPrompt;
}

function stepsOf(
  options: GenerationArguments<unknown>,
  targets: readonly Target[],
  count: number,
): ReadonlyMap<string, readonly boolean[]> {
  const { steps, interveneOnPrompt } = options;
  if (steps !== undefined && interveneOnPrompt !== undefined) {
    fail(OP, "give steps or interveneOnPrompt, and not both");
  }
  const unsaid = interveneOnPrompt === true ? "all" : "decoding";
  return resolveSteps(steps === undefined ? unsaid : steps, targets, count);
}

/** The plan of each step that has one; steps with the same sources have the same. */
function plansOf(
  { plan, options, targets }: GenerationRequest,
  names: readonly string[],
  fires: ReadonlyMap<string, readonly boolean[]>,
  count: number,
): readonly (Plan | undefined)[] {
  const { unitLocations, subspaces, strength, hard, extra, sources, sourceRepresentations } =
    options;
  const same = typeof strength === "function" ? {} : { strength };
  const common = { unitLocations, subspaces, ...same, hard, extra };
  /** No source for a step skips what would need one in it. */
  const skipping = [null];
  const known = new Map<unknown, Map<unknown, Plan>>();
  let last: Plan | undefined;
  const make = (from: unknown, given: PlanOptions["sourceRepresentations"]): Plan => {
    const plans = known.get(from) ?? new Map<unknown, Plan>();
    known.set(from, plans);
    const sourced = { sources: from, sourceRepresentations: given };
    const made =
      plans.get(given) ??
      (last && planAgain(last, targets, sourced)) ??
      plan({ ...common, ...sourced });
    plans.set(given, made);
    last = made;
    return made;
  };
  return Array.from({ length: count }, (_, step) => {
    if (!names.some((name) => fires.get(name)?.[step] === true)) return undefined;
    const from = typeof sources === "function" ? (sources(step) ?? skipping) : sources;
    if (typeof sourceRepresentations !== "function") return make(from, sourceRepresentations);
    const given = sourceRepresentations(step);
    return make(given === null ? skipping : from, given);
  });
}

/** Sources that are given step by step, but for an intervention in no step, were not meant so. */
function refuseSkipped(
  names: readonly string[],
  plans: readonly Plan[],
  { sources, sourceRepresentations }: GenerationArguments<unknown>,
): void {
  if (typeof sources !== "function" && typeof sourceRepresentations !== "function") return;
  const made = new Set(plans.flatMap(({ base }) => base.edits.map(({ name }) => name)));
  const skipped = names.filter((name) => !made.has(name));
  if (skipped.length === 0) return;
  fail(
    OP,
    `${skipped.join(", ")} never fires: the function gives it no source in any of its steps`,
  );
}

/** What each intervention does in each step. */
function schedules(
  names: readonly string[],
  plans: readonly (Plan | undefined)[],
  fires: ReadonlyMap<string, readonly boolean[]>,
  change: (action: Action, plan: Plan) => Action,
): readonly Steps[] {
  const changed = new Map<unknown, Action>();
  const edits = new Map<Plan, ReadonlyMap<string, Action>>();
  const actionAt = (plan: Plan, name: string): Action | undefined => {
    const byName = edits.get(plan) ?? new Map(plan.base.edits.map((edit) => [edit.name, edit]));
    edits.set(plan, byName);
    const action = byName.get(name);
    if (action === undefined) return undefined;
    // What reads no source is the same in all steps, whatever the sources of others are.
    const same = action.source.kind === "none" ? name : action;
    const made = changed.get(same) ?? change(action, plan);
    changed.set(same, made);
    return made;
  };
  return names.map((name) =>
    plans.map((plan, step) =>
      plan !== undefined && fires.get(name)?.[step] === true ? actionAt(plan, name) : undefined,
    ),
  );
}

/** How far edits go in each step that edits. */
function strengthsOf(
  strength: (step: number) => number,
  plans: readonly (Plan | undefined)[],
  targets: readonly Target[],
): readonly number[] {
  return plans.map((plan, step) =>
    plan === undefined ? 1 : strengthOf(strength(step), targets, ` in step ${step}`),
  );
}

/** The same with strengths; an action of a strength is the same in all of its steps. */
function withStrengths(all: readonly Steps[], strengths: readonly number[]): readonly Steps[] {
  return all.map((steps) => {
    const known = new Map<Action, Map<number, Action>>();
    return steps.map((action, step) => {
      if (action === undefined || action.intervention.collects) return action;
      const strength = strengths[step] ?? 1;
      const changed = known.get(action) ?? new Map<number, Action>();
      const made = changed.get(strength) ?? { ...action, strength };
      known.set(action, changed.set(strength, made));
      return made;
    });
  });
}

/** What the sources of a plan give, and what is collected in their runs, in serial mode. */
function traceSourcesOf(
  { model, writer }: GenerationRequest,
  plan: Plan,
): { readonly activations: Activations; readonly harvest: Harvest } {
  const sources = plan.sources.map((run) => ({ ...run, inputs: writer.asInputs(run.inputs) }));
  const harvest = emptyHarvest();
  return { activations: traceSources(model, { ...plan, sources }, harvest), harvest };
}

/** An action whose source has been computed. */
function withSource(action: Action, value: Tensor | undefined): Action {
  if (action.source.kind !== "run" || value === undefined) return action;
  return { ...action, source: { kind: "given", value } };
}

/** Rows for several continuations of each prompt, which follow each other. */
function repeat<T>(rows: readonly T[], times: number): T[] {
  return rows.flatMap((row) => Array.from({ length: times }, () => row));
}

/** Locations, sources and subspaces for several continuations of each prompt. */
function repeatRows(action: Action, { batch, times }: WrittenRows): Action {
  if (times === 1) return action;
  const { edits, source, subspaces } = action;
  const perRow =
    Array.isArray(subspaces) && subspaces.length === batch && subspaces.every(Array.isArray);
  const repeated = {
    ...action,
    edits:
      edits && new Selection(edits.axes, edits.levels.map((rows) => repeat(rows, times))), // prettier-ignore
    subspaces: perRow ? repeat(subspaces as unknown[], times) : subspaces,
  };
  if (source.kind !== "given" || source.value.ndim < 2 || source.value.size(0) !== batch) {
    return repeated;
  }
  const value = source.value.repeatInterleave(times, 0);
  return { ...repeated, source: { kind: "given", value } };
}
