import type { Tensor } from "../../tensor/tensor.ts";
import { tensorsIn } from "../generation/cache.ts";
import { paddingOf, withReal } from "./mask.ts";

/** What is known of the tokens that a cache was made of. */
export interface CacheNotes {
  /** [batch, tokens]: which of them are real. @default all */
  readonly attentionMask?: Tensor | undefined;
  /** What was read, in order, of models that may have to read it again. */
  readonly read?: readonly ReadTokens[] | undefined;
}

/** Tokens as a decoder's layers read them. */
export interface ReadTokens {
  /** [batch, sequence, width] */
  readonly embedded: Tensor;
  /** [1 or batch, sequence] int64 */
  readonly positions: Tensor;
}

const notes = new WeakMap<object, CacheNotes>();

/** Notes something of a cache, and returns it. */
export function noted<Cache extends object>(cache: Cache, about: CacheNotes): Cache {
  notes.set(cache, { ...notes.get(cache), ...about });
  return cache;
}

/** What is known of a cache; nothing of one that was put together by somebody else. */
export function notesOf(cache: object | undefined): CacheNotes {
  return (cache && notes.get(cache)) ?? {};
}

/**
 * The mask of cached and new tokens: the one given, or else the one that the cached tokens were read
 * with, so that their padding stays padding.
 *
 * @param queries - New tokens.
 */
export function maskOf(
  given: Tensor | undefined,
  cache: object | undefined,
  queries: number,
): Tensor | undefined {
  const { attentionMask: before } = notesOf(cache);
  if (given !== undefined || before === undefined || paddingOf(before) === "none") return given;
  return withReal(before, queries);
}

/** Who steered the pass that tensors of a cache were made in. */
const steered = new WeakMap<Tensor, object>();

/** Notes that a cache was made while something edited the pass. */
export function noteSteering(cache: unknown, by: object): void {
  for (const t of tensorsIn(cache)) steered.set(t, by);
}

/** Who steered the pass that a cache was made in; undefined for nobody, or an empty cache. */
export function steererOf(cache: unknown): object | undefined {
  return tensorsIn(cache).flatMap((t) => steered.get(t) ?? [])[0];
}
