import { readBpe } from "./bpe.ts";
import type { Budget } from "./budget.ts";
import type { Fields } from "./fields.ts";
import { readUnigram } from "./unigram.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { readWordLevel, readWordPiece } from "./words.ts";

/** A token of a piece, and the units of the piece that it covers. */
export interface ModelToken {
  /** Id in the vocabulary. */
  readonly id: number;
  /** As it is spelled in the vocabulary, or the text itself where it is not in there. */
  readonly token: string;
  /** First UTF-16 unit of the piece that it covers. */
  readonly begin: number;
  /** The unit after the last. */
  readonly end: number;
}

/** Turns pieces into tokens. */
export interface TokenModel {
  /** Its tokens and their ids. */
  readonly vocabulary: Vocabulary;
  /** Byte-pair encodings spell spaces as they are, so that nobody cleans them up. */
  readonly isBpe: boolean;
  /** @throws TokenizerError when there is nothing in the vocabulary for the piece. */
  tokenize(piece: string, budget: Budget): readonly ModelToken[];
}

/** The types of models that a tokenizer.json may name. */
export type ModelType = "BPE" | "WordPiece" | "WordLevel" | "Unigram";

export const MODELS: { readonly [K in ModelType]: (fields: Fields) => TokenModel } = {
  BPE: readBpe,
  WordPiece: readWordPiece,
  WordLevel: readWordLevel,
  Unigram: readUnigram,
};

/** Old files do not say which type they are; their fields do. */
function inferred(model: Fields): ModelType {
  if (model.has("merges")) return "BPE";
  if (Array.isArray(model.json["vocab"])) return "Unigram";
  return model.has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

export function readModel(model: Fields): TokenModel {
  if (!model.has("type")) return MODELS[inferred(model)](model);
  return model.component(MODELS)(model);
}
