/** Whole numbers of a few bits each, the first in the lowest bits of each 32-bit word. */
export interface Packing {
  readonly bits: number;
  /** Words between one word and the next of the same row of numbers; 1 along rows. */
  readonly words: Int32Array;
}

/** How many numbers a word holds. */
export function perWord(bits: number): number {
  return Math.floor(32 / bits);
}

/** Number `at` of a row of words that begins at `first`, as it is packed: 0 to 2 ** bits - 1. */
export function unpack(
  { words, bits }: Packing,
  { first, stride, at }: { readonly first: number; readonly stride: number; readonly at: number },
): number {
  const each = perWord(bits);
  const word = words[first + Math.floor(at / each) * stride] ?? 0;
  return (word >>> ((at % each) * bits)) & (2 ** bits - 1);
}

/** Little-endian 32-bit words of bytes. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}
