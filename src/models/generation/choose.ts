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

/**
 * Several different indices, drawn one after the other with the probabilities softmax(scores) of those
 * that are left: the order of scores with Gumbel noise. Yellott, 1977. Impossible ones come last.
 *
 * @param uniform - Gives numbers in [0, 1).
 */
export function drawSeveral(
  scores: readonly number[],
  count: number,
  uniform: () => number,
): number[] {
  const peak = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const noisy = scores.map((score, index) => {
    const isPossible = Math.exp(score - peak) > 0;
    return { index, score: isPossible ? score - Math.log(-Math.log(1 - uniform())) : -Infinity };
  });
  return noisy
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count)
    .map(({ index }) => index);
}
