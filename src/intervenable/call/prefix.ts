import { changeTensors, tensorsIn } from "../../models/generation/cache.ts";
import type { Module } from "../../nn/module.ts";
import { EditScope, isTraced } from "../../nn/scope.ts";
import { fail } from "../../interventions/errors.ts";
import { zeros } from "../../tensor/functions/creation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { numel } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { markVarying } from "../../tensor/varying.ts";
import { Selection } from "../units/selection.ts";
import type { Action, Plan, Run } from "./plan.ts";

/** A model of texts in which no position sees a later one, as far as what keeps a cache says. */
interface CachingModel {
  /** Whether a cache of `before` tokens is of no use at `after` tokens. */
  readonly changesAt: (before: number, after: number) => boolean;
}

/** Inputs whose second dimension is the text, and which may be read in two parts. */
const TEXTS = ["inputIds", "inputsEmbeds", "positionIds", "attentionMask"] as const;

type TextInputs = { readonly [K in (typeof TEXTS)[number]]?: Tensor };

/** Outputs that are read in two parts, and how the parts are put together again. */
const JOINERS: Readonly<Record<string, (before: unknown, rest: unknown) => unknown>> = {
  logits: joinPositions,
  lastHiddenState: joinPositions,
  hiddenStates: joinPositions,
  attentions: joinQueries,
  pastKeyValues: (_, rest) => rest,
};

const OP = "IntervenableModel";

/**
 * A plan that takes what comes before the first edited position from the run without edits, wherever
 * that gives the same.
 *
 * @param wanted - Whether to, and how many positions at most; undefined for where it pays: gradients of
 * what is learned then only pass through the positions from the edit on.
 */
export function withPrefix(model: Module, plan: Plan, wanted: boolean | number | undefined): Plan {
  if (wanted === false || wanted === 0) return plan;
  if (wanted !== true && wanted !== undefined && !(Number.isSafeInteger(wanted) && wanted > 0)) {
    fail(OP, `reusePrefix must be true, false or a number of positions, got ${String(wanted)}`);
  }
  const most = typeof wanted === "number" ? wanted : Infinity;
  const split = (run: Run): Run => {
    if (wanted === undefined && !run.edits.some(isLearned)) return run;
    return { ...run, prefix: Math.min(most, prefixOf(model, run)) };
  };
  return { sources: plan.sources.map(split), base: split(plan.base) };
}

/** How many positions all runs of a plan in which something is learned have before their edits. */
export function prefixLength(model: Module, { sources, base }: Plan): number {
  const learned = [...sources, base].filter(({ edits }) => edits.some(isLearned));
  const lengths = learned.map((run) => prefixOf(model, run)).filter((length) => length > 0);
  return lengths.length === 0 ? 0 : Math.min(...lengths);
}

function isLearned({ intervention }: Action): boolean {
  return intervention.trainable && intervention.parameters().some((p) => p.requiresGrad);
}

/** How many positions of a run come before all that is edited and read in it; 0 where that is not known. */
function prefixOf(model: Module, run: Run): number {
  const length = lengthInParts(model, run.inputs);
  if (run.edits.length === 0 || length === undefined || !readsInParts(model)) return 0;
  const places = [
    ...run.edits.map(({ edits }) => firstPlace(edits, length)),
    ...run.reads.map(({ reads }) => firstPlace(reads, length)),
  ];
  const first = Math.min(...places);
  return first > 0 && !model.changesAt(first, length) ? first : 0;
}

/** Length of the text that a model reads, if it may read it in two parts. */
export function lengthInParts(model: Module, inputs: unknown): number | undefined {
  if (!readsInParts(model) || model.training || isTraced()) return undefined;
  return textLength(inputs);
}

function readsInParts(model: Module): model is Module & CachingModel {
  const { changesAt, sourceIds } = model as Partial<CachingModel> & {
    readonly sourceIds?: unknown;
  };
  return typeof changesAt === "function" && sourceIds === "prompt";
}

/** Length of a text that is all that the inputs say; undefined where there is more, or none. */
function textLength(inputs: unknown): number | undefined {
  if (typeof inputs !== "object" || inputs === null || inputs instanceof Tensor) return undefined;
  const given = Object.entries(inputs).filter(([, value]) => value !== undefined);
  const names: readonly string[] = TEXTS;
  if (!given.every(([name, value]) => names.includes(name) && value instanceof Tensor)) {
    return undefined;
  }
  const { inputIds, inputsEmbeds, attentionMask, positionIds } = inputs as TextInputs;
  const length = (inputIds ?? inputsEmbeds)?.shape[1];
  const fits = [attentionMask, positionIds].every((t) => t === undefined || t.shape[1] === length);
  return fits ? length : undefined;
}

/** The least position of a selection; 0 where it has none, or some that make an error. */
function firstPlace(selection: Selection | undefined, length: number): number {
  const level = positionLevel(selection);
  const rows = level === undefined ? undefined : selection?.levels[level];
  if (rows === undefined) return 0;
  const wrong = (row: readonly number[]): boolean =>
    row.some((at) => at < -length || at >= length) || new Set(row).size < row.length;
  if (rows.some(wrong)) return 0;
  return Math.min(length, ...rows.flat().map((at) => (at < 0 ? at + length : at)));
}

/** Which of a selection's levels counts positions of the text, if one does and none is taken whole. */
function positionLevel(selection: Selection | undefined): number | undefined {
  if (selection === undefined || selection.axes.steps || selection.axes.whole.length > 0) {
    return undefined;
  }
  const level = selection.axes.selected.findIndex(
    ({ kind, counts }) => kind === "position" && counts === "text",
  );
  return level < 0 ? undefined : level;
}

/**
 * Traces a run in two: its prefix without edits, and the rest, which goes on from the prefix's cache;
 * undefined, before anything is edited, for a model that keeps none or gives more than it is known how
 * to put together.
 *
 * @param call - Runs the model on inputs.
 * @param edited - The same with the edits of a run.
 */
export function traceInParts(
  run: Run,
  call: (inputs: unknown) => unknown,
  edited: (run: Run) => unknown,
): { readonly output: unknown } | undefined {
  const { prefix = 0, inputs } = run;
  const length = textLength(inputs);
  if (prefix === 0 || length === undefined) return undefined;
  const first = partOf(inputs as TextInputs, 0, prefix);
  const { output: before, fits } = readPlaces(run, first, () => call(first));
  const { pastKeyValues } = before;
  if (!fits || tensorsIn(pastKeyValues).length === 0) return undefined;
  if (Object.keys(before).some((name) => !(name in JOINERS))) return undefined;
  const { attentionMask } = inputs as TextInputs;
  const rest = edited({
    ...run,
    inputs: {
      ...partOf(inputs as TextInputs, prefix, length),
      ...(attentionMask && { attentionMask }),
      pastKeyValues,
    },
    edits: run.edits.map((a) => ({ ...a, edits: shifted(a.edits, prefix, length) })),
    reads: run.reads.map((a) => ({ ...a, reads: shifted(a.reads, prefix, length) })),
  }) as Readonly<Record<string, unknown>>;
  const joined = Object.entries(rest).map(([name, part]) => [
    name,
    JOINERS[name]?.(before[name], part),
  ]);
  return { output: Object.fromEntries(joined) };
}

/** Traces the prefix, and whether every place of the run has a dimension there that counts its positions. */
function readPlaces(
  { edits, reads, prefix }: Run,
  inputs: TextInputs,
  trace: () => unknown,
): { readonly output: Readonly<Record<string, unknown>>; readonly fits: boolean } {
  const batch = (inputs.inputIds ?? inputs.inputsEmbeds)?.shape[0];
  const scope = new EditScope();
  const unseen = new Set<Selection>();
  const places = [
    ...edits.map(({ site, edits: selection }) => ({ site, selection })),
    ...reads.map(({ sourceSite: site, reads: selection }) => ({ site, selection })),
  ];
  for (const { site, selection } of places) {
    const level = positionLevel(selection);
    const dim = selection?.axes.selected[level ?? -1]?.dim;
    if (selection === undefined || dim === undefined) continue;
    unseen.add(selection);
    scope.on(site.module, site.side, ({ shape }, { call }) => {
      if (call === 0 && shape[0] === batch && shape[dim] === prefix) unseen.delete(selection);
      else unseen.add(selection);
      return undefined;
    });
  }
  const output = scope.run(trace) as Readonly<Record<string, unknown>>;
  return { output, fits: unseen.size === 0 };
}

function partOf(inputs: TextInputs, start: number, end: number): TextInputs {
  return changeTensors(inputs, (t) => positions(t, start, end)) as TextInputs;
}

/** [batch, start:end, ...], with its numbers where they are known: what pads a text is read from them. */
function positions(t: Tensor, start: number, end: number): Tensor {
  const [rows = 0, length = 0, ...rest] = t.shape;
  if (t.values === undefined || rest.length > 0) return t.slice(1, start, end);
  const values = t.values.slice(0, rows * (end - start));
  for (let row = 0; row < rows; row++) {
    const part = t.values.subarray(row * length + start, row * length + end);
    (values as { set(part: unknown, at: number): void }).set(part, row * (end - start));
  }
  const part = Tensor.fromData(values, [rows, end - start], t.dtype);
  return markVarying(part, start === 0 ? "start" : "rest");
}

/** The same units counted from a later position on. */
function shifted(
  selection: Selection | undefined,
  by: number,
  length: number,
): Selection | undefined {
  const level = positionLevel(selection);
  if (selection === undefined || level === undefined) return selection;
  const move = (at: number): number => (at < 0 ? at + length : at) - by;
  const levels = selection.levels.map((rows, i) =>
    i === level ? rows.map((row) => row.map(move)) : rows,
  );
  return new Selection(selection.axes, levels, "part");
}

function joinPositions(before: unknown, rest: unknown): unknown {
  return joinTensors(before, rest, (a, b) => cat([a, b], 1));
}

/** Attention weights [batch, heads, queries, keys]: earlier queries do not see later keys. */
function joinQueries(before: unknown, rest: unknown): unknown {
  return joinTensors(before, rest, (a, b) => {
    const [batch = 0, heads = 0, queries = 0, keys = 0] = a.shape;
    const unseen = b.size(3) - keys;
    if (numel([batch, heads, queries, unseen]) === 0) return cat([a, b], 2);
    const hidden = zeros([batch, heads, queries, unseen], { dtype: a.dtype });
    return cat([cat([a, hidden], 3), b], 2);
  });
}

function joinTensors(
  before: unknown,
  rest: unknown,
  join: (a: Tensor, b: Tensor) => Tensor,
): unknown {
  const parts = tensorsIn(before);
  let i = 0;
  return changeTensors(rest, (t) => {
    const part = parts[i++];
    return part === undefined ? t : join(part, t);
  });
}
