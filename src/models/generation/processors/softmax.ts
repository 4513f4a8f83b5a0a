/** The greatest score; -Infinity of none. */
export function peakOf(scores: Float32Array): number {
  let peak = -Infinity;
  for (const score of scores) if (score > peak) peak = score;
  return peak;
}

/** softmax(scores), in double precision. */
export function softmax(scores: Float32Array): Float64Array {
  const peak = peakOf(scores);
  const weights = Float64Array.from(scores, (score) => Math.exp(score - peak));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Log-probabilities of scores. */
export function logSoftmax(scores: Float32Array): Float32Array {
  const peak = peakOf(scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - peak), 0);
  const least = peak + Math.log(sum);
  return scores.map((score) => score - least);
}

/** Expected information of a distribution, in nats. */
export function entropyOf(probabilities: Float64Array): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}
