import { TokenizerError } from "./tokenizer-error.ts";
import { type Budget, spend } from "./budget.ts";
import { type Fields, shown } from "./fields.ts";
import type { ModelToken, TokenModel } from "./model.ts";
import { readVocabulary, type Vocabulary } from "./vocabulary.ts";

/** The token for a whole piece of which the vocabulary has nothing. */
function unknownToken(vocabulary: Vocabulary, token: string, piece: string): ModelToken {
  const id = vocabulary.id(token);
  if (id !== undefined) return { id, token, begin: 0, end: piece.length };
  throw new TokenizerError(
    `encode: the vocabulary has nothing for ${JSON.stringify(piece.slice(0, 80))}, and no ` +
      `${shown(token)} for what it does not have`,
  );
}

/** Every piece is a token, or it is unknown. */
export function readWordLevel(model: Fields): TokenModel {
  const vocabulary = readVocabulary(model);
  const unknown = model.text("unk_token");
  return {
    vocabulary,
    isBpe: false,
    tokenize: (piece) => {
      const id = vocabulary.id(piece);
      if (id === undefined) return [unknownToken(vocabulary, unknown, piece)];
      return [{ id, token: piece, begin: 0, end: piece.length }];
    },
  };
}

/** Takes the longest token that a piece begins with, again and again. */
export function readWordPiece(model: Fields): TokenModel {
  const vocabulary = readVocabulary(model);
  const unknown = model.text("unk_token");
  const prefix = model.text("continuing_subword_prefix");
  const limit = model.count("max_input_chars_per_word");
  const lengths = [...lengthsOf(vocabulary)].toSorted((a, b) => b - a);
  const settings = { vocabulary, prefix, lengths };
  const tokenize = (piece: string, budget: Budget): readonly ModelToken[] => {
    const isShort = piece.length <= limit || Array.from(piece).length <= limit;
    const tokens = isShort ? longestFirst(settings, piece, budget) : undefined;
    return tokens ?? [unknownToken(vocabulary, unknown, piece)];
  };
  return { vocabulary, isBpe: false, tokenize };
}

function lengthsOf(vocabulary: Vocabulary): Set<number> {
  return new Set(Array.from(vocabulary.ids.keys(), (token) => token.length));
}

interface WordSettings {
  readonly vocabulary: Vocabulary;
  readonly prefix: string;
  /** Lengths that tokens have, the longest first. */
  readonly lengths: readonly number[];
}

function longestFirst(
  settings: WordSettings,
  piece: string,
  budget: Budget,
): ModelToken[] | undefined {
  const tokens: ModelToken[] = [];
  for (let begin = 0; begin < piece.length;) {
    const token = longestAt(settings, piece, begin, budget);
    if (token === undefined) return undefined;
    tokens.push(token);
    begin = token.end;
  }
  return tokens;
}

function longestAt(
  { vocabulary, prefix, lengths }: WordSettings,
  piece: string,
  begin: number,
  budget: Budget,
): ModelToken | undefined {
  const before = begin === 0 ? "" : prefix;
  for (const length of lengths) {
    const end = begin + length - before.length;
    if (end <= begin) return undefined;
    if (end > piece.length) continue;
    spend(budget, 1 + (length >> 3), "the model");
    const token = before + piece.slice(begin, end);
    const id = vocabulary.id(token);
    if (id !== undefined) return { id, token, begin, end };
  }
  return undefined;
}
