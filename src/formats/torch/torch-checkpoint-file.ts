import { numel } from "../../tensor/shape.ts";
import type { ByteSource } from "../../files/byte-source.ts";
import { bytesOf, type RawData, rawItemsize, type RawTensor } from "../raw-tensor.ts";
import type { TensorFile, TensorInfo } from "../tensor-file.ts";
import { findStateDict } from "./state-dict.ts";
import type { TensorView } from "./tensor-view.ts";
import { openTorchFile, readParts, readTensor, type TorchFile } from "./torch-file.ts";
import { TorchFileError } from "./torch-file-error.ts";

/** Stands for a tensor while the numbers are not read. */
class Unread {
  readonly view: TensorView;

  constructor(view: TensorView) {
    this.view = view;
  }
}

function noTensors(state: unknown, file: string): string {
  const keys = state instanceof Map ? [...state.keys()].slice(0, 10).map(String) : [];
  return (
    `${file}: the file is not a state dict, which has tensors by name` +
    (keys.length > 0 ? `; these are no tensors: ${keys.join(", ").slice(0, 300)}` : "") +
    "; read it with loadTorchFile, and give its state dict to model.loadStateDict"
  );
}

/** A state dict in a file of `torch.save`, each tensor read when it is asked for. */
export class TorchCheckpointFile implements TensorFile {
  readonly #source: ByteSource;
  readonly #file: TorchFile;
  readonly #views: ReadonlyMap<string, TensorView>;

  private constructor(source: ByteSource, file: TorchFile, views: ReadonlyMap<string, TensorView>) {
    this.#source = source;
    this.#file = file;
    this.#views = views;
  }

  /** @throws TorchFileError when the file is damaged, or has no dict of tensors by name. */
  static async open(source: ByteSource): Promise<TorchCheckpointFile> {
    const file = await openTorchFile(source);
    const state = file.value((view) => new Unread(view));
    const found = findStateDict(state, (value) => value instanceof Unread, source.name);
    if (found.size === 0) throw new TorchFileError(noTensors(state, source.name));
    const views = new Map([...found].map(([name, { view }]) => [name, view]));
    return new TorchCheckpointFile(source, file, views);
  }

  get names(): readonly string[] {
    return [...this.#views.keys()];
  }

  has(name: string): boolean {
    return this.#views.has(name);
  }

  info(name: string): TensorInfo {
    const { storage, shape } = this.#view(name);
    return { name, elementType: storage.dtype, dtype: storage.dtype, shape };
  }

  async read(name: string): Promise<RawTensor> {
    return readTensor(this.#file, this.#view(name), this.#source.name);
  }

  parts(name: string, buffer: Uint8Array): AsyncIterable<RawData> {
    return readParts(this.#file, this.#view(name), { name: this.#source.name, buffer });
  }

  async bytes(name: string, from = 0, to: number = this.byteLength(name)): Promise<Uint8Array> {
    return bytesOf((await this.read(name)).data).subarray(from, to);
  }

  byteLength(name: string): number {
    const { storage, shape } = this.#view(name);
    return numel(shape) * rawItemsize(storage.dtype);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #view(name: string): TensorView {
    const view = this.#views.get(name);
    if (view !== undefined) return view;
    throw new TorchFileError(`${this.#source.name}: there is no tensor ${JSON.stringify(name)}`);
  }
}
