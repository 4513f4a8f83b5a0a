import type { GenerateOptions } from "tsvene";

/** What the reference needs to know of a row besides its options. */
export interface ReferenceText {
  readonly ids: readonly number[];
  readonly promptLength: number;
  readonly maxLength: number;
  /** The prompt, or what an encoder read. */
  readonly source: readonly number[];
  readonly eos: readonly number[];
}

const NEVER = -Infinity;

const isSaid = <T>(value: T | null | undefined): value is T =>
  value !== undefined && value !== null;

function probabilities(scores: readonly number[]): number[] {
  const weights = scores.map((s) => Math.exp(s - Math.max(...scores)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/** Indices of scores, from the greatest. */
const ranked = (scores: readonly number[]): number[] =>
  scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);

const entropy = (p: readonly number[]): number =>
  p.reduce((sum, q) => (q === 0 ? sum : sum - q * Math.log(q)), 0);

const text = (ids: readonly number[]): string => `,${ids.join()},`;

/**
 * Scores by the formulas of `LogitsProcessor`s in transformers' `generation/logits_process.py`, in the
 * order of `GenerationMixin._get_logits_processor`: written on plain arrays, with nothing of the
 * library's own.
 */
export function referenceScores(
  logits: readonly number[],
  options: GenerateOptions,
  { ids, promptLength, maxLength, source, eos }: ReferenceText,
): number[] {
  let s = [...logits];
  const set = (which: (id: number) => boolean, to: (score: number) => number): void => {
    s = s.map((score, id) => (which(id) ? to(score) : score));
  };
  const only = (wanted: readonly number[]): void => {
    s = s.map((_, id) => (wanted.includes(id) ? 0 : NEVER));
  };
  const written = ids.length - promptLength;

  // SequenceBiasLogitsProcessor
  const completes = (word: readonly number[]): boolean =>
    word.length === 1 ||
    (word.length <= ids.length && text(ids.slice(-(word.length - 1))) === text(word.slice(0, -1)));
  for (const [word, bias] of options.sequenceBias ?? []) {
    if (completes(word)) {
      set(
        (id) => id === word.at(-1),
        (score) => score + bias,
      );
    }
  }
  // EncoderRepetitionPenaltyLogitsProcessor, RepetitionPenaltyLogitsProcessor
  const penalize = (among: readonly number[], penalty: number): void =>
    set(
      (id) => among.includes(id),
      (v) => (v < 0 ? v * penalty : v / penalty),
    );
  penalize(source, 1 / (options.encoderRepetitionPenalty ?? 1));
  penalize(ids, options.repetitionPenalty ?? 1);
  // NoRepeatNGramLogitsProcessor, EncoderNoRepeatNGramLogitsProcessor
  const grams = (among: readonly number[], n: number): number[][] =>
    among.flatMap((_, i) => (i + n <= among.length ? [among.slice(i, i + n)] : []));
  for (const [among, n] of [
    [ids, options.noRepeatNgramSize ?? 0],
    [source, options.encoderNoRepeatNgramSize ?? 0],
  ] as const) {
    if (n === 0) continue;
    const banned = grams(among, n).filter((gram) => text([...ids, gram.at(-1) ?? 0].slice(-n)) === text(gram)); // prettier-ignore
    set(
      (id) => banned.some((gram) => gram.at(-1) === id),
      () => NEVER,
    );
  }
  // NoBadWordsLogitsProcessor
  for (const word of options.badWordsIds ?? []) {
    const isStop = word.length === 1 && eos.includes(word[0] ?? -1);
    if (!isStop && completes(word)) {
      set(
        (id) => id === word.at(-1),
        () => NEVER,
      );
    }
  }
  // MinLengthLogitsProcessor, MinNewTokensLengthLogitsProcessor
  const short = !isSaid(options.minNewTokens)
    ? ids.length < (options.minLength ?? 0)
    : written < options.minNewTokens;
  if (short) {
    set(
      (id) => eos.includes(id),
      () => NEVER,
    );
  }
  // ForcedBOSTokenLogitsProcessor, ForcedEOSTokenLogitsProcessor, and version 4's ForceTokensLogitsProcessor
  if (isSaid(options.forcedBosTokenId) && ids.length === 1) only([options.forcedBosTokenId]);
  if (isSaid(options.forcedEosTokenId) && ids.length === maxLength - 1) {
    only([options.forcedEosTokenId].flat());
  }
  for (const [place, id] of options.forcedDecoderIds ?? []) {
    if (place === ids.length && id !== null) only([id]);
  }
  // ExponentialDecayLengthPenalty
  if (isSaid(options.exponentialDecayLengthPenalty)) {
    const [start, factor] = options.exponentialDecayLengthPenalty;
    const more = factor ** (written - start) - 1;
    if (written > start) {
      set(
        (id) => eos.includes(id) && s[id] !== NEVER,
        (v) => v + Math.abs(v) * more,
      );
    }
  }
  // SuppressTokensLogitsProcessor, SuppressTokensAtBeginLogitsProcessor
  set(
    (id) => options.suppressTokens?.includes(id) === true,
    () => NEVER,
  );
  const begin = promptLength > 1 || !isSaid(options.forcedBosTokenId) ? 0 : 1;
  if (written === begin) {
    set(
      (id) => options.beginSuppressTokens?.includes(id) === true,
      () => NEVER,
    );
  }
  if (options.doSample === true) s = drawn(s, options, eos.length);
  // LogitNormalization
  if (options.renormalizeLogits === true) s = probabilities(s).map(Math.log);
  return s;
}

/** The warpers, which act where tokens are drawn. */
function drawn(scores: readonly number[], options: GenerateOptions, stops: number): number[] {
  const keep = (options.numBeams ?? 1) > 1 ? Math.max(2, stops + 1) : 1;
  let s = scores.map((score) => score / (options.temperature ?? 1));
  const leave = (wanted: (id: number, rank: number) => boolean): void => {
    const ranks = ranked(s);
    s = s.map((score, id) => (wanted(id, ranks.indexOf(id)) ? score : NEVER));
  };
  // TopHLogitsWarper
  if (isSaid(options.topH)) {
    const order = ranked(s).slice(0, 100);
    const p = probabilities(order.map((id) => s[id] ?? 0));
    const parts = p.map((q) => (q === 0 ? 0 : -q * Math.log(q)));
    const bound = entropy(p) * options.topH;
    const sums = parts.map((_, i) => parts.slice(0, i + 1).reduce((a, b) => a + b, 0));
    leave((id) => {
      const rank = order.indexOf(id);
      return rank === 0 || (rank > 0 && (p[rank] ?? 0) > 0 && (sums[rank] ?? 0) <= bound + 1e-12);
    });
  }
  // TopKLogitsWarper
  const k = options.topK ?? 50;
  if (k > 0) leave((_, rank) => rank < Math.max(k, keep));
  // TopPLogitsWarper: what is left out adds up to 1 - p at most
  const p = probabilities(s);
  const rest = (rank: number): number => ranked(s).slice(rank).reduce((sum, id) => sum + (p[id] ?? 0), 0); // prettier-ignore
  if ((options.topP ?? 1) < 1) leave((_, rank) => rank < keep || rest(rank) > 1 - (options.topP ?? 1)); // prettier-ignore
  // MinPLogitsWarper
  const q = probabilities(s);
  if (isSaid(options.minP)) leave((id, rank) => rank < keep || (q[id] ?? 0) >= (options.minP ?? 0) * Math.max(...q)); // prettier-ignore
  // TypicalLogitsWarper
  if ((options.typicalP ?? 1) < 1) {
    const r = probabilities(s);
    const far = r.map((v) => Math.abs(-Math.log(v) - entropy(r)));
    const order = ranked(far.map((v) => -v));
    const sums = order.map((_, i) => order.slice(0, i + 1).reduce((sum, id) => sum + (r[id] ?? 0), 0)); // prettier-ignore
    const last = Math.min(sums.filter((v) => v < (options.typicalP ?? 1)).length, order.length - 1);
    const farthest = far[order[last] ?? 0] ?? 0;
    s = s.map((score, id) => order.indexOf(id) < keep || (far[id] ?? 0) <= farthest ? score : NEVER); // prettier-ignore
  }
  // EpsilonLogitsWarper, EtaLogitsWarper
  const e = options.epsilonCutoff ?? 0;
  const before = probabilities(s);
  if (e > 0) leave((id, rank) => rank < keep || (before[id] ?? 0) >= e);
  const h = options.etaCutoff ?? 0;
  const now = probabilities(s);
  const eta = Math.min(h, Math.sqrt(h) * Math.exp(-entropy(now)));
  if (h > 0) leave((id, rank) => rank < keep || (now[id] ?? 0) >= eta);
  return s;
}
