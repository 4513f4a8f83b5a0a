import { type Budget, spend } from "./budget.ts";
import { byteToken, utf8 } from "./bytes.ts";
import { type Fields, shown } from "./fields.ts";
import type { ModelToken, TokenModel } from "./model.ts";
import { TokenizerError } from "./tokenizer-error.ts";
import { readVocabulary, type Vocabulary } from "./vocabulary.ts";

/** Words are remembered up to this length and number, as text repeats them. */
const MEMORY_LENGTH = 256;
const MEMORY_SIZE = 20_000;

interface BpeSettings {
  readonly vocabulary: Vocabulary;
  readonly merges: Merges;
  readonly unknown: string | undefined;
  readonly prefix: string;
  readonly suffix: string;
  readonly fusesUnknown: boolean;
  readonly byteFallback: boolean;
  readonly ignoresMerges: boolean;
}

/** Byte-pair encoding: begins with characters, and merges pairs in the order of their ranks. */
export function readBpe(model: Fields): TokenModel {
  const dropout = model.json["dropout"] ?? 0;
  if (dropout !== 0) {
    throw model.wrong("dropout", "0 or null (merges that are left out at random are for training)");
  }
  const vocabulary = readVocabulary(model);
  const prefix = model.optionalText("continuing_subword_prefix") ?? "";
  const settings: BpeSettings = {
    vocabulary,
    merges: new Merges(model, vocabulary, prefix),
    unknown: model.optionalText("unk_token"),
    prefix,
    suffix: model.optionalText("end_of_word_suffix") ?? "",
    fusesUnknown: model.flag("fuse_unk", false),
    byteFallback: model.flag("byte_fallback", false),
    ignoresMerges: model.flag("ignore_merges", false),
  };
  const memory = new Map<string, readonly ModelToken[]>();
  const tokenize = (piece: string, budget: Budget): readonly ModelToken[] => {
    const known = memory.get(piece);
    if (known !== undefined) return known;
    const tokens = tokenizePiece(settings, piece, budget);
    if (memory.size >= MEMORY_SIZE) memory.clear();
    if (piece.length < MEMORY_LENGTH) memory.set(piece, tokens);
    return tokens;
  };
  return { vocabulary, isBpe: true, tokenize };
}

function tokenizePiece(
  settings: BpeSettings,
  piece: string,
  budget: Budget,
): readonly ModelToken[] {
  const { vocabulary, ignoresMerges, merges } = settings;
  const id = ignoresMerges ? vocabulary.id(piece) : undefined;
  if (id !== undefined) return [{ id, token: piece, begin: 0, end: piece.length }];
  const { prefix, suffix } = settings;
  spend(budget, piece.length * (1 + prefix.length) + suffix.length, "the model");
  const word = new Word();
  addCharacters(settings, piece, word);
  word.mergeAll(merges);
  return word.tokens(vocabulary);
}

function addCharacters(settings: BpeSettings, piece: string, word: Word): void {
  const { vocabulary, prefix, suffix } = settings;
  let unknown: { id: number; begin: number; end: number } | undefined;
  const flush = (): void => {
    if (unknown !== undefined) word.add(unknown.id, unknown.begin, unknown.end);
    unknown = undefined;
  };
  let begin = 0;
  for (const char of piece) {
    const end = begin + char.length;
    const spelled = (begin > 0 ? prefix : "") + char + (end === piece.length ? suffix : "");
    const id = vocabulary.id(spelled);
    const bytes = id === undefined ? bytesOf(settings, spelled) : undefined;
    if (id !== undefined) {
      flush();
      word.add(id, begin, end);
    } else if (bytes !== undefined) {
      for (const byte of bytes) word.add(byte, begin, end);
    } else if (settings.unknown !== undefined) {
      if (unknown !== undefined && settings.fusesUnknown) unknown.end = end;
      else {
        flush();
        unknown = { id: unknownId(vocabulary, settings.unknown, char), begin, end };
      }
    }
    begin = end;
  }
  flush();
}

function bytesOf({ byteFallback, vocabulary }: BpeSettings, text: string): number[] | undefined {
  if (!byteFallback) return undefined;
  const ids: number[] = [];
  for (const byte of utf8(text)) {
    const id = vocabulary.id(byteToken(byte));
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}

function unknownId(vocabulary: Vocabulary, token: string, char: string): number {
  const id = vocabulary.id(token);
  if (id !== undefined) return id;
  throw new TokenizerError(
    `encode: the vocabulary has nothing for ${JSON.stringify(char)}, and no ` +
      `${shown(token)} for what it does not have`,
  );
}

/** Pairs of tokens that become one, by rank. */
class Merges {
  /** Ids are numbered from 0, so that a pair of them is one number. */
  readonly #dense = new Map<number, number>();
  readonly #ranks = new Map<number, number>();
  readonly #results: number[] = [];

  constructor(model: Fields, vocabulary: Vocabulary, prefix: string) {
    for (const id of vocabulary.ids.values()) {
      if (!this.#dense.has(id)) this.#dense.set(id, this.#dense.size);
    }
    const required = (token: string): number => {
      const id = vocabulary.id(token);
      if (id !== undefined) return id;
      throw new TokenizerError(
        `${model.where}: merges make or take ${shown(token)}, which vocab does not have`,
      );
    };
    for (const [left, right] of readMerges(model)) {
      const pair = this.#pair(required(left), required(right));
      this.#ranks.set(pair, this.#results.length);
      this.#results.push(required(left + right.slice(prefix.length)));
    }
  }

  #pair(left: number, right: number): number {
    return (this.#dense.get(left) ?? 0) * this.#dense.size + (this.#dense.get(right) ?? 0);
  }

  rank(left: number, right: number): number | undefined {
    return this.#ranks.get(this.#pair(left, right));
  }

  result(rank: number): number {
    return this.#results[rank] ?? 0;
  }
}

/** Merges are pairs, or lines with a space between two tokens. */
function readMerges(model: Fields): (readonly [string, string])[] {
  const lines = model.list("merges");
  const isVersion = (line: unknown): boolean =>
    typeof line === "string" && line.startsWith("#version");
  return lines
    .filter((line) => !isVersion(line))
    .map((line, i) => {
      const parts: unknown = typeof line === "string" ? line.split(" ") : line;
      if (Array.isArray(parts) && parts.length === 2) {
        const [left, right] = parts as unknown[];
        if (typeof left === "string" && typeof right === "string") return [left, right] as const;
      }
      throw new TokenizerError(
        `${model.where}: merges[${i}] is ${shown(line)}; two tokens were expected`,
      );
    });
}

/** A piece while its symbols are merged: a list that is linked both ways. */
class Word {
  readonly #ids: number[] = [];
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];
  readonly #next: number[] = [];
  readonly #previous: number[] = [];
  readonly #isGone: boolean[] = [];

  add(id: number, begin: number, end: number): void {
    const at = this.#ids.length;
    this.#ids.push(id);
    this.#begins.push(begin);
    this.#ends.push(end);
    this.#previous.push(at - 1);
    this.#next.push(at + 1);
    this.#isGone.push(false);
  }

  /** Merges the pair of the lowest rank, the first of several, until no pair is left. */
  mergeAll(merges: Merges): void {
    const count = this.#ids.length;
    const queue = new NumberHeap();
    const offer = (at: number): void => {
      const rank = this.#rankAt(merges, at);
      if (rank !== undefined) queue.push(rank * count + at);
    };
    for (let at = 0; at < count - 1; at++) offer(at);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const at = top % count;
      const result = merges.result((top - at) / count);
      const rank = this.#rankAt(merges, at);
      if (rank === undefined || merges.result(rank) !== result) continue;
      this.#merge(at, result);
      const previous = this.#previous[at] ?? -1;
      if (previous >= 0) offer(previous);
      offer(at);
    }
  }

  /** Rank of the pair that begins at a symbol, if it can be merged. */
  #rankAt(merges: Merges, at: number): number | undefined {
    const next = this.#next[at] ?? 0;
    if (this.#isGone[at] === true || next >= this.#ids.length) return undefined;
    return merges.rank(this.#ids[at] ?? 0, this.#ids[next] ?? 0);
  }

  #merge(at: number, id: number): void {
    const gone = this.#next[at] ?? 0;
    const after = this.#next[gone] ?? 0;
    this.#ids[at] = id;
    this.#ends[at] = this.#ends[gone] ?? 0;
    this.#next[at] = after;
    this.#isGone[gone] = true;
    if (after < this.#ids.length) this.#previous[after] = at;
  }

  tokens(vocabulary: Vocabulary): ModelToken[] {
    const tokens: ModelToken[] = [];
    this.#ids.forEach((id, at) => {
      if (this.#isGone[at] === true) return;
      const [begin = 0, end = 0] = [this.#begins[at], this.#ends[at]];
      tokens.push({ id, token: vocabulary.token(id) ?? "", begin, end });
    });
    return tokens;
  }
}

/** Gives the smallest of its numbers first. */
class NumberHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] ?? 0;
      if (above <= item) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) this.#sink(last);
    return top;
  }

  #sink(item: number): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if ((items[child + 1] ?? Infinity) < (items[child] ?? 0)) child++;
      const below = items[child] ?? 0;
      if (below >= item) break;
      items[at] = below;
      at = child;
    }
    items[at] = item;
  }
}
