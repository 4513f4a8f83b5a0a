import { type Budget, spend } from "./budget.ts";
import { byteOfToken, spelledBytes, utf8, utf8Text } from "./bytes.ts";
import { cleanUpWordPieces } from "./clean-up.ts";
import type { Fields } from "./fields.ts";
import { checkGrowth } from "./growth.ts";
import { readPattern } from "./pattern.ts";
import { readMetaspaceFields } from "./pre-tokenizers.ts";

/** Makes parts of a text of tokens; joined, they are the text. */
export type Decoder = (tokens: readonly string[], budget: Budget) => readonly string[];

/** The types of decoders that a tokenizer.json may name. */
export type DecoderType =
  | "BPEDecoder"
  | "ByteLevel"
  | "WordPiece"
  | "Metaspace"
  | "CTC"
  | "Sequence"
  | "Replace"
  | "Fuse"
  | "Strip"
  | "ByteFallback";

export const DECODERS: { readonly [K in DecoderType]: (fields: Fields) => Decoder } = {
  BPEDecoder: readBpe,
  ByteLevel: () => (tokens) => [utf8Text(tokens.flatMap((token) => bytesOf(token)))],
  WordPiece: readWordPiece,
  Metaspace: readMetaspace,
  CTC: readCtc,
  Sequence: readSequence,
  Replace: readReplace,
  Fuse: () => (tokens) => [tokens.join("")],
  Strip: readStrip,
  ByteFallback: () => decodeByteTokens,
};

export function readDecoder(fields: Fields): Decoder {
  const decode = fields.component(DECODERS)(fields);
  return (tokens, budget) => {
    spend(budget, lengthOf(tokens) + tokens.length, fields.where);
    return decode(tokens, budget);
  };
}

/** Bytes that a token spells, or its own where it has other characters, as added tokens may. */
function bytesOf(token: string): number[] {
  return spelledBytes(token) ?? [...utf8(token)];
}

function readBpe(fields: Fields): Decoder {
  const suffix = fields.text("suffix", "</w>");
  return (tokens) =>
    tokens.map((token, i) => replacedText(token, suffix, i === tokens.length - 1 ? "" : " "));
}

/** Replaces a text as Rust does: an empty one stands between all characters. */
function replacedText(text: string, part: string, by: string): string {
  return part === ""
    ? [by, ...Array.from(text).flatMap((char) => [char, by])].join("")
    : text.replaceAll(part, () => by);
}

function readWordPiece(fields: Fields): Decoder {
  const prefix = fields.text("prefix");
  const cleansUp = fields.flag("cleanup");
  return (tokens) =>
    tokens.map((token, i) => {
      const continued = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      const text = i === 0 ? token : continued;
      return cleansUp ? cleanUpWordPieces(text) : text;
    });
}

function readMetaspace(fields: Fields): Decoder {
  const { mark, scheme } = readMetaspaceFields(fields);
  return (tokens) =>
    tokens.map((token, i) => token.replaceAll(mark, i === 0 && scheme !== "never" ? "" : " "));
}

function readCtc(fields: Fields): Decoder {
  const pad = fields.text("pad_token");
  const delimiter = fields.text("word_delimiter_token");
  const cleansUp = fields.flag("cleanup");
  return (tokens) =>
    tokens
      .filter((token, i) => token !== tokens[i - 1])
      .map((token) => {
        const text = replacedText(token, pad, "");
        return cleansUp ? replacedText(cleanUpWordPieces(text), delimiter, " ") : text;
      })
      .filter((text) => text !== "");
}

function readSequence(fields: Fields): Decoder {
  const steps = fields.children("decoders").map(readDecoder);
  return (whole, budget) => {
    const length = lengthOf(whole);
    return steps.reduce((tokens, step) => {
      const next = step(tokens, budget);
      checkGrowth(length, lengthOf(next), fields.where);
      return next;
    }, whole);
  };
}

function lengthOf(tokens: readonly string[]): number {
  return tokens.reduce((sum, token) => sum + token.length, 0);
}

function readReplace(fields: Fields): Decoder {
  const find = readPattern(fields);
  const content = fields.text("content");
  return (tokens, budget) =>
    tokens.map((token) => {
      const matches = find(token, budget);
      const count = matches.filter(([, , isMatch]) => isMatch).length;
      checkGrowth(token.length, count * content.length, fields.where);
      return matches
        .map(([begin, end, isMatch]) => (isMatch ? content : token.slice(begin, end)))
        .join("");
    });
}

function readStrip(fields: Fields): Decoder {
  const content = fields.character("content");
  const start = fields.count("start");
  const stop = fields.count("stop");
  return (tokens) =>
    tokens.map((token) => {
      const chars = Array.from(token);
      let begin = 0;
      while (begin < Math.min(start, chars.length) && chars[begin] === content) begin++;
      let end = chars.length;
      while (end > begin && chars.length - end < stop && chars[end - 1] === content) end--;
      return chars.slice(begin, end).join("");
    });
}

/** Runs of tokens such as `<0xE2>` are one text; each is U+FFFD where a run is not UTF-8. */
function decodeByteTokens(tokens: readonly string[]): string[] {
  const decoded: string[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length > 0) for (const text of textsOfRun(run)) decoded.push(text);
    run = [];
  };
  for (const token of tokens) {
    const byte = byteOfToken(token);
    if (byte === undefined) {
      flush();
      decoded.push(token);
    } else run.push(byte);
  }
  flush();
  return decoded;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textsOfRun(bytes: readonly number[]): string[] {
  try {
    return [strict.decode(Uint8Array.from(bytes))];
  } catch (error) {
    if (error instanceof TypeError) return bytes.map(() => "\uFFFD");
    throw error;
  }
}
