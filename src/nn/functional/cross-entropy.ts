import { requireTensors } from "../../tensor/require-tensors.ts";
import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { fail } from "../../tensor/errors.ts";
import { sameShape, show } from "../../tensor/shape.ts";
import { movedim } from "../../tensor/functions/shaping.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireFloat } from "./check.ts";
import { type LossOptions, reduceLoss } from "./reduce-loss.ts";

/** Options of {@link nllLoss}. */
export interface NllLossOptions extends LossOptions {
  /** Factor of each class, [classes]. @default 1 */
  readonly weight?: Tensor;
  /** Target that does not count. @default -100 */
  readonly ignoreIndex?: number;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllLossOptions {
  /** Part of the target that is spread evenly over all classes, in [0, 1]. @default 0 */
  readonly labelSmoothing?: number;
}

/** Classes in the last dimension, and what each target says about its place. */
interface Classified {
  /** [..., classes] */
  readonly scores: Tensor;
  /** Targets, with a valid class where they are ignored. */
  readonly classes: Tensor;
  /** Weight of each place, 0 where it is ignored; undefined when all are 1. */
  readonly weights: Tensor | undefined;
}

/**
 * Cross entropy of logits with targets.
 *
 * @param input logits [classes], [batch, classes] or [batch, classes, ...].
 * @param target class indices (int64 or int32) of the input's shape without the classes, or
 * probabilities of the input's shape.
 * @returns a 0-d tensor (for `"mean"` over the weights of the targets that count), or with
 * `"none"` the losses in the shape of the class indices.
 * @throws TensorError for shapes that do not fit, and for a target outside the classes where the
 * targets' values are known.
 *
 * @example
 * ```ts
 * import { functional as F, tensor } from "tsvene";
 * const logits = tensor([[2, 0.5, -1]]);
 * const loss = F.crossEntropy(logits, tensor([0], { dtype: "int64" }));
 * ```
 */
export function crossEntropy(
  input: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { labelSmoothing = 0, reduction = "mean" } = options;
  requireFloat("crossEntropy", input);
  requireTensors("crossEntropy", target);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    fail("crossEntropy", `labelSmoothing must lie in [0, 1], got ${labelSmoothing}`);
  }
  if (isFloat(target.dtype)) return ofProbabilities(input, target, options);
  const c = classify("crossEntropy", input, target, options);
  const logs = c.scores.logSoftmax(-1);
  if (labelSmoothing === 0) return average(pick(logs, c), c, reduction);
  const { weight } = options;
  const spread = (weight === undefined ? logs : logs.mul(weight)).sum({ dim: -1 }).neg();
  const even = weight === undefined ? masked(spread, c) : kept(spread, c);
  const share = constantLike(labelSmoothing / logs.size(-1), logs);
  const rest = constantLike(1 - labelSmoothing, logs);
  return average(pick(logs, c).mul(rest).add(even.mul(share)), c, reduction);
}

/**
 * Negative log likelihood of class indices.
 *
 * @param input log probabilities [classes], [batch, classes] or [batch, classes, ...].
 * @param target class indices (int64 or int32) of the input's shape without the classes.
 */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  requireFloat("nllLoss", input);
  const c = classify("nllLoss", input, target, options);
  return average(pick(c.scores, c), c, options.reduction ?? "mean");
}

function classify(
  op: string,
  input: Tensor,
  target: Tensor,
  { weight, ignoreIndex = -100 }: NllLossOptions,
): Classified {
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[dim];
  const expected = input.shape.filter((_, d) => d !== dim);
  if (classes === undefined || !sameShape(expected, target.shape)) {
    fail(
      op,
      `target ${show(target.shape)} must have the shape of input ${show(input.shape)} ` +
        `without the classes, ${show(expected)}`,
    );
  }
  checkWeight(op, weight, classes);
  checkTargets(op, target, classes, ignoreIndex);
  const ignored = mayHold(target, ignoreIndex) ? target.eq(ignoreIndex) : undefined;
  const index = ignored === undefined ? target : target.maskedFill(ignored, 0);
  return {
    scores: movedim(input, dim, -1),
    classes: index,
    weights: weightsOf(input, index, weight, ignored),
  };
}

function checkWeight(op: string, weight: Tensor | undefined, classes: number): void {
  if (weight === undefined || sameShape(weight.shape, [classes])) return;
  fail(op, `weight ${show(weight.shape)} must have one element a class, [${classes}]`);
}

function checkTargets(op: string, target: Tensor, classes: number, ignoreIndex: number): void {
  if (target.dtype !== "int64" && target.dtype !== "int32") {
    fail(op, `class indices must be int64 or int32, got ${target.dtype}`);
  }
  for (const value of target.values ?? []) {
    if ((value >= 0 && value < classes) || Number(value) === ignoreIndex) continue;
    fail(
      op,
      `target ${value} is not one of the ${classes} classes; expected 0 to ${classes - 1}, ` +
        `or ignoreIndex ${ignoreIndex}`,
    );
  }
}

/** False when the targets are known and none is `value`: then nothing has to be masked. */
function mayHold(target: Tensor, value: number): boolean {
  return target.values?.some((v: number | bigint) => Number(v) === value) ?? true;
}

function weightsOf(
  input: Tensor,
  index: Tensor,
  weight: Tensor | undefined,
  ignored: Tensor | undefined,
): Tensor | undefined {
  const own = weight?.to(input.dtype).indexSelect(0, index);
  if (ignored === undefined) return own;
  return where(ignored, constantLike(0, input), own ?? constantLike(1, input));
}

/** Weighted negative score of each place's class. */
function pick(scores: Tensor, c: Classified): Tensor {
  const own = scores.gather(-1, c.classes.unsqueeze(-1)).squeeze(-1).neg();
  return masked(own, c);
}

/** An ignored place has loss 0 even where its scores are infinite. */
function masked(losses: Tensor, { weights }: Classified): Tensor {
  return weights === undefined ? losses : kept(losses.mul(weights), { weights });
}

function kept(losses: Tensor, { weights }: Pick<Classified, "weights">): Tensor {
  if (weights === undefined) return losses;
  const zero = constantLike(0, losses);
  return where(weights.eq(zero), zero, losses);
}

function average(losses: Tensor, c: Classified, reduction: "none" | "mean" | "sum"): Tensor {
  if (reduction !== "mean" || c.weights === undefined) return reduceLoss(losses, reduction);
  return losses.sum().div(c.weights.sum());
}

function ofProbabilities(input: Tensor, target: Tensor, options: CrossEntropyOptions): Tensor {
  const { weight, labelSmoothing = 0, reduction = "mean" } = options;
  if (!sameShape(input.shape, target.shape)) {
    fail(
      "crossEntropy",
      `probabilities ${show(target.shape)} must have the input's shape ${show(input.shape)}; ` +
        `class indices must be int64`,
    );
  }
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.size(dim);
  checkWeight("crossEntropy", weight, classes);
  const [logs, wanted] = [movedim(input, dim, -1).logSoftmax(-1), movedim(target, dim, -1)];
  const smooth =
    labelSmoothing === 0
      ? wanted
      : wanted
          .mul(constantLike(1 - labelSmoothing, input))
          .add(constantLike(labelSmoothing / classes, input));
  const products = logs.mul(smooth);
  const losses = (weight === undefined ? products : products.mul(weight)).sum({ dim: -1 }).neg();
  return reduceLoss(losses, reduction);
}
