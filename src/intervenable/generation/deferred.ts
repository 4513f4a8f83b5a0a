import { printsItself } from "../../base/inspect.ts";

/** What takes its time, and is begun when it is first awaited. */
export class Deferred<T> implements PromiseLike<T> {
  readonly #begin: () => Promise<T>;
  #begun: Promise<T> | undefined;

  constructor(begin: () => Promise<T>) {
    this.#begin = begin;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is what it is for
  then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#begun ??= this.#begin();
    return this.#begun.then(done, failed);
  }

  toString(): string {
    return this.#begun === undefined ? "Deferred(begins with await)" : "Deferred(begun)";
  }
}

printsItself(Deferred.prototype);
