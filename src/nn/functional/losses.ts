import { requireTensors } from "../../tensor/require-tensors.ts";
import { constantLike, type Operand, where } from "../../tensor/functions/arithmetic.ts";
import { fail } from "../../tensor/errors.ts";
import { broadcastShapes, show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { logsigmoid } from "./activations.ts";
import { requireFloat } from "./check.ts";
import { type LossOptions, reduceLoss, type Reduction } from "./reduce-loss.ts";

export * from "./cross-entropy.ts";
export type { LossOptions, Reduction } from "./reduce-loss.ts";

/** Refuses pairs of which one would be broadcast by mistake. */
function checkPair(op: string, input: Tensor, target: Tensor): void {
  requireFloat(op, input);
  requireTensors(op, target);
  if (show(input.shape) === show(target.shape)) return;
  const shape = broadcastShapes(op, input.shape, target.shape);
  fail(
    op,
    `input ${show(input.shape)} and target ${show(target.shape)} differ in shape; ` +
      `expand() one of them to ${show(shape)} if you want broadcasting`,
  );
}

/** (input - target)². */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkPair("mseLoss", input, target);
  return reduceLoss(input.sub(target).square(), options.reduction);
}

/** |input - target|. */
export function l1Loss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkPair("l1Loss", input, target);
  return reduceLoss(input.sub(target).abs(), options.reduction);
}

/** Quadratic below `beta`, linear above: |d| - beta / 2. */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  { beta = 1, reduction = "mean" }: LossOptions & { /** @default 1 */ readonly beta?: number } = {},
): Tensor {
  checkPair("smoothL1Loss", input, target);
  if (beta < 0) fail("smoothL1Loss", `beta must be 0 or more, got ${beta}`);
  if (beta === 0) return l1Loss(input, target, { reduction });
  return reduceLoss(huber(input.sub(target), beta).div(constantLike(beta, input)), reduction);
}

/** Quadratic below `delta`, linear above: delta (|d| - delta / 2). */
export function huberLoss(
  input: Tensor,
  target: Tensor,
  {
    delta = 1,
    reduction = "mean",
  }: LossOptions & { /** @default 1 */ readonly delta?: number } = {},
): Tensor {
  checkPair("huberLoss", input, target);
  if (delta <= 0) fail("huberLoss", `delta must be above 0, got ${delta}`);
  return reduceLoss(huber(input.sub(target), delta), reduction);
}

function huber(difference: Tensor, delta: number): Tensor {
  const size = difference.abs();
  const bound = constantLike(delta, difference);
  const half = constantLike(0.5, difference);
  const outer = size.sub(constantLike(delta / 2, difference)).mul(bound);
  return where(size.lt(bound), difference.square().mul(half), outer);
}

/**
 * Kullback-Leibler divergence of target from input: target (log target - input), with `input` in
 * log space. `"batchmean"` divides the sum by the first dimension, which is the mathematical mean.
 */
export function klDiv(
  input: Tensor,
  target: Tensor,
  {
    reduction = "mean",
    logTarget = false,
  }: {
    /** @default "mean" */
    readonly reduction?: Reduction | "batchmean";
    /** Whether `target` is in log space too. @default false */
    readonly logTarget?: boolean;
  } = {},
): Tensor {
  checkPair("klDiv", input, target);
  const losses = logTarget
    ? target.exp().mul(target.sub(input))
    : xLogX(target).sub(target.mul(input));
  if (reduction !== "batchmean") return reduceLoss(losses, reduction);
  return losses.sum().div(Math.max(1, input.shape[0] ?? 1));
}

/** x log x, and its limit 0 at 0. */
function xLogX(x: Tensor): Tensor {
  const zero = x.eq(constantLike(0, x));
  const safe = where(zero, constantLike(1, x), x);
  return where(zero, constantLike(0, x), x.mul(safe.log()));
}

/** Options of the binary cross entropies. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factor of each element's loss; broadcast. @default 1 */
  readonly weight?: Operand;
}

const LOG_FLOOR = -100;

/** Cross entropy of probabilities with targets in [0, 1]; logarithms are kept above -100. */
export function binaryCrossEntropy(
  input: Tensor,
  target: Tensor,
  { weight, reduction }: BinaryCrossEntropyOptions = {},
): Tensor {
  checkPair("binaryCrossEntropy", input, target);
  const one = constantLike(1, input);
  const hit = target.mul(flooredLog(input));
  const miss = one.sub(target).mul(flooredLog(one.sub(input)));
  const losses = hit.add(miss).neg();
  return reduceLoss(weight === undefined ? losses : losses.mul(weight), reduction);
}

function flooredLog(x: Tensor): Tensor {
  const tiny = x.le(constantLike(Math.exp(LOG_FLOOR), x));
  const log = where(tiny, constantLike(1, x), x).log();
  return where(tiny, constantLike(LOG_FLOOR, x), log);
}

/**
 * Cross entropy of sigmoid(input) with targets in [0, 1], computed stably.
 *
 * @param options.posWeight Factor of the positive targets' part; broadcast.
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  {
    weight,
    posWeight,
    reduction,
  }: BinaryCrossEntropyOptions & { readonly posWeight?: Tensor } = {},
): Tensor {
  checkPair("binaryCrossEntropyWithLogits", input, target);
  const one = constantLike(1, input);
  const surprise = logsigmoid(input).neg();
  const factor = posWeight === undefined ? undefined : posWeight.sub(one).mul(target).add(one);
  const positive = factor === undefined ? surprise : factor.mul(surprise);
  const losses = one.sub(target).mul(input).add(positive);
  return reduceLoss(weight === undefined ? losses : losses.mul(weight), reduction);
}
