import type { Tensor } from "../tensor/tensor.ts";

/**
 * What a forward pass with interventions gives. All tensors are lazy: what is not read is not
 * computed, and what the runs share is computed once. Destructures as `[original, intervened]`.
 */
export class IntervenableOutput<Output> implements Iterable<Output> {
  /** The model's output with the interventions. */
  readonly intervened: Output;
  /** What collecting interventions took, in the order in which they were declared. */
  readonly collected: readonly Tensor[];
  /** The same by key. */
  readonly collectedByKey: Readonly<Record<string, Tensor>>;
  /** Latents that interventions were computed through, such as codes of autoencoders, by key. */
  readonly latents: Readonly<Record<string, Tensor>>;
  readonly #trace: () => Output;
  #original: Output | undefined;

  constructor(
    intervened: Output,
    harvest: { readonly collected: Map<string, Tensor>; readonly latents: Map<string, Tensor> },
    trace: () => Output,
  ) {
    this.intervened = intervened;
    this.collected = [...harvest.collected.values()];
    this.collectedByKey = Object.fromEntries(harvest.collected);
    this.latents = Object.fromEntries(harvest.latents);
    this.#trace = trace;
  }

  /**
   * The model's output without interventions. It is traced when it is first asked for, so ask before
   * you change the model's parameters.
   */
  get original(): Output {
    this.#original ??= this.#trace();
    return this.#original;
  }

  *[Symbol.iterator](): Iterator<Output> {
    yield this.original;
    yield this.intervened;
  }
}
