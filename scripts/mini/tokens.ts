import type { PreTrainedTokenizer } from "tsvene";
import { END_OF_TEXT, generateDocuments } from "./corpus.ts";
import { createRandom } from "./random.ts";
import { CONTEXT_LENGTH, loadTokenizer } from "./tokenizer-files.ts";

/** Settings of {@link packTokens}. */
export interface PackOptions {
  /** Seed of the text. */
  readonly seed: number;
  /** Sequences in a batch. */
  readonly batch: number;
  /**
   * Tokens in a sequence.
   * @default CONTEXT_LENGTH
   */
  readonly length?: number;
  /**
   * What to encode with.
   * @default the committed tokenizer
   */
  readonly tokenizer?: PreTrainedTokenizer;
}

/**
 * Makes a function that encodes the generator's documents. The tokenizer does it word by word and
 * is asked once for each: the text has single spaces only, at which every piece of GPT-2's rule
 * starts, so the words' tokens, one after another, are the document's.
 */
export function createDocumentEncoder(
  tokenizer: PreTrainedTokenizer,
): (document: string) => number[] {
  const cache = new Map<string, readonly number[]>();

  function encodeWord(word: string): readonly number[] {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const ids = tokenizer.encode(word);
    cache.set(word, ids);
    return ids;
  }

  return (document) => (document.match(/ ?[^ ]+/g) ?? []).flatMap(encodeWord);
}

// A person's prompt starts with a word, so nearly all sequences do; some start with the special
// token, so that prompts with it work too.
const LEADING_END_OF_TEXT = 0.1;

/**
 * Yields batches of training sequences without end: token ids, int32, [batch, length] in row
 * order. Every sequence starts with a new document, since prompts are given from position 0 and
 * without a special token, and goes on with others until it is full; the last one is cut off.
 *
 * @example
 * for (const ids of packTokens({ seed: 1, batch: 32, length: 96 })) {
 *   const tokens = tensor(ids, { shape: [32, 96] });
 * }
 */
export function* packTokens(options: PackOptions): Generator<Int32Array, never, undefined> {
  const { seed, batch, length = CONTEXT_LENGTH, tokenizer = loadTokenizer() } = options;
  const encode = createDocumentEncoder(tokenizer);
  const documents = generateDocuments({ seed });
  const random = createRandom(~seed);
  const [endOfText] = encode(END_OF_TEXT);
  if (endOfText === undefined) throw new Error(`packTokens: the tokenizer lacks ${END_OF_TEXT}`);

  function packSequence(): number[] {
    const sequence = random.chance(LEADING_END_OF_TEXT) ? [endOfText as number] : [];
    while (sequence.length < length) sequence.push(...encode(documents.next().value ?? ""));
    return sequence.slice(0, length);
  }

  while (true) yield Int32Array.from(Array.from({ length: batch }, packSequence).flat());
}
