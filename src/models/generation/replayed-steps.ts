import { itemsize, type TypedArray } from "../../tensor/dtype.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { internal } from "../../base/errors.ts";
import { numel } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { pickRows, tensorsIn, withTensors } from "./cache.ts";
import { evaluateSome } from "./evaluate-some.ts";
import type { AlikePass, PassKind } from "./options.ts";
import {
  asInput,
  type Growth,
  growthOf,
  grows,
  isPadded,
  lengthOf,
  maskAndPositions,
  rowNumbers,
  type TextUnderWay,
  type TracedSteps,
  traceSteps,
} from "./traced-steps.ts";

/** Copying caches of more bytes than this takes longer than tracing a step. */
const MOST_BYTES = 16 * 2 ** 20;

/** Tokens that there is room for at first, if the text may become so long. */
const LEAST_ROOM = 128;

/** What a step gave. */
export interface StepRead {
  /** What was wanted of it. */
  readonly wanted: readonly Tensor[];
  /** Hands over what its pass computed besides; to be called when its turn comes. */
  readonly take: () => void;
}

/**
 * Steps that read one token each, traced once for many: those that do nothing besides, or the edits of
 * one kind. A cache that grows is padded on the left to a length that stays the same, as prompts of a
 * batch are, and each step moves it on by one token. So a step is a function of tensors of fixed shapes,
 * and costs no more than running its program.
 */
export class ReplayedSteps {
  readonly #text: TextUnderWay;
  readonly #growth: Growth;
  /** Steps traced for the room that there is. */
  readonly #traced = new Map<PassKind, TracedSteps>();
  /** Tokens that the cache has room for. */
  #room: number;
  /** As long as there is room for; the last tokens are those read. */
  #cache: readonly Tensor[];
  /** Tokens read. */
  #read: number;
  /** Which rows the next step goes on from, where these may be others. */
  #parents: Tensor | undefined;

  private constructor(text: TextUnderWay, growth: Growth) {
    this.#text = text;
    this.#growth = growth;
    this.#cache = tensorsIn(text.cache);
    this.#read = this.#room = lengthOf(text);
    if (text.reorders) this.reorder([...text.real.keys()]);
  }

  /**
   * The steps that go on from here; undefined where they cannot be traced once, because a step changes
   * more of the cache than its length.
   */
  static begin(text: TextUnderWay): ReplayedSteps | undefined {
    const growth = growthOf(text);
    // The mask of a state that does not grow would be all that does.
    if (growth === undefined || (isPadded(text) && !grows(growth))) return undefined;
    return new ReplayedSteps(text, growth);
  }

  /**
   * Reads a token of each row, [rows, 1], and, where steps are so small that it pays, the tokens that
   * are chosen after it.
   *
   * @returns what each step gave; undefined if it cannot be traced once, as {@link traceSteps} says, if the
   * cache is so large that tracing costs less, or if the model has other weights by now.
   */
  async read(token: Tensor): Promise<readonly StepRead[] | undefined> {
    const pass = this.#text.passAfter(this.#read);
    if (pass === undefined) return undefined;
    // Rows that were put in another order are not computed yet.
    await evaluate(...pass.given, ...this.#cache);
    const steps = this.#stepsLike(pass);
    if (steps?.replay.isCurrent !== true) return undefined;
    const { replay } = steps;
    const passes = this.#passesFrom(pass, replay.mostSteps);
    await evaluateSome(passes.flatMap(({ given }) => given));
    const isLoop = replay.mostSteps > 1;
    const inputs = [
      ...this.#cache,
      ...this.#about(this.#room),
      token,
      ...(this.#parents === undefined ? [] : [this.#parents]),
      ...pass.given.map((t, i) => (isLoop ? stacked(passes, i) : asInput(t))),
      ...pass.kind.held,
    ];
    const outputs = await replay.run(inputs, passes.length);
    this.#cache = outputs.slice(0, this.#cache.length);
    this.#read += passes.length;
    if (this.#parents !== undefined) this.reorder([...this.#text.real.keys()]);
    const [begin, end] = [steps.states, steps.states + steps.wanted];
    return passes.map(({ take }, step) => {
      const own = isLoop ? outputs.slice(begin).map((t) => row(t, step)) : outputs.slice(begin);
      const also = own.slice(end - begin);
      return { wanted: own.slice(0, end - begin), take: () => take(also) };
    });
  }

  /** From here on, the new row i goes on from the old row `parents[i]`. */
  reorder(parents: readonly number[]): void {
    this.#parents = rowNumbers(parents);
  }

  /** What the model keeps of all tokens read, for another way of going on. */
  get cache(): unknown {
    const filler = this.#room - this.#read;
    const parents = this.#parents;
    const exact = this.#cache.map((t, i) => {
      const dim = this.#growth[i];
      const own = dim === undefined || filler === 0 ? t : t.slice(dim, filler);
      return parents === undefined ? own : pickRows(own, parents);
    });
    return withTensors(this.#text.cache, exact);
  }

  /** Steps of the same kind that follow each other, at most as many as there is room for. */
  #passesFrom(first: AlikePass, most: number): AlikePass[] {
    const { length, passAfter } = this.#text;
    const end = this.#read + Math.min(most, length - this.#read, this.#stepsInRoom());
    const passes = [first];
    for (let read = this.#read + 1; read < end; read++) {
      const pass = passAfter(read);
      if (pass?.kind !== first.kind) break;
      passes.push(pass);
    }
    return passes;
  }

  /** A step without room drops the oldest token, which nobody misses after the last step. */
  #stepsInRoom(): number {
    if (!grows(this.#growth)) return Infinity;
    const steps = this.#room - this.#read;
    return this.#read + steps + 1 >= this.#text.length ? steps + 1 : steps;
  }

  /** Steps like a pass, for a cache with room for it; undefined where they cannot be traced once. */
  #stepsLike(pass: AlikePass): TracedSteps | undefined {
    const hasRoom = this.#stepsInRoom() > 0;
    const known = hasRoom ? this.#traced.get(pass.kind) : undefined;
    if (known !== undefined) return known;
    const room = hasRoom && this.#traced.size > 0 ? this.#room : this.#roomWanted();
    const cache = this.#cacheFor(room);
    if (cache === undefined) return undefined;
    const state = { cache, about: this.#about(room) };
    const steps = traceSteps(this.#text, this.#growth, state, pass);
    if (steps === undefined) return undefined;
    if (room !== this.#room) this.#traced.clear();
    this.#traced.set(pass.kind, steps);
    [this.#room, this.#cache] = [room, cache];
    return steps;
  }

  #roomWanted(): number {
    if (!grows(this.#growth)) return this.#room;
    const wanted = 2 ** Math.ceil(Math.log2(this.#read + 1));
    return Math.min(this.#text.length - 1, Math.max(LEAST_ROOM, wanted));
  }

  /** The cache with room for so many tokens; undefined if it is too large. */
  #cacheFor(room: number): readonly Tensor[] | undefined {
    let bytes = 0;
    this.#cache.forEach(({ shape, dtype }, i) => {
      const sizes = shape.map((n, d) => (d === this.#growth[i] ? room : n));
      bytes += numel(sizes) * itemsize(dtype);
    });
    if (bytes > MOST_BYTES) return undefined;
    return this.#cache.map((t, i) => padLeft(t, this.#growth[i], room));
  }

  /** What a step is told besides: nothing where the cache does not grow. */
  #about(room: number): readonly Tensor[] {
    return grows(this.#growth) ? maskAndPositions(this.#text, this.#read, room) : [];
  }
}

/** What each of the passes is given in a place, [steps, ...]. */
function stacked(passes: readonly AlikePass[], place: number): Tensor {
  const all = passes.map(({ given }) => asInput(given[place] ?? internal("nothing is given")));
  const [first = internal("no passes")] = all;
  const size = first.numel;
  const values = first.values ?? internal("a tensor that was not computed");
  const stack = new (values.constructor as Constructor)(size * all.length);
  all.forEach((t, i) => stack.set(t.values as never, i * size));
  return Tensor.fromData(stack, [all.length, ...first.shape], first.dtype);
}

type Constructor = new (length: number) => TypedArray;

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
  const padded = new (values.constructor as Constructor)(numel(shape));
  for (let row = 0; row * own < values.length; row++) {
    padded.set(values.subarray(row * own, (row + 1) * own) as never, (row + 1) * all - own);
  }
  return Tensor.fromData(padded, shape, t.dtype);
}
