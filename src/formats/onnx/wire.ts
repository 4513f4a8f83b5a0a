import { PbfReader } from "pbf";
import { OnnxFileError } from "./onnx-file-error.ts";

/** How the value of a field is written: the four ways that protobuf still has. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Messages within messages: graphs in graphs are the deepest, and nobody nests them like this. */
const DEEPEST = 100;

/** Messages that a file may have, beside one for each of so many of its bytes. */
const LEAST_MESSAGES = 20_000;
const BYTES_A_MESSAGE = 6;

const TEXT = new TextDecoder("utf-8");

/** What all messages of one file share. */
interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Messages that are still to come at most, so that a small file makes no large tree. */
  left: number;
}

/**
 * A message of a protobuf. Pbf's reader reads on past the end of its bytes; what is read here lies in the
 * message that it belongs to, or is refused.
 */
export class Wire {
  readonly #source: Source;
  readonly #reader: PbfReader;
  readonly #end: number;
  readonly #depth: number;
  #type = VARINT;

  private constructor(source: Source, begin: number, end: number, depth: number) {
    this.#source = source;
    this.#reader = new PbfReader(source.bytes);
    this.#reader.pos = begin;
    this.#end = end;
    this.#depth = depth;
  }

  /** The message that a file is. */
  static of(bytes: Uint8Array, name: string): Wire {
    const left = LEAST_MESSAGES + bytes.length / BYTES_A_MESSAGE;
    return new Wire({ name, bytes, left }, 0, bytes.length, 0);
  }

  /** What messages call the file. */
  get file(): string {
    return this.#source.name;
  }

  /**
   * Calls `visit` with the number of each field; it reads the value, or leaves it.
   * @throws OnnxFileError for what is no message, or is cut off.
   */
  fields(visit: (field: number) => void): void {
    while (this.#reader.pos < this.#end) {
      const tag = this.#varint();
      this.#type = tag & 7;
      const field = Math.floor(tag / 8);
      if (field === 0) this.#damaged("a field has the number 0");
      const before = this.#reader.pos;
      visit(field);
      if (this.#reader.pos === before) this.#skip();
    }
  }

  /** A whole number below 2^53, of either sign; a larger one is the largest that a number holds. */
  int(): number {
    this.#require(VARINT);
    return this.#signed();
  }

  /** Whole numbers, written together or one by one, put after those in a list. */
  ints(into: number[]): void {
    if (this.#type === VARINT) into.push(this.#signed());
    else {
      const { end } = this.#range();
      while (this.#reader.pos < end) into.push(this.#signed());
    }
  }

  /** A float32. */
  float(): number {
    this.#require(FIXED32);
    return this.#fixed32();
  }

  /** Floats, written together or one by one, put after those in a list. */
  floats(into: number[]): void {
    if (this.#type === FIXED32) into.push(this.#fixed32());
    else {
      const { end } = this.#range();
      while (this.#reader.pos < end) into.push(this.#fixed32());
    }
  }

  /** Bytes, as a view of the file. */
  bytes(): Uint8Array {
    this.#require(BYTES);
    const { begin, end } = this.#range();
    this.#reader.pos = end;
    return this.#source.bytes.subarray(begin, end);
  }

  /** Bytes of numbers of a fixed length, written together or one by one. */
  fixed(length: 4 | 8): Uint8Array {
    if (this.#type === BYTES) return this.bytes();
    this.#require(length === 4 ? FIXED32 : FIXED64);
    const begin = this.#reader.pos;
    this.#move(length);
    return this.#source.bytes.subarray(begin, begin + length);
  }

  /** Bytes of whole numbers in protobuf's own form, written together or one by one. */
  varints(): Uint8Array {
    if (this.#type === BYTES) return this.bytes();
    this.#require(VARINT);
    const begin = this.#reader.pos;
    this.#varint();
    return this.#source.bytes.subarray(begin, this.#reader.pos);
  }

  /** A text. */
  text(): string {
    return TEXT.decode(this.bytes());
  }

  /** A message within this one. */
  message(): Wire {
    this.#require(BYTES);
    const { begin, end } = this.#range();
    if (this.#depth >= DEEPEST) this.#damaged(`messages stand in ${DEEPEST} others`);
    this.#source.left--;
    if (this.#source.left < 0) this.#damaged("it describes more than it has bytes for");
    this.#reader.pos = end;
    return new Wire(this.#source, begin, end, this.#depth + 1);
  }

  #range(): { readonly begin: number; readonly end: number } {
    const length = this.#varint();
    const begin = this.#reader.pos;
    if (length > this.#end - begin) this.#damaged("it ends before a field does");
    return { begin, end: begin + length };
  }

  #varint(): number {
    const { bytes } = this.#source;
    let end = this.#reader.pos;
    while (end < this.#end && (bytes[end] ?? 0) > 0x7f) end++;
    if (end >= this.#end || end - this.#reader.pos >= 10) this.#damaged("a number has no end");
    return this.#reader.readVarint();
  }

  #signed(): number {
    const before = this.#reader.pos;
    this.#varint();
    this.#reader.pos = before;
    const value = this.#reader.readVarint(true);
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
  }

  #fixed32(): number {
    if (this.#end - this.#reader.pos < 4) this.#damaged("it ends within a number");
    return this.#reader.readFloat();
  }

  #skip(): void {
    if (this.#type === VARINT) this.#varint();
    else if (this.#type === FIXED64) this.#move(8);
    else if (this.#type === FIXED32) this.#move(4);
    else if (this.#type === BYTES) this.#reader.pos = this.#range().end;
    else this.#damaged(`a field is of kind ${this.#type}, which no ONNX file has`);
  }

  #move(length: number): void {
    if (this.#end - this.#reader.pos < length) this.#damaged("it ends within a number");
    this.#reader.pos += length;
  }

  #require(type: number): void {
    if (this.#type !== type) this.#damaged("a field is not of the kind that it has in ONNX");
  }

  #damaged(what: string): never {
    throw new OnnxFileError(
      `${this.#source.name}: this is no ONNX file, or a damaged one: ${what} (byte ${this.#reader.pos})`,
    );
  }
}
