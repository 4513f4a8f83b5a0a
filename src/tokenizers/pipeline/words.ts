import { TokenizerError } from "./tokenizer-error.ts";
import { budgetFor, spend } from "./budget.ts";
import type { Fields } from "./fields.ts";
import type { ModelToken, TokenModel } from "./model.ts";
import { readVocabulary, type Vocabulary } from "./vocabulary.ts";

/** The token for a whole piece of which the vocabulary has nothing. */
function unknownToken(vocabulary: Vocabulary, token: string, piece: string): ModelToken {
  const id = vocabulary.id(token);
  if (id !== undefined) return { id, token, begin: 0, end: piece.length };
  throw new TokenizerError(
    `encode: the vocabulary has nothing for ${JSON.stringify(piece.slice(0, 80))}, and no ` +
      `${JSON.stringify(token)} for what it does not have`,
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
  const longest = Math.max(0, ...lengthsOf(vocabulary));
  const tokenize = (piece: string): readonly ModelToken[] => {
    const isShort = piece.length <= limit || Array.from(piece).length <= limit;
    const tokens = isShort ? longestFirst(vocabulary, prefix, longest, piece) : undefined;
    return tokens ?? [unknownToken(vocabulary, unknown, piece)];
  };
  return { vocabulary, isBpe: false, tokenize };
}

function lengthsOf(vocabulary: Vocabulary): Set<number> {
  return new Set(Array.from(vocabulary.ids.keys(), (token) => token.length));
}

function longestFirst(
  vocabulary: Vocabulary,
  prefix: string,
  longest: number,
  piece: string,
): ModelToken[] | undefined {
  const tokens: ModelToken[] = [];
  const budget = budgetFor(piece);
  for (let begin = 0; begin < piece.length;) {
    const before = begin === 0 ? "" : prefix;
    let end = Math.min(piece.length, begin + Math.max(0, longest - before.length));
    let id: number | undefined;
    for (; end > begin; end--) {
      spend(budget, end - begin, "the model");
      id = vocabulary.id(before + piece.slice(begin, end));
      if (id !== undefined) break;
    }
    if (id === undefined) return undefined;
    tokens.push({ id, token: before + piece.slice(begin, end), begin, end });
    begin = end;
  }
  return tokens;
}
