import { Replay } from "../../runtime/replay.ts";
import { itemsize } from "../../tensor/dtype.ts";
import { internal } from "../../base/errors.ts";
import { onesLike } from "../../tensor/functions/creation.ts";
import { upstream } from "../../tensor/graph.ts";
import { numel, sameShape } from "../../tensor/shape.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { CausalLanguageModel } from "../model/causal-language-model.ts";
import type { CausalLMOutput } from "../parts/outputs.ts";
import { tensorsIn, withTensors } from "./cache.ts";
import { int64 } from "./int64.ts";

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
}

/** Copying caches of more bytes than this takes longer than tracing a step. */
const MOST_BYTES = 16 * 2 ** 20;

/** Caches of fewer bytes may be kept, to compare later traces with. */
const FEW_BYTES = 2 ** 20;

/** What earlier texts of a model were like; a trace that equals one of theirs need not be repeated. */
const earlier = new WeakMap<
  CausalLanguageModel,
  { readonly growth: Growth; readonly replay: Replay }
>();

/** Tokens that there is room for at first, if the text may become so long. */
const LEAST_ROOM = 128;

/** The dimension of each tensor in a cache that grows by a token, if one does. */
type Growth = readonly (number | undefined)[];

/** Steps that were traced: they take a cache with room for so many tokens. */
interface Traced {
  readonly replay: Replay;
  readonly room: number;
}

/**
 * Steps that read one token each, traced once for many. A cache that grows is padded on the left to
 * a length that stays the same, as prompts of a batch are, and each step moves it on by one token.
 * So a step is a function of tensors of fixed shapes, and costs no more than running its program.
 */
export class ReplayedSteps {
  readonly #text: TextUnderWay;
  readonly #growth: Growth;
  #traced: Traced;
  /** As long as there is room for; the last tokens are those read. */
  #cache: readonly Tensor[];
  /** Tokens read. */
  #read: number;

  private constructor(text: TextUnderWay, growth: Growth, [traced, cache]: [Traced, Tensor[]]) {
    this.#text = text;
    this.#growth = growth;
    this.#traced = traced;
    this.#cache = cache;
    this.#read = lengthOf(text);
  }

  /**
   * The steps that go on from here; undefined where they cannot be traced once: where a step changes
   * more of the cache than its length, where the model does not ask which tokens are real and where
   * they stand, where two traces of the same step differ, and where the cache is so large that tracing
   * costs less.
   */
  static begin(text: TextUnderWay): ReplayedSteps | undefined {
    const tensors = tensorsIn(text.cache);
    const before = earlier.get(text.model)?.growth;
    const growth = before?.length === tensors.length ? before : growthOf(text);
    // The mask of a state that does not grow would be all that does.
    if (growth === undefined || (isPadded(text) && !grows(growth))) return undefined;
    const steps = trace(text, growth, { read: lengthOf(text), cache: tensors });
    return steps && new ReplayedSteps(text, growth, steps);
  }

  /**
   * Reads a token of each row, [rows, 1], and, where steps are so small that it pays, the tokens that
   * are chosen after it.
   *
   * @returns what was wanted of each step; undefined if there is no room, or if the model has other
   * weights by now.
   */
  async read(token: Tensor): Promise<readonly (readonly Tensor[])[] | undefined> {
    if (!this.#makeRoom() || !this.#traced.replay.isCurrent) return undefined;
    const { replay, room } = this.#traced;
    const times = Math.min(replay.mostSteps, this.#text.length - this.#read, this.#stepsInRoom());
    const about = surroundings(this.#text, this.#growth, { read: this.#read, room });
    const states = [...this.#cache, ...about, token];
    const outputs = await replay.run(states, times);
    this.#cache = outputs.slice(0, this.#cache.length);
    this.#read += times;
    const wanted = outputs.slice(states.length - (this.#text.wanted.choosesFirst === true ? 0 : 1));
    if (replay.mostSteps === 1) return [wanted];
    return Array.from({ length: times }, (_, step) => wanted.map((t) => row(t, step)));
  }

  /** What the model keeps of all tokens read, for another way of going on. */
  get cache(): unknown {
    const filler = this.#traced.room - this.#read;
    const exact = this.#cache.map((t, i) => {
      const dim = this.#growth[i];
      return dim === undefined ? t : t.slice(dim, filler);
    });
    return withTensors(this.#text.cache, exact);
  }

  /** A step without room drops the oldest token, which nobody misses after the last step. */
  #stepsInRoom(): number {
    if (!grows(this.#growth)) return Infinity;
    const steps = this.#traced.room - this.#read;
    return this.#read + steps + 1 >= this.#text.length ? steps + 1 : steps;
  }

  #makeRoom(): boolean {
    if (this.#stepsInRoom() > 0) return true;
    const longer = trace(this.#text, this.#growth, { read: this.#read, cache: this.#cache });
    if (longer === undefined) return false;
    [this.#traced, this.#cache] = longer;
    return true;
  }
}

const lengthOf = ({ real }: TextUnderWay): number => real[0]?.length ?? 0;

const isPadded = ({ real }: TextUnderWay): boolean => real.some((row) => row.includes(false));

const grows = (growth: Growth): boolean => growth.some((dim) => dim !== undefined);

/** Any token, to trace with. */
const anyToken = ({ real }: TextUnderWay): Tensor => int64(real.map(() => [0]));

/** Which dimensions a step lengthens by one; undefined if it changes more than that. */
function growthOf(text: TextUnderWay): Growth | undefined {
  const { model, cache } = text;
  const [mask, positions] = isPadded(text)
    ? maskAndPositions(text, lengthOf(text), lengthOf(text))
    : [];
  const about = mask && positions ? { attentionMask: mask, positionIds: positions } : {};
  const { pastKeyValues } = model.forward({
    inputIds: anyToken(text),
    pastKeyValues: cache,
    ...about,
  });
  const [before, after] = [tensorsIn(cache), tensorsIn(pastKeyValues)];
  const growth = before.map((t, i) => grownDimension(t, after[i]));
  const known = growth.filter((dim) => dim !== "other");
  return before.length === after.length && known.length === growth.length ? known : undefined;
}

function grownDimension(before: Tensor, after: Tensor | undefined): number | undefined | "other" {
  if (after?.dtype !== before.dtype || after.ndim !== before.ndim) return "other";
  const changed = before.shape.flatMap((n, d) => (n === after.shape[d] ? [] : [d]));
  const [dim] = changed;
  if (dim === undefined) return undefined;
  return changed.length === 1 && after.size(dim) === before.size(dim) + 1 ? dim : "other";
}

/** Traces a step that goes on from a cache, with room for more tokens; undefined where it does not pay. */
function trace(
  text: TextUnderWay,
  growth: Growth,
  { read, cache }: { readonly read: number; readonly cache: readonly Tensor[] },
): [Traced, Tensor[]] | undefined {
  const wanted = 2 ** Math.ceil(Math.log2(read + 1));
  const room = grows(growth) ? Math.min(text.length - 1, Math.max(LEAST_ROOM, wanted)) : read;
  const shapes = cache.map((t, i) => t.shape.map((n, d) => (d === growth[i] ? room : n)));
  const bytes = cache.reduce((sum, t, i) => sum + numel(shapes[i] ?? []) * itemsize(t.dtype), 0);
  if (bytes > MOST_BYTES) return undefined;
  const roomy = cache.map((t, i) => padLeft(t, growth[i], room));
  const about = surroundings(text, growth, { read, room });
  const replay = traceOnce(text, growth, about, roomy);
  const before = earlier.get(text.model)?.replay;
  const again = before && replay?.equals(before) ? before : traceOnce(text, growth, about, roomy);
  if (replay === undefined || again === undefined || !replay.equals(again)) return undefined;
  if (bytes <= FEW_BYTES) earlier.set(text.model, { growth, replay });
  return [{ replay, room }, roomy];
}

function traceOnce(
  text: TextUnderWay,
  growth: Growth,
  about: readonly Tensor[],
  cache: readonly Tensor[],
): Replay | undefined {
  const inputIds = anyToken(text);
  const output = padded(text, { inputIds, about, cache });
  if (output === undefined) return undefined;
  const { logits, pastKeyValues } = output;
  const next = tensorsIn(pastKeyValues).map((t, i) => {
    const dim = growth[i];
    return dim === undefined ? t : t.slice(dim, 1);
  });
  if (!next.every((t, i) => sameShape(t.shape, cache[i]?.shape ?? []))) return undefined;
  const wanted = text.wanted.of(logits);
  const read = upstream(wanted);
  if (!about.every((t) => read.has(t))) return undefined;
  const states = [...next, ...about.map(movedOn)];
  const inputs = [...cache, ...about, inputIds];
  if (text.wanted.choosesFirst !== true) return new Replay(inputs, [...states, ...wanted]);
  const [chosen = internal("nothing was chosen")] = wanted;
  const outputs = [...states, chosen, ...wanted];
  return new Replay(inputs, outputs, { loop: new Map(inputs.map((_, i) => [i, i])) });
}

/** A step on a padded cache; undefined for a model that refuses a mask or positions. */
function padded(
  { model, cache: exact }: TextUnderWay,
  { inputIds, about, cache }: Record<"about" | "cache", readonly Tensor[]> & { inputIds: Tensor },
): CausalLMOutput<unknown> | undefined {
  const [attentionMask, positionIds] = about;
  const surroundings = attentionMask && positionIds ? { attentionMask, positionIds } : {};
  try {
    return model.forward({ inputIds, pastKeyValues: withTensors(exact, cache), ...surroundings });
  } catch {
    return undefined;
  }
}

/** The mask, and the positions, of the token after. */
function movedOn(t: Tensor, i: number): Tensor {
  if (i > 0) return t.add(1);
  return cat([t.slice(1, 1), onesLike(t.slice(1, 0, 1))], 1);
}

/** What a step is told besides: nothing where the cache does not grow. */
function surroundings(
  text: TextUnderWay,
  growth: Growth,
  { read, room }: { readonly read: number; readonly room: number },
): readonly Tensor[] {
  return grows(growth) ? maskAndPositions(text, read, room) : [];
}

/**
 * The mask [rows, room + 1] of tokens that stand at its end, the next one included, and the next
 * one's positions [rows, 1].
 */
function maskAndPositions({ real }: TextUnderWay, read: number, room: number): [Tensor, Tensor] {
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

/** A part of a stack; on the host, where it is. */
function row({ shape: [, ...shape], values, dtype }: Tensor, i: number): Tensor {
  const all = values ?? internal("a stack that was not computed");
  return Tensor.fromData(all.subarray(i * numel(shape), (i + 1) * numel(shape)), shape, dtype);
}

/** Zeros before a dimension, up to a length; on the host, where caches are. */
function padLeft(t: Tensor, dim: number | undefined, length: number): Tensor {
  if (dim === undefined || t.size(dim) === length) return t;
  const values = t.values ?? internal("a cache that was not computed");
  const inner = numel(t.shape.slice(dim + 1));
  const [own, all] = [t.size(dim) * inner, length * inner];
  const shape = t.shape.map((n, d) => (d === dim ? length : n));
  const padded = new (values.constructor as new (length: number) => typeof values)(numel(shape));
  for (let row = 0; row * own < values.length; row++) {
    padded.set(values.subarray(row * own, (row + 1) * own) as never, (row + 1) * all - own);
  }
  return Tensor.fromData(padded, shape, t.dtype);
}
