import type { Checkpoint } from "./checkpoint.ts";
import type { RawData, RawTensor } from "./raw-tensor.ts";
import type { TensorInfo } from "./tensor-file.ts";

/** A checkpoint made of another, which reads what a subclass does not read otherwise. */
export abstract class DerivedCheckpoint implements Checkpoint {
  protected readonly inner: Checkpoint;
  readonly #names: ReadonlySet<string>;

  /** @param names - All tensors, those of the other that are read as they are among them. */
  constructor(inner: Checkpoint, names: Iterable<string>) {
    this.inner = inner;
    this.#names = new Set(names);
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  get absent(): ReadonlyMap<string, string> {
    return this.inner.absent;
  }

  get location(): string {
    return this.inner.location;
  }

  get files(): readonly string[] {
    return this.inner.files;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  info(name: string): TensorInfo {
    return this.inner.info(name);
  }

  read(name: string): Promise<RawTensor> {
    return this.inner.read(name);
  }

  parts(name: string, buffer: Uint8Array): AsyncIterable<RawData> {
    return this.inner.parts(name, buffer);
  }

  bytes(name: string, from?: number, to?: number): Promise<Uint8Array> {
    return this.inner.bytes(name, from, to);
  }

  byteLength(name: string): number {
    return this.inner.byteLength(name);
  }

  async close(): Promise<void> {
    await this.inner.close();
  }
}
