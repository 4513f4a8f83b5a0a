import type { ByteSource } from "./byte-source.ts";

/** Bytes of a source that are handed on at once. */
const PART_BYTES = 1 << 18;

/**
 * A source of bytes as a `Blob`, read part by part while it is sent: what the Hub's client and
 * Node's `fetch` take for a file, of which they hold no more than a part. The source stays the
 * caller's to close.
 */
export class SourceBlob extends Blob {
  /** What messages call it. */
  readonly name: string;
  readonly #source: ByteSource;
  readonly #begin: number;
  readonly #end: number;
  readonly #onRead: ((bytes: number) => void) | undefined;

  /**
   * @param options.name what it is called.
   * @param options.range the part of the source, by default all of it.
   * @param options.onRead is told of bytes whenever a stream of them has handed some on.
   */
  constructor(
    source: ByteSource,
    {
      name = source.name,
      range: [begin, end] = [0, source.size],
      onRead,
    }: {
      readonly name?: string;
      readonly range?: readonly [begin: number, end: number];
      readonly onRead?: (bytes: number) => void;
    } = {},
  ) {
    super([]);
    this.name = name;
    this.#source = source;
    this.#begin = begin;
    this.#end = Math.max(begin, end);
    this.#onRead = onRead;
  }

  override get size(): number {
    return this.#end - this.#begin;
  }

  /** Where it begins in its source. */
  get begin(): number {
    return this.#begin;
  }

  /** Bytes of all of its source. */
  get total(): number {
    return this.#source.size;
  }

  override slice(start = 0, end: number = this.size): SourceBlob {
    const at = (offset: number): number =>
      this.#begin + Math.min(this.size, offset < 0 ? Math.max(0, this.size + offset) : offset);
    return new SourceBlob(this.#source, { name: this.name, range: [at(start), at(end)] });
  }

  /** The same bytes, whose streams tell somebody. */
  watched(onRead: (bytes: number) => void): SourceBlob {
    return new SourceBlob(this.#source, {
      name: this.name,
      range: [this.#begin, this.#end],
      onRead,
    });
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    const read = await this.#source.read(this.#begin, this.#end, bytes);
    // A source that lies in memory gives a view of it.
    if (read.buffer !== bytes.buffer) bytes.set(read);
    return bytes.buffer;
  }

  override async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.arrayBuffer());
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = this.#begin;
    return new ReadableStream({
      pull: async (controller) => {
        const next = Math.min(this.#end, at + PART_BYTES);
        if (next === at) return controller.close();
        controller.enqueue((await this.#source.read(at, next)) as Uint8Array<ArrayBuffer>);
        this.#onRead?.(next - at);
        at = next;
      },
    });
  }
}
