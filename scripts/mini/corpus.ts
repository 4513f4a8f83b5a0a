import { writeFacts } from "./fact-documents.ts";
import { writeGift } from "./indirect-objects.ts";
import { createRandom, type Random } from "./random.ts";
import { writeStory } from "./stories.ts";

/** Ends every document, and is the model's only special token. */
export const END_OF_TEXT = "<|endoftext|>";

/** What a document is about. */
export type DocumentKind = "facts" | "gift" | "story";

/**
 * Shares of the documents. Facts are short and have to be learned one by one, gifts teach a rule,
 * stories are long: by tokens this is about half, a quarter and a quarter.
 */
export const documentShares: Readonly<Record<DocumentKind, number>> = {
  facts: 0.65,
  gift: 0.23,
  story: 0.12,
};

const writers: Readonly<Record<DocumentKind, (random: Random) => string>> = {
  facts: writeFacts,
  gift: writeGift,
  story: writeStory,
};

function drawKind(random: Random): DocumentKind {
  const point = random.next();
  if (point < documentShares.facts) return "facts";
  return point < documentShares.facts + documentShares.gift ? "gift" : "story";
}

/** Settings of {@link generateDocuments}. */
export interface CorpusOptions {
  /** The same seed gives the same documents, and more of them the same beginning. */
  readonly seed: number;
  /**
   * How many to write.
   * @default Infinity
   */
  readonly documents?: number;
  /**
   * Write this kind only.
   * @default all kinds, by {@link documentShares}
   */
  readonly kind?: DocumentKind;
}

/**
 * Writes the training text, document by document, each ending with `<|endoftext|>`. No held-out
 * combination of `evaluation.ts` occurs in it, whatever the seed.
 *
 * @example
 * for (const document of generateDocuments({ seed: 1, documents: 3 })) console.log(document);
 */
export function* generateDocuments(options: CorpusOptions): Generator<string, void, undefined> {
  const { seed, documents = Infinity, kind } = options;
  const random = createRandom(seed);
  for (let written = 0; written < documents; written += 1) {
    yield writers[kind ?? drawKind(random)](random) + END_OF_TEXT;
  }
}
