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
  let original: { readonly output: Output } | undefined;
  const getOriginal = (): Output => (original ??= { output: trace() }).output;
  const pair: unknown[] = [undefined, intervened];
  // An array, because only arrays destructure without `undefined` in their types.
  Object.defineProperties(pair, {
    0: { get: getOriginal, enumerable: true },
    original: { get: getOriginal },
    intervened: { value: intervened },
    collected: { value: [...collected.values()] },
    collectedByName: { value: Object.fromEntries(collected) },
    latents: { value: Object.fromEntries(latents) },
  });
  return pair as unknown as IntervenableOutput<Output>;
}
