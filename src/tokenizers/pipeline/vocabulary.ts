import { type Fields, isCount } from "./fields.ts";

/** The tokens of a model and their ids, both ways. */
export class Vocabulary {
  /** Id of each token. */
  readonly ids: ReadonlyMap<string, number>;
  readonly #tokens: ReadonlyMap<number, string>;

  constructor(entries: readonly (readonly [string, number])[]) {
    this.ids = new Map(entries);
    this.#tokens = new Map(entries.map(([token, id]) => [id, token]));
  }

  /** Number of tokens; several may have one id, and one of Unigram's several ids. */
  get size(): number {
    return Math.max(this.ids.size, this.#tokens.size);
  }

  /** The id of a token; undefined for none. */
  id(token: string): number | undefined {
    return this.ids.get(token);
  }

  /** The token with an id; undefined for none. */
  token(id: number): string | undefined {
    return this.#tokens.get(id);
  }
}

/** Reads `vocab` of most models: an object from tokens to ids. */
export function readVocabulary(model: Fields): Vocabulary {
  const vocab = model.child("vocab");
  const entries = Object.entries(vocab.json).map(([token, id]) => {
    if (!isCount(id)) throw vocab.wrong(token, "an id, a whole number of at least 0,");
    return [token, id] as const;
  });
  return new Vocabulary(entries);
}
