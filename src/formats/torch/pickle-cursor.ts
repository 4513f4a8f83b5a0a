import { PickleEndError, TorchFileError } from "./torch-file-error.ts";

const LONGEST_INTEGER = 64;
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a pickle's bytes front to back, never past their end. */
export class PickleCursor {
  readonly file: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#at;
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    const begin = this.#advance(length);
    return this.#bytes.subarray(begin, begin + length);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A length of 8 bytes; one that no file has is as good as one past the end. */
  length64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Pickles keep floats big-endian. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Two's complement of any length, little-endian. */
  integer(length: number): number | bigint {
    if (length > LONGEST_INTEGER) {
      throw new TorchFileError(`${this.file}: an integer of ${length} bytes is not a plain value`);
    }
    let value = 0n;
    for (const [i, byte] of this.take(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return UTF_8.decode(bytes);
    } catch {
      throw new TorchFileError(
        `${this.file}: the text before byte ${this.#at} is not UTF-8: ` +
          "the file is damaged, or holds bytes that are not text",
      );
    }
  }

  /** Text up to the end of the line, without it. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#advance(this.#bytes.byteLength + 1);
    const text = this.text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  #advance(length: number): number {
    const begin = this.#at;
    if (length > this.#bytes.byteLength - begin) {
      throw new PickleEndError(
        `${this.file}: the pickle ends at byte ${this.#bytes.byteLength}, inside of a value: ` +
          "the file is truncated or damaged, or is not a PyTorch file",
      );
    }
    this.#at = begin + length;
    return begin;
  }
}
