import type { GenerateOptions, TracedOutput, TraceStep } from "../models/generation/options.ts";
import type { CausalLMOutput } from "../models/outputs.ts";
import type { Module } from "../nn/module.ts";
import { evaluate } from "../tensor/evaluate.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { batchOf, type Action, type Plan } from "./plan.ts";
import { Schedule } from "./schedule.ts";
import { Selection } from "./selection.ts";
import { emptyHarvest, traceEdits, traceSources } from "./trace.ts";

type Trace = NonNullable<GenerateOptions["trace"]>;

/** A generation that is traced with edits. */
export interface TracedGeneration {
  /** The hook for the model's own loop. */
  readonly trace: Trace;
  /** What collecting interventions took in each step, by key; grows while the text is generated. */
  readonly collected: ReadonlyMap<string, readonly Tensor[]>;
}

/** What decides when edits are made. */
export interface GenerationSettings extends GenerateOptions {
  readonly interveneOnPrompt?: boolean;
}

/**
 * Computes what the plan's sources give, once, and returns a hook that makes the plan's edits in the
 * steps they belong to.
 */
export async function traceGeneration(
  model: Module,
  plan: Plan,
  { inputIds }: { readonly inputIds: Tensor },
  settings: GenerationSettings,
): Promise<TracedGeneration> {
  const { interveneOnPrompt = false, useCache = true, numReturnSequences = 1 } = settings;
  const { maxNewTokens, maxLength } = settings;
  const promptLength = inputIds.size(1);
  const batch = batchOf(inputIds, "inputIds");
  const activations = traceSources(model, plan);
  await evaluate(...activations.values());
  const actions = plan.base.edits.map((action) =>
    repeatRows(withSource(action, activations.get(action.key)), batch, numReturnSequences),
  );
  const schedule = new Schedule(actions, {
    promptLength,
    rows: batch * numReturnSequences,
    interveneOnPrompt,
    useCache,
    maxNewTokens: maxNewTokens ?? (maxLength === undefined ? undefined : maxLength - promptLength),
  });
  const collected = new Map<string, Tensor[]>();
  for (const { key, intervention } of actions) if (intervention.collects) collected.set(key, []);
  const trace = (step: TraceStep, run: () => CausalLMOutput<unknown>): TracedOutput => {
    const harvest = emptyHarvest();
    const name = step.index === 0 ? "prompt's" : "decoding";
    const edits = schedule.at(step);
    const output = traceEdits({ name, edits, reads: [] }, activations, harvest, run);
    for (const [key, tensor] of harvest.collected) collected.get(key)?.push(tensor);
    return { ...output, also: [...harvest.collected.values()] };
  };
  return { trace, collected };
}

/** An action whose source has been computed. */
function withSource(action: Action, value: Tensor | undefined): Action {
  if (action.source.kind !== "run" || value === undefined) return action;
  return { ...action, source: { kind: "given", value } };
}

/** Locations and sources for several continuations of each prompt, whose rows follow each other. */
function repeatRows(action: Action, batch: number, times: number): Action {
  if (times === 1) return action;
  const { edits, source } = action;
  const repeated = edits && {
    edits: new Selection(
      edits.axes,
      edits.levels.map((rows) => rows.flatMap((row) => Array.from({ length: times }, () => row))),
    ),
  };
  if (source.kind !== "given" || source.value.ndim < 2 || source.value.size(0) !== batch) {
    return { ...action, ...repeated };
  }
  const value = source.value.repeatInterleave(times, 0);
  return { ...action, ...repeated, source: { kind: "given", value } };
}
