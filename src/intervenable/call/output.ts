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
  let made: { readonly original: Original } | undefined;
  const get = (): Original => (made ??= { original: make() }).original;
  // An array, because only arrays destructure without `undefined` in their types.
  const pair: unknown[] = [undefined, others.intervened];
  const named = Object.entries(others).map(([key, value]) => [key, { value }] as const);
  const toString = (): string => `${name}(original, ${Object.keys(others).join(", ")})`;
  Object.defineProperties(pair, {
    ...Object.fromEntries(named),
    0: { get, enumerable: true },
    original: { get },
    toString: { value: toString },
    toJSON: {
      value: (): never =>
        fail(name, "JSON cannot say tensors; await toArray() of those that you want to keep"),
    },
  });
  showsInstead(pair, () => ({ original: made?.original ?? WAITING, ...others }));
  return pair as unknown as Others & { readonly original: Original } & readonly [
      Original,
      Others["intervened"],
    ];
}

/** What is printed for an original that nobody asked for. */
const WAITING = showsInstead({}, () => "made when it is asked for");
