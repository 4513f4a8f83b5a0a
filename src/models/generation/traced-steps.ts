import { Replay } from "../../runtime/replay.ts";
import { internal } from "../../base/errors.ts";
import { leaf } from "../../tensor/ops/apply.ts";
import { onesLike } from "../../tensor/functions/creation.ts";
import { upstream } from "../../tensor/graph.ts";
import { type Shape, sameShape } from "../../tensor/shape.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import { pickRows, tensorsIn, withTensors } from "./cache.ts";
import { int64 } from "./int64.ts";
import type { AlikePass, KindOutput, PassKind } from "./options.ts";

/** What is wanted of a step. */
export interface Wanted {
  /** What to compute of `last` [rows, 1, vocabulary], the logits of the next token. */
  readonly of: (last: Tensor) => readonly Tensor[];
  /**
   * Whether the first of it is the token [rows, 1] that each row goes on with, unless it has ended:
   * then steps may be made ahead.
   *
   * @default false
   */
  readonly choosesFirst?: boolean;
}

/** A text under way, of which all but the next token have been read. */
export interface TextUnderWay {
  readonly model: CausalLanguageModel;
  /** What the model kept of the tokens that it has read, computed. */
  readonly cache: unknown;
  /** Which of the tokens read are real, for each row. */
  readonly real: readonly (readonly boolean[])[];
  /** Tokens that will be read at most, those read included. */
  readonly length: number;
  readonly wanted: Wanted;
  /** Whether a step may go on from other rows. */
  readonly reorders: boolean;
  /** The pass that reads the next token after so many; undefined for one that is traced by itself. */
  readonly passAfter: (read: number) => AlikePass | undefined;
}

/** The dimension of each tensor in a cache that grows by a token, if one does. */
export type Growth = readonly (number | undefined)[];

/** What a step goes on from. */
export interface StepState {
  /** What is kept, as long as there is room for, padded on the left. */
  readonly cache: readonly Tensor[];
  /** The mask and the positions, where the cache grows. */
  readonly about: readonly Tensor[];
}

/** Caches of fewer bytes may be kept, to compare later traces with. */
const FEW_BYTES = 2 ** 20;

/** So many traces of a model are remembered: its plain steps, and some kinds of edited ones. */
const REMEMBERED = 4;

/** What earlier texts of a model were like; a trace that equals one of theirs need not be repeated. */
const earlier = new WeakMap<CausalLanguageModel, Earlier>();

interface Earlier {
  readonly growth: Growth;
  /** The latest last. */
  readonly replays: readonly Replay[];
}

export const lengthOf = ({ real }: TextUnderWay): number => real[0]?.length ?? 0;

export const isPadded = ({ real }: TextUnderWay): boolean =>
  real.some((row) => row.includes(false));

export const grows = (growth: Growth): boolean => growth.some((dim) => dim !== undefined);

/** Any token, to trace with. */
const anyToken = ({ real }: TextUnderWay): Tensor => int64(real.map(() => [0]));

/** The rows as they are. */
const sameRows = ({ real }: TextUnderWay): Tensor => rowNumbers([...real.keys()]);

/** Numbers of rows as a tensor [rows]. */
export function rowNumbers(rows: readonly number[]): Tensor {
  return Tensor.fromData(BigInt64Array.from(rows, BigInt), [rows.length]);
}

/** Which dimensions a step lengthens by one; undefined if it changes more than that. */
export function growthOf(text: TextUnderWay): Growth | undefined {
  const before = tensorsIn(text.cache);
  const known = earlier.get(text.model)?.growth;
  if (known?.length === before.length) return known;
  const { pastKeyValues } = exactPass(text, text.cache);
  const after = tensorsIn(pastKeyValues);
  const growth = before.map((t, i) => grownDimension(t, after[i]));
  const found = growth.filter((dim) => dim !== "other");
  return before.length === after.length && found.length === growth.length ? found : undefined;
}

/** The model on a token after those of a cache that is as long as they are. */
function exactPass(text: TextUnderWay, cache: unknown): ReturnType<CausalLanguageModel["forward"]> {
  const length = lengthOf(text);
  const [mask, positions] = isPadded(text) ? maskAndPositions(text, length, length) : [];
  const about = mask && positions ? { attentionMask: mask, positionIds: positions } : {};
  return text.model.forward({ inputIds: anyToken(text), pastKeyValues: cache, ...about });
}

function grownDimension(before: Tensor, after: Tensor | undefined): number | undefined | "other" {
  if (after?.dtype !== before.dtype || after.ndim !== before.ndim) return "other";
  const changed = before.shape.flatMap((n, d) => (n === after.shape[d] ? [] : [d]));
  const [dim] = changed;
  if (dim === undefined) return undefined;
  return changed.length === 1 && after.size(dim) === before.size(dim) + 1 ? dim : "other";
}

/**
 * Traces steps of a kind: functions of the state, of the rows to go on from where these may be others,
 * of the token, of what the kind's passes are given and of what they hold.
 *
 * @returns undefined where two traces differ, where edits would meet other shapes than they do in a pass on
 * a cache without padding, and where the model does not ask which tokens are real and where they stand.
 */
export function traceSteps(
  text: TextUnderWay,
  growth: Growth,
  state: StepState,
  { kind, given }: Pick<AlikePass, "kind" | "given">,
): TracedSteps | undefined {
  const once = (): Traced | undefined => traceOnce(text, growth, state, { kind, given });
  const traced = once();
  if (traced === undefined) return undefined;
  const { replay, met } = traced;
  const known = earlier.get(text.model)?.replays ?? [];
  if (!known.some((other) => replay.equals(other))) {
    const again = once();
    if (again === undefined || !replay.equals(again.replay)) return undefined;
    if (!meetsTheSame(text, kind, given, met)) return undefined;
  }
  const bytes = state.cache.reduce((sum, { values }) => sum + (values?.byteLength ?? 0), 0);
  if (bytes <= FEW_BYTES) {
    const kept = known.filter((other) => !replay.equals(other)).slice(1 - REMEMBERED);
    earlier.set(text.model, { growth, replays: [...kept, replay] });
  }
  return traced;
}

/** Steps of a kind, traced once. */
export interface TracedSteps {
  readonly replay: Replay;
  /** How many of its outputs the next step goes on from. */
  readonly states: number;
  /** How many of those after them are wanted of the text; all others are the kind's own. */
  readonly wanted: number;
}

interface Traced extends TracedSteps {
  /** Shapes of what the edits met. */
  readonly met: readonly Shape[];
}

function traceOnce(
  text: TextUnderWay,
  growth: Growth,
  { cache, about }: StepState,
  { kind, given }: Pick<AlikePass, "kind" | "given">,
): Traced | undefined {
  const token = anyToken(text);
  const parents = text.reorders ? [sameRows(text)] : [];
  const leaves = given.map(asInput);
  const [index] = parents;
  const rows = index === undefined ? cache : cache.map((t) => pickRows(t, index));
  const output = paddedPass(text, kind, { token, about, cache: rows, given, leaves });
  if (output === undefined) return undefined;
  const { logits, pastKeyValues, also = [], met } = output;
  const next = tensorsIn(pastKeyValues).map((t, i) => {
    const dim = growth[i];
    return dim === undefined ? t : t.slice(dim, 1);
  });
  if (!next.every((t, i) => sameShape(t.shape, cache[i]?.shape ?? []))) return undefined;
  const wanted = text.wanted.of(logits);
  if (!reads(wanted, about) && !asksFor(about, text, rows)) return undefined;
  const { choosesFirst = false } = text.wanted;
  const chosen = choosesFirst ? [wanted[0] ?? internal("nothing was chosen")] : [];
  const outputs = [...next, ...about.map(movedOn), ...chosen, ...wanted, ...also];
  const states = [...cache, ...about, ...(choosesFirst ? [token] : [])];
  const inputs = [...cache, ...about, token, ...parents, ...leaves, ...kind.held];
  const each = leaves.map((_, i) => cache.length + about.length + 1 + parents.length + i);
  const loop = { states: new Map(states.map((_, i) => [i, i])), each };
  const replay = new Replay(inputs, outputs, choosesFirst ? { loop } : {});
  return { replay, states: next.length + about.length + chosen.length, wanted: wanted.length, met };
}

function reads(outputs: readonly Tensor[], about: readonly Tensor[]): boolean {
  const read = upstream(outputs);
  return about.every((t) => read.has(t));
}

/** Whether the model asks which tokens are real and where they stand, although an edit hides it. */
function asksFor(about: readonly Tensor[], text: TextUnderWay, cache: readonly Tensor[]): boolean {
  const kind: PassKind = { trace: (_, run) => ({ ...run(), met: [] }), held: [] };
  const token = anyToken(text);
  const plain = paddedPass(text, kind, { token, about, cache, given: [], leaves: [] });
  return plain !== undefined && reads(text.wanted.of(plain.logits), about);
}

/** A step on a padded cache; undefined for a model that refuses a mask or positions. */
function paddedPass(
  { model, cache: exact }: TextUnderWay,
  kind: PassKind,
  {
    token: inputIds,
    about,
    cache,
    given,
    leaves,
  }: StepState &
    Pick<AlikePass, "given"> & { readonly token: Tensor; readonly leaves: readonly Tensor[] },
): KindOutput | undefined {
  const [attentionMask, positionIds] = about;
  const surroundings = attentionMask && positionIds ? { attentionMask, positionIds } : {};
  const own = leaves.map((t, i) => (given[i]?.ndim === 0 ? t.reshape([]) : t));
  try {
    return kind.trace(own, () =>
      model.forward({ inputIds, pastKeyValues: withTensors(exact, cache), ...surroundings }),
    );
  } catch {
    return undefined;
  }
}

/** Whether a pass of a kind meets these shapes also where no cache is padded. */
function meetsTheSame(
  text: TextUnderWay,
  kind: PassKind,
  given: readonly Tensor[],
  met: readonly Shape[],
): boolean {
  if (met.length === 0) return true;
  try {
    const exact = kind.trace(given, () => exactPass(text, text.cache)).met;
    return exact.length === met.length && exact.every((shape, i) => sameShape(shape, met[i] ?? []));
  } catch {
    return false;
  }
}

/** A tensor of its own with the same values: 0-d ones, which programs share by value, as [1]. */
export function asInput({ values, shape, dtype }: Tensor): Tensor {
  const own = values ?? internal("a tensor that was not computed");
  return leaf(own, shape.length === 0 ? [1] : shape, dtype);
}

/** The mask, and the positions, of the token after. */
function movedOn(t: Tensor, i: number): Tensor {
  if (i > 0) return t.add(1);
  return cat([t.slice(1, 1), onesLike(t.slice(1, 0, 1))], 1);
}

/**
 * The mask [rows, room + 1] of tokens that stand at its end, the next one included, and the next
 * one's positions [rows, 1].
 */
export function maskAndPositions(
  { real }: TextUnderWay,
  read: number,
  room: number,
): [Tensor, Tensor] {
  const width = room + 1;
  const mask = new BigInt64Array(real.length * width);
  const positions = real.map((row, b) => {
    const begin = b * width + room - read;
    row.forEach((isReal, i) => (mask[begin + i] = isReal ? 1n : 0n));
    mask.fill(1n, begin + row.length, (b + 1) * width);
    return [row.filter(Boolean).length + read - row.length];
  });
  return [Tensor.fromData(mask, [real.length, width]), int64(positions)];
}
