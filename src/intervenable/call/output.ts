import { showsInstead } from "../../base/inspect.ts";
import { fail } from "../../interventions/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Harvest } from "./trace.ts";

/**
 * What a forward pass with interventions gives. All tensors are lazy: what is not read is not
 * computed, and what the runs share is computed once.
 */
export interface IntervenableResult<Output> {
  /**
   * The model's output without interventions. It is traced when it is first asked for, so ask before
   * you change the model's parameters.
   */
  readonly original: Output;
  /** The model's output with the interventions. */
  readonly intervened: Output;
  /** What collecting interventions took, in the order in which they were declared. */
  readonly collected: readonly Tensor[];
  /** The same by name. */
  readonly collectedByName: Readonly<Record<string, Tensor>>;
  /** Latents that interventions were computed through, such as codes of autoencoders, by name. */
  readonly latents: Readonly<Record<string, Tensor>>;
}

/** The result by name, and as the pair `[original, intervened]`. */
export type IntervenableOutput<Output> = IntervenableResult<Output> &
  readonly [original: Output, intervened: Output];

/** Puts a result together; `trace` gives the original output when it is asked for. */
export function makeOutput<Output>(
  intervened: Output,
  { collected, latents }: Harvest,
  trace: () => Output,
): IntervenableOutput<Output> {
  return asPair("IntervenableOutput", trace, {
    intervened,
    collected: [...collected.values()],
    collectedByName: Object.fromEntries(collected),
    latents: Object.fromEntries(latents),
  });
}

/**
 * An object that is also the pair `[original, intervened]`. The original is made when it is first
 * asked for, which printing does not do; JSON is refused, as tensors have no numbers to write yet.
 */
export function asPair<Original, Others extends { readonly intervened: unknown }>(
  name: string,
  make: () => Original,
  others: Others,
): Others & { readonly original: Original } & readonly [Original, Others["intervened"]] {
  const pair = new Pair(make, others.intervened);
  const named = Object.entries(others).map(([key, value]) => [key, { value }] as const);
  const toString = (): string => `${name}(original, ${Object.keys(others).join(", ")})`;
  Object.defineProperties(pair, {
    ...Object.fromEntries(named),
    toString: { value: toString },
    toJSON: {
      value: (): never =>
        fail(name, "JSON cannot say tensors; await toArray() of those that you want to keep"),
    },
  });
  showsInstead(pair, () => ({ original: pair.madeSoFar ?? WAITING, ...others }));
  return pair as unknown as Others & { readonly original: Original } & readonly [
      Original,
      Others["intervened"],
    ];
}

/**
 * An array, because only arrays destructure without `undefined` in their types. Its getters are those of
 * the class: one that an object has itself is old to V8 when it is made, and keeps all that it reads, here
 * a trace, until the next full collection.
 */
class Pair<Original> extends Array<unknown> {
  readonly #make: () => Original;
  #made: { readonly original: Original } | undefined;

  static {
    // The first element is not there, so that reading it asks the class.
    Object.defineProperty(this.prototype, 0, {
      get(this: Pair<unknown>) {
        return this.original;
      },
    });
  }

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  constructor(make: () => Original, intervened: unknown) {
    super(2);
    this[1] = intervened;
    this.#make = make;
  }

  get original(): Original {
    return (this.#made ??= { original: this.#make() }).original;
  }

  get madeSoFar(): Original | undefined {
    return this.#made?.original;
  }
}

/** What is printed for an original that nobody asked for. */
const WAITING = showsInstead({}, () => "made when it is asked for");
