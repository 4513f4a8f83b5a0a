import { utf8 } from "./bytes.ts";
import type { Fields } from "./fields.ts";
import type { Rewrite } from "./piece.ts";
import { TokenizerError } from "./tokenizer-error.ts";

/**
 * SentencePiece's table of characters: a double-array trie of UTF-8 bytes, and the texts that its
 * keys become, each ended by a zero byte.
 */
interface CharsMap {
  readonly units: Uint32Array;
  readonly texts: Uint8Array;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Reads `precompiled_charsmap`, and answers what it makes of the parts of a text. */
export function readPrecompiled(fields: Fields): (text: string) => Rewrite[] {
  if (!fields.has("precompiled_charsmap")) return (text) => [[text.length, text]];
  const map = readMap(fields);
  const memory = new Map<string, string | undefined>();
  const changed = (part: string): string | undefined => {
    if (memory.has(part)) return memory.get(part);
    if (memory.size > 10_000) memory.clear();
    const value = lookUp(map, part);
    memory.set(part, value);
    return value;
  };
  return (text) => rewritesOf(text, changed);
}

function readMap(fields: Fields): CharsMap {
  const bytes = base64(fields);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (bytes.length < 4 || size % 4 !== 0 || size > bytes.length - 4) {
    throw fields.wrong("precompiled_charsmap", "a table of SentencePiece, written as base64,");
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  return { units, texts: bytes.subarray(4 + size) };
}

function base64(fields: Fields): Uint8Array {
  try {
    return Uint8Array.from(atob(fields.text("precompiled_charsmap")), (char) => char.charCodeAt(0));
  } catch (error) {
    if (error instanceof DOMException) {
      throw fields.wrong("precompiled_charsmap", "text in base64");
    }
    throw error;
  }
}

/**
 * Clusters of less than six bytes are looked up whole, others character by character, as the
 * tokenizers of Hugging Face do.
 */
function rewritesOf(text: string, changed: (part: string) => string | undefined): Rewrite[] {
  const rewrites: Rewrite[] = [];
  const add = (part: string, whole: string | undefined): void => {
    if (whole === undefined) for (const char of part) addOne(char);
    else rewrites.push([part.length, whole]);
  };
  const addOne = (char: string): void => {
    rewrites.push([char.length, changed(char) ?? char]);
  };
  for (const cluster of clusters(text)) {
    add(cluster, utf8(cluster).length < 6 ? changed(cluster) : undefined);
  }
  return rewrites;
}

const NOT_ASCII = /[^\0-\x7f]/;

/** Characters as readers see them; in ASCII only a line's end has two of Unicode's. */
function clusters(text: string): Iterable<string> {
  if (!NOT_ASCII.test(text)) return text.match(/\r\n|[^]/g) ?? [];
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** What the first key that a text begins with becomes. */
function lookUp({ units, texts }: CharsMap, part: string): string | undefined {
  let at = 0;
  let unit = units[0] ?? 0;
  at ^= offsetOf(unit);
  for (const byte of utf8(part)) {
    if (byte === 0) return undefined;
    at ^= byte;
    unit = units[at] ?? 0;
    if ((unit & 0x8000_00ff) >>> 0 !== byte) return undefined;
    at ^= offsetOf(unit);
    if (((unit >>> 8) & 1) === 1) return textAt(texts, (units[at] ?? 0) & 0x7fff_ffff);
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}

/** Bytes that a character may become; in NFKC the most are 33. */
const MAX_TEXT = 1024;

function textAt(texts: Uint8Array, begin: number): string {
  const text = texts.subarray(begin, begin + MAX_TEXT + 1);
  const end = text.indexOf(0);
  if (end < 0 && text.length > MAX_TEXT) {
    throw new TokenizerError(
      `precompiled_charsmap of the tokenizer has a text of more than ${MAX_TEXT} bytes for a character`,
    );
  }
  return decoder.decode(end < 0 ? text : text.subarray(0, end));
}
