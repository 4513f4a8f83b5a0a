/** How logits become the scores that a token is chosen by. */
export interface ScoreSettings {
  /** 1 for none. */
  readonly repetitionPenalty: number;
  /** 0 for none. */
  readonly minNewTokens: number;
  readonly eosTokenIds: ReadonlySet<number>;
  /** 1 for none. */
  readonly temperature: number;
  /** 0 for no limit. */
  readonly topK: number;
  /** 1 for no limit. */
  readonly topP: number;
}

/** Whether any setting changes logits. */
export function changesLogits(settings: ScoreSettings): boolean {
  const { repetitionPenalty, minNewTokens, eosTokenIds, temperature, topK, topP } = settings;
  const forbids = minNewTokens > 0 && eosTokenIds.size > 0;
  return forbids || repetitionPenalty !== 1 || temperature !== 1 || topK !== 0 || topP !== 1;
}

/**
 * Scores of one row's next token, from its logits. The order and the formulas are those of Hugging
 * Face: repetition penalty, least length, temperature, top-k, top-p.
 *
 * @param ids the row so far, padding included.
 * @param count new tokens so far.
 */
export function scoresOf(
  logits: Float32Array,
  ids: readonly number[],
  count: number,
  settings: ScoreSettings,
): Float32Array {
  const scores = logits.slice();
  const { repetitionPenalty, minNewTokens, eosTokenIds, temperature, topK, topP } = settings;
  if (repetitionPenalty !== 1) penalize(scores, ids, repetitionPenalty);
  if (count < minNewTokens) for (const id of eosTokenIds) scores[id] = -Infinity;
  if (temperature !== 1) scores.forEach((score, i) => (scores[i] = score / temperature));
  if (topK > 0 && topK < scores.length) keepTopK(scores, topK);
  if (topP < 1) keepTopP(scores, topP);
  return scores;
}

/** Keskar and others, "CTRL", 2019: a logit above 0 is divided, one below 0 multiplied. */
function penalize(scores: Float32Array, ids: readonly number[], penalty: number): void {
  for (const id of new Set(ids)) {
    const score = scores[id] ?? 0;
    scores[id] = score < 0 ? score * penalty : score / penalty;
  }
}

/** Hides all scores below the k-th largest; those equal to it stay. */
function keepTopK(scores: Float32Array, k: number): void {
  const threshold = scores.slice().sort()[scores.length - k] ?? -Infinity;
  scores.forEach((score, i) => {
    if (score < threshold) scores[i] = -Infinity;
  });
}

/**
 * Hides the least likely tokens that make up at most 1 - p of the probability. One always stays.
 * Holtzman and others, "The Curious Case of Neural Text Degeneration", 2020.
 */
function keepTopP(scores: Float32Array, p: number): void {
  const sorted = scores.slice().sort();
  const peak = sorted.at(-1) ?? 0;
  const weights = Float64Array.from(sorted, (score) => Math.exp(score - peak));
  const limit = (1 - p) * weights.reduce((sum, weight) => sum + weight, 0);
  let hidden = 0;
  for (let sofar = weights[0] ?? 0; sofar <= limit && hidden < sorted.length - 1; hidden++) {
    sofar += weights[hidden + 1] ?? 0;
  }
  const threshold = sorted[hidden] ?? -Infinity;
  // Of scores equal to the threshold, as many go as the sum allows: the first ones.
  let equal = hidden - sorted.indexOf(threshold);
  scores.forEach((score, i) => {
    if (score < threshold || (score === threshold && equal-- > 0)) scores[i] = -Infinity;
  });
}

/** Index of the first largest score. */
export function likeliest(scores: Float32Array): number {
  let best = 0;
  scores.forEach((score, i) => {
    if (score > (scores[best] ?? 0)) best = i;
  });
  return best;
}

/**
 * An index drawn with the probabilities softmax(scores).
 * @param uniform a number in [0, 1).
 */
export function draw(scores: Float32Array, uniform: number): number {
  const peak = scores[likeliest(scores)] ?? 0;
  const weights = Float64Array.from(scores, (score) => Math.exp(score - peak));
  let rest = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  const found = weights.findIndex((weight) => weight > 0 && (rest -= weight) < 0);
  // Rounding can leave a little over after the last one.
  return found >= 0 ? found : weights.findLastIndex((weight) => weight > 0);
}
