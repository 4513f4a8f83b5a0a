import { constant, where } from "../../../tensor/functions/arithmetic.ts";
import { arange, full, zeros } from "../../../tensor/functions/creation.ts";
import { cat } from "../../../tensor/functions/shaping.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { chunkLength } from "../../parts/state-space/chunks.ts";

/** A sum of weighed values as a fraction, [batch, width] each: weights are times exp(maximum). */
export interface FadingState {
  /** Weighted sum of the values, divided by exp(maximum). */
  readonly numerator: Tensor;
  /** Sum of the weights, divided by exp(maximum). */
  readonly denominator: Tensor;
  /** Largest exponent so far. */
  readonly maximum: Tensor;
}

/** What is averaged. */
export interface FadingInputs {
  /** [batch, steps, width]: logarithms of weights; {@link HIDDEN} for what does not count. */
  readonly key: Tensor;
  /** [batch, steps, width] */
  readonly value: Tensor;
  /** [width]: how much older weights' logarithms fall with each step, above 0. */
  readonly fading: Tensor;
  /** [width]: added to the logarithm of the newest weight. */
  readonly bonus: Tensor;
}

/** The logarithm of no weight: finite, so that differences are numbers. */
export const HIDDEN = -1e38;

const MOST_STEPS = 16;

/**
 * Averages of the values so far, [batch, steps, width], and the state after the last step (Peng and
 * others, "RWKV", 2023). Within chunks each step weighs all before it; chunks are summed up, and
 * their sums weighed in the same way: no step waits for the one before. Weights are divided by the
 * largest one that they are compared with, so that nothing overflows.
 */
export function fadingAverage(inputs: FadingInputs, initial?: FadingState): [Tensor, FadingState] {
  const { fading, bonus } = inputs;
  const [batch = 0, steps = 0, width = 0] = inputs.key.shape;
  const length = chunkLength(steps, MOST_STEPS);
  const chunks = Math.ceil(steps / length);
  const missing = chunks * length - steps;
  // What is added stands first, and weighs nothing.
  const split = (t: Tensor, fill: number): Tensor =>
    cat([full([batch, missing, width], fill), t], 1).reshape([batch, chunks, length, width]);
  const [key, value] = [split(inputs.key, HIDDEN), split(inputs.value, 0)];
  const first = initial ?? nothing(batch, width);
  // It fades over the added steps too, so it is raised by as much beforehand.
  const raised = { ...first, maximum: first.maximum.add(fading.mul(missing)) };
  const states = carry(sumUp(key, value, fading), raised, fading.mul(length));
  const before = {
    numerator: states.numerator.slice(1, 0, chunks),
    denominator: states.denominator.slice(1, 0, chunks),
    maximum: states.maximum.slice(1, 0, chunks),
  };
  const output = average(key, value, before, { fading, bonus })
    .reshape([batch, chunks * length, width])
    .slice(1, missing);
  return [
    output,
    {
      numerator: states.numerator.select(1, chunks),
      denominator: states.denominator.select(1, chunks),
      maximum: states.maximum.select(1, chunks),
    },
  ];
}

function nothing(batch: number, width: number): FadingState {
  const none = zeros([batch, width]);
  return { numerator: none, denominator: none, maximum: full([batch, width], HIDDEN) };
}

/** Each chunk's values, weighed as the step after the chunk sees them, [batch, chunks, width]. */
function sumUp(key: Tensor, value: Tensor, fading: Tensor): FadingState {
  const length = key.size(2);
  const age = arange(length - 1, -1, -1)
    .to(key.dtype)
    .unsqueeze(-1);
  const scores = key.sub(age.mul(fading));
  const maximum = scores.amax({ dim: 2 });
  const weights = scores.sub(maximum.unsqueeze(2)).exp();
  return {
    numerator: weights.mul(value).sum({ dim: 2 }),
    denominator: weights.sum({ dim: 2 }),
    maximum,
  };
}

/** The state before each chunk and after the last, [batch, chunks + 1, width]. */
function carry(sums: FadingState, first: FadingState, fading: Tensor): FadingState {
  const all = (name: keyof FadingState): Tensor => cat([first[name].unsqueeze(1), sums[name]], 1);
  const count = sums.maximum.size(1) + 1;
  const age = arange(count).unsqueeze(1).sub(arange(count)).unsqueeze(-1);
  const faded = all("maximum").unsqueeze(1).sub(age.to(fading.dtype).mul(fading));
  const scores = where(age.ge(0), faded, constant(HIDDEN));
  const maximum = scores.amax({ dim: 2 });
  const weights = scores.sub(maximum.unsqueeze(2)).exp();
  const weighed = (name: keyof FadingState): Tensor =>
    weights.mul(all(name).unsqueeze(1)).sum({ dim: 2 });
  return { numerator: weighed("numerator"), denominator: weighed("denominator"), maximum };
}

/** Averages within chunks, [batch, chunks, length, width], of each chunk's values and its state. */
function average(
  key: Tensor,
  value: Tensor,
  before: FadingState,
  { fading, bonus }: Pick<FadingInputs, "fading" | "bonus">,
): Tensor {
  const length = key.size(2);
  const at = arange(length);
  const age = at.unsqueeze(1).sub(at).unsqueeze(-1);
  const older = age.sub(1).to(key.dtype).mul(fading).neg();
  const offset = where(age.eq(0), bonus, where(age.gt(0), older, constant(HIDDEN)));
  const scores = key.unsqueeze(2).add(offset);
  const state = before.maximum.unsqueeze(2).sub(at.to(key.dtype).unsqueeze(-1).mul(fading));
  const maximum = scores.amax({ dim: 3 }).maximum(state);
  const weights = scores.sub(maximum.unsqueeze(3)).exp();
  const kept = state.sub(maximum).exp();
  const numerator = weights.mul(value.unsqueeze(2)).sum({ dim: 3 });
  return numerator
    .add(kept.mul(before.numerator.unsqueeze(2)))
    .div(weights.sum({ dim: 3 }).add(kept.mul(before.denominator.unsqueeze(2))));
}
