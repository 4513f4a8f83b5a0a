import { TokenizerError } from "./tokenizer-error.ts";
import { type Budget, spend } from "./budget.ts";
import { byteToken, utf8 } from "./bytes.ts";
import { type Fields, shown } from "./fields.ts";
import type { ModelToken, TokenModel } from "./model.ts";
import { PieceTrie } from "./piece-trie.ts";
import { Vocabulary } from "./vocabulary.ts";

/** No id: the model has none for unknown characters. */
const MISSING = -1;

/** How much less likely an unknown character is than the least likely piece. */
const UNKNOWN_PENALTY = 10;

interface UnigramSettings {
  readonly vocabulary: Vocabulary;
  readonly scores: readonly number[];
  readonly trie: PieceTrie;
  readonly unknownScore: number;
  readonly unknownId: number | undefined;
  readonly byteFallback: boolean;
}

/** Finds the pieces that make a text the most likely: SentencePiece's Unigram. */
export function readUnigram(model: Fields): TokenModel {
  const pieces = readPieces(model);
  const vocabulary = new Vocabulary(pieces.map(([piece], id) => [piece, id]));
  const unknownId = model.has("unk_id") ? model.count("unk_id") : undefined;
  if (unknownId !== undefined && unknownId >= pieces.length) {
    throw model.wrong("unk_id", `a place among the ${pieces.length} pieces of vocab`);
  }
  const trie = new PieceTrie();
  pieces.forEach(([piece], id) => piece !== "" && trie.add(piece, id));
  const scores = pieces.map(([, score]) => score);
  const least = scores.reduce((a, b) => Math.min(a, b), Infinity);
  const settings: UnigramSettings = {
    vocabulary,
    scores,
    trie,
    unknownScore: least - UNKNOWN_PENALTY,
    unknownId,
    byteFallback: model.flag("byte_fallback", false),
  };
  return {
    vocabulary,
    isBpe: false,
    tokenize: (piece, budget) =>
      bestPath(settings, piece, budget).flatMap((part) => tokensOf(settings, ...part)),
  };
}

function readPieces(model: Fields): (readonly [string, number])[] {
  return model.list("vocab").map((entry, i) => {
    const [piece, score]: unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof piece === "string" && typeof score === "number") return [piece, score] as const;
    throw new TokenizerError(
      `${model.where}: vocab[${i}] is ${shown(entry)}; a piece and its score were expected`,
    );
  });
}

/** A part of a piece: where it is, and whether it is in the vocabulary. */
type Part = readonly [text: string, begin: number, end: number];

/** Splits a piece so that the scores add up to the most; unknown characters stay together. */
function bestPath(settings: UnigramSettings, text: string, budget: Budget): Part[] {
  const { trie, scores, unknownScore, unknownId } = settings;
  const best = new Float64Array(text.length + 1);
  const from = new Int32Array(text.length + 1).fill(-1);
  const ids = new Int32Array(text.length + 1);
  for (let begin = 0; begin < text.length;) {
    const here = best[begin] ?? 0;
    const next = begin + ((text.codePointAt(begin) ?? 0) > 0xffff ? 2 : 1);
    let hasCharacter = false;
    const offer = (id: number, end: number, score: number): void => {
      if (end === next) hasCharacter = true;
      if (from[end] !== -1 && !(score > (best[end] ?? 0))) return;
      if (id === MISSING) throw missingUnknown(text.slice(begin, end));
      best[end] = score;
      from[end] = begin;
      ids[end] = id;
    };
    const steps = trie.forEachAt(text, begin, (id, end) => {
      offer(id, end, (scores[id] ?? 0) + here);
    });
    spend(budget, steps, "the model");
    if (!hasCharacter) offer(unknownId ?? MISSING, next, unknownScore + here);
    begin = next;
  }
  return partsOf(text, from, ids, unknownId);
}

function partsOf(
  text: string,
  from: Int32Array,
  ids: Int32Array,
  unknownId: number | undefined,
): Part[] {
  const parts: Part[] = [];
  let unknownEnd = -1;
  for (let end = text.length; end > 0;) {
    const begin = from[end] ?? 0;
    const isUnknown = ids[end] === unknownId;
    if (isUnknown && unknownEnd < 0) unknownEnd = end;
    const beginsRun = isUnknown && (begin === 0 || ids[begin] !== unknownId);
    if (beginsRun) {
      parts.push([text.slice(begin, unknownEnd), begin, unknownEnd]);
      unknownEnd = -1;
    } else if (!isUnknown) parts.push([text.slice(begin, end), begin, end]);
    end = begin;
  }
  return parts.reverse();
}

function tokensOf(
  { vocabulary, byteFallback, unknownId }: UnigramSettings,
  token: string,
  begin: number,
  end: number,
): ModelToken[] {
  const id = vocabulary.id(token);
  if (id !== undefined) return [{ id, token, begin, end }];
  const bytes = byteFallback ? byteTokens(vocabulary, token, begin) : undefined;
  if (bytes !== undefined) return bytes;
  if (unknownId === undefined) throw missingUnknown(token);
  return [{ id: unknownId, token, begin, end }];
}

/** The tokens of a text's bytes, if the vocabulary has them all. */
function byteTokens(vocabulary: Vocabulary, text: string, begin: number): ModelToken[] | undefined {
  const tokens: ModelToken[] = [];
  let at = begin;
  for (const char of text) {
    for (const byte of utf8(char)) {
      const token = byteToken(byte);
      const id = vocabulary.id(token);
      if (id === undefined) return undefined;
      tokens.push({ id, token, begin: at, end: at + char.length });
    }
    at += char.length;
  }
  return tokens;
}

function missingUnknown(text: string): TokenizerError {
  return new TokenizerError(
    `encode: the vocabulary has nothing for ${JSON.stringify(text.slice(0, 80))}, and its model ` +
      "has no unk_id for what it does not have",
  );
}
