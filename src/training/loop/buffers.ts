import type { Buffer } from "../../nn/buffer.ts";
import type { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** State that modules change while they are traced, such as running statistics of batches. */
export class Buffers {
  readonly #buffers: ReadonlyMap<string, Buffer>;

  constructor(modules: readonly Module[]) {
    this.#buffers = new Map(modules.flatMap((module) => [...module.namedBuffers()]));
  }

  /** What a trace has put in that is not computed yet. */
  pending(): readonly Tensor[] {
    return [...this.#buffers.values()].flatMap(({ value }) =>
      value.values === undefined ? value : [],
    );
  }

  /** What gives them back what they hold now. */
  remember(): () => void {
    const before = [...this.#buffers.values()].map((buffer) => [buffer, buffer.value] as const);
    return () => {
      for (const [buffer, value] of before) if (buffer.value !== value) buffer.set(value);
    };
  }

  stateDict(): Readonly<Record<string, Tensor>> {
    return Object.fromEntries([...this.#buffers].map(([name, { value }]) => [name, value]));
  }

  loadStateDict(state: Readonly<Record<string, unknown>>): void {
    for (const [name, buffer] of this.#buffers) {
      const value = state[name];
      if (value instanceof Tensor) buffer.set(value);
    }
  }
}
