import { type ByteSource, partsOf } from "../../files/byte-source.ts";
import { fileKind, isTorchHead, KIND_BYTES } from "../../files/file-kind.ts";
import { type RawData, type RawDType, type RawTensor, viewAs } from "../raw-tensor.ts";
import { quote } from "../json-values.ts";
import { supportedElementTypes } from "./element-types.ts";
import { SafetensorsError } from "./safetensors-error.ts";
import {
  headerLength,
  parseHeader,
  PREFIX_BYTES,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors-header.ts";

const TORCH =
  "a file of torch.save (or another zip file); read it with loadTorchFile, or call it " +
  "pytorch_model.bin";

/**
 * An open safetensors file. Its header has been read and checked; each tensor is read when it is
 * asked for, into a buffer of its own (or as a view where the file lies in memory), so that nothing
 * is held twice.
 */
export class SafetensorsFile {
  readonly #source: ByteSource;
  readonly #header: SafetensorsHeader;

  private constructor(source: ByteSource, header: SafetensorsHeader) {
    this.#source = source;
    this.#header = header;
  }

  /**
   * Reads and checks the header.
   *
   * @throws {@link SafetensorsError} when the file is not well formed. `source` then stays open.
   */
  static async open(source: ByteSource): Promise<SafetensorsFile> {
    try {
      const prefix = await source.read(0, Math.min(PREFIX_BYTES, source.size));
      const length = headerLength(prefix, source.size, source.name);
      const json = await source.read(PREFIX_BYTES, PREFIX_BYTES + length);
      return new SafetensorsFile(source, parseHeader(json, source.size, source.name));
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error;
      // Asked only now, as the length of a header may look like the beginning of anything.
      const head = await source.read(0, Math.min(KIND_BYTES, source.size));
      const kind = isTorchHead(head) ? TORCH : fileKind(head);
      if (kind === undefined) throw error;
      throw new SafetensorsError(`${source.name}: this is ${kind}`, { cause: error });
    }
  }

  /** What messages call the file. */
  get file(): string {
    return this.#source.name;
  }

  /** Names of the tensors, in the order in which they lie in the file. */
  get names(): readonly string[] {
    return [...this.#header.entries.keys()];
  }

  /** The free-form strings of the header's `__metadata__`; empty when it has none. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata;
  }

  /** Whether the file has a tensor of that name. */
  has(name: string): boolean {
    return this.#header.entries.has(name);
  }

  /** Element type, shape and place of a tensor, without reading it. */
  info(name: string): SafetensorsEntry {
    const entry = this.#header.entries.get(name);
    if (entry !== undefined) return entry;
    throw new SafetensorsError(
      `${this.file}: there is no tensor ${quote(name)} among its ${this.#header.entries.size}`,
    );
  }

  /**
   * Reads one tensor.
   *
   * @throws {@link SafetensorsError} for a name that the file lacks, an element type that this
   * library cannot hold (U16, U32, U64, C64, F8), and a BOOL that is neither 0 nor 1.
   */
  async read(name: string): Promise<RawTensor> {
    const { begin, end, shape } = this.info(name);
    const dtype = this.#dtypeOf(name);
    const bytes = await this.#source.read(begin, end);
    if (dtype === "bool") this.#checkBooleans(name, bytes);
    return { dtype, shape, data: viewAs(bytes, dtype) };
  }

  /**
   * Reads one tensor part by part, as many numbers at a time as fit into `buffer`. A part may lie in
   * the buffer and then holds until the next is asked for.
   *
   * @throws {@link SafetensorsError} as {@link read} does.
   */
  async *parts(name: string, buffer: Uint8Array): AsyncGenerator<RawData> {
    const { begin, end } = this.info(name);
    const dtype = this.#dtypeOf(name);
    for (const [from, to] of partsOf(begin, end, buffer.length)) {
      const bytes = await this.#source.read(from, to, buffer);
      if (dtype === "bool") this.#checkBooleans(name, bytes);
      yield viewAs(bytes, dtype);
    }
  }

  /** The bytes of a tensor as they lie, of whatever element type, or a range of them. */
  bytes(name: string, from = 0, to: number = this.byteLength(name)): Promise<Uint8Array> {
    const { begin } = this.info(name);
    return this.#source.read(begin + from, begin + to);
  }

  /** How many bytes a tensor has. */
  byteLength(name: string): number {
    const { begin, end } = this.info(name);
    return end - begin;
  }

  /** Closes the file; nothing can be read after that. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  #dtypeOf(name: string): RawDType {
    const { dtype, elementType } = this.info(name);
    if (dtype !== undefined) return dtype;
    throw new SafetensorsError(
      `${this.file}: tensor ${quote(name)} is ${elementType}, which cannot be read; ` +
        `these can: ${supportedElementTypes.join(", ")}`,
    );
  }

  #checkBooleans(name: string, bytes: Uint8Array): void {
    const at = bytes.findIndex((byte) => byte > 1);
    if (at < 0) return;
    throw new SafetensorsError(
      `${this.file}: tensor ${quote(name)} is BOOL, but element ${at} is ${bytes[at]}; ` +
        "0 or 1 was expected",
    );
  }
}
