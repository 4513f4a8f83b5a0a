import type { Process } from "./process.ts";
import { entropyOf, logSoftmax, softmax } from "./softmax.ts";

/** The k-th largest score. */
function kthLargest(scores: Float32Array, k: number): number {
  return scores.slice().sort()[Math.max(0, scores.length - k)] ?? -Infinity;
}

/** Hides what is less likely than the `least` likeliest tokens and is not wanted. */
function hideUnless(scores: Float32Array, least: number, wanted: (index: number) => boolean): void {
  const threshold = kthLargest(scores, least);
  scores.forEach((score, i) => {
    if (score < threshold && !wanted(i)) scores[i] = -Infinity;
  });
}

export function temperature(value: number): Process {
  return (scores) => scores.forEach((score, i) => (scores[i] = score / value));
}

/** Tokens that {@link topH} looks at, at most. */
const MOST_H = 100;

/**
 * Hides all but the likeliest tokens whose entropy, of the 100 likeliest, adds up to at most a part of
 * it all: Baghaei Potraghloo and others, "Top-H Decoding", 2025. One always stays.
 */
export function topH(part: number): Process {
  return (scores) => {
    const threshold = kthLargest(scores, MOST_H);
    const likeliest = [...scores.keys()]
      .filter((i) => (scores[i] ?? 0) >= threshold)
      .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
      .slice(0, MOST_H);
    const probabilities = softmax(Float32Array.from(likeliest, (i) => scores[i] ?? 0));
    const most = part * entropyOf(probabilities);
    let sum = 0;
    const kept = likeliest.filter((_, rank) => {
      const p = probabilities[rank] ?? 0;
      sum -= p * Math.log(p);
      return rank === 0 || sum <= most;
    });
    const left = new Set(kept);
    scores.forEach((_, i) => {
      if (!left.has(i)) scores[i] = -Infinity;
    });
  };
}

/** Hides all scores below the k-th largest; those equal to it stay. Fan and others, 2018. */
export function topK(k: number, least: number): Process {
  return (scores) => hideUnless(scores, Math.min(Math.max(k, least), scores.length), () => false);
}

/**
 * Hides the least likely tokens that make up at most 1 - p of the probability. Holtzman and others,
 * "The Curious Case of Neural Text Degeneration", 2020.
 */
export function topP(p: number, least: number): Process {
  return (scores) => {
    const sorted = scores.slice().sort();
    const probabilities = softmax(sorted);
    const most = sorted.length - Math.min(least, sorted.length);
    let hidden = 0;
    for (let sum = probabilities[0] ?? 0; sum <= 1 - p && hidden < most; hidden++) {
      sum += probabilities[hidden + 1] ?? 0;
    }
    const threshold = sorted[hidden] ?? -Infinity;
    // Of scores equal to the threshold, as many go as the sum allows: the first ones.
    let equal = hidden - sorted.indexOf(threshold);
    scores.forEach((score, i) => {
      if (score < threshold || (score === threshold && equal-- > 0)) scores[i] = -Infinity;
    });
  };
}

/** Hides what is less than `p` times as likely as the likeliest. Nguyen and others, 2024. */
export function minP(p: number, least: number): Process {
  return (scores) => {
    const probabilities = softmax(scores);
    const threshold = p * probabilities.reduce((a, b) => Math.max(a, b), 0);
    hideUnless(scores, least, (i) => (probabilities[i] ?? 0) >= threshold);
  };
}

/**
 * Leaves the tokens whose information is nearest to the entropy, up to a probability of `mass`.
 * Meister and others, "Locally Typical Sampling", 2022.
 */
export function typicalP(mass: number, least: number): Process {
  return (scores) => {
    const logs = logSoftmax(scores);
    const probabilities = softmax(scores);
    const entropy = entropyOf(probabilities);
    const distances = Float64Array.from(logs, (log) => Math.abs(-log - entropy));
    const order = [...distances.keys()].sort((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0));
    let sum = 0;
    const below = order.filter((i) => (sum += probabilities[i] ?? 0) < mass).length;
    const farthest = distances[order[Math.min(below, order.length - 1)] ?? 0] ?? 0;
    order.slice(least).forEach((i) => {
      if ((distances[i] ?? 0) > farthest) scores[i] = -Infinity;
    });
  };
}

/** Hides what is less likely than `epsilon`. Hewitt and others, 2022. */
export function epsilonCutoff(epsilon: number, least: number): Process {
  return (scores) => {
    const probabilities = softmax(scores);
    hideUnless(scores, least, (i) => (probabilities[i] ?? 0) >= epsilon);
  };
}

/**
 * Hides what is less likely than `epsilon`, or than sqrt(epsilon) exp(-entropy) where that is less.
 * Hewitt and others, "Truncation Sampling as Language Model Desmoothing", 2022.
 */
export function etaCutoff(epsilon: number, least: number): Process {
  return (scores) => {
    const probabilities = softmax(scores);
    const eta = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyOf(probabilities)));
    hideUnless(scores, least, (i) => (probabilities[i] ?? 0) >= eta);
  };
}

export const renormalize: Process = (scores) => scores.set(logSoftmax(scores));
