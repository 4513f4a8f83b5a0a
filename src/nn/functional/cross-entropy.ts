import { apply } from "../../tensor/ops/apply.ts";
import { requireTensors } from "../../tensor/require-tensors.ts";
import { constantLike, where } from "../../tensor/functions/arithmetic.ts";
import { arange } from "../../tensor/functions/creation.ts";
import { isFloat, type TypedArray } from "../../tensor/dtype.ts";
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
  /** Whether all of them are known to be classes. */
  readonly checked: boolean;
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
  if (labelSmoothing === 0) return average(masked(negativeLogs(c), c), c, reduction);
  const logs = c.scores.logSoftmax(-1);
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
  const mayIgnore = checkTargets(op, target, classes, ignoreIndex);
  const ignored = mayIgnore ? target.eq(ignoreIndex) : undefined;
  const index = ignored === undefined ? target : target.maskedFill(ignored, 0);
  return {
    scores: movedim(input, dim, -1),
    classes: index,
    checked: target.values !== undefined,
    weights: weightsOf(input, index, weight, ignored),
  };
}

function checkWeight(op: string, weight: Tensor | undefined, classes: number): void {
  if (weight === undefined || sameShape(weight.shape, [classes])) return;
  fail(op, `weight ${show(weight.shape)} must have one element a class, [${classes}]`);
}

/**
 * Refuses targets that are no class, as far as their values are known.
 * @returns false when they are, and none is ignored: then nothing has to be masked.
 */
function checkTargets(op: string, target: Tensor, classes: number, ignoreIndex: number): boolean {
  if (target.dtype !== "int64" && target.dtype !== "int32") {
    fail(op, `class indices must be int64 or int32, got ${target.dtype}`);
  }
  const { values } = target;
  if (values === undefined) return true;
  let ignores = false;
  const numbers = wholeNumbers(values);
  for (let i = 0; i < numbers.length; i++) {
    const found = numbers[i] ?? NaN;
    ignores ||= found === ignoreIndex;
    if ((found >= 0 && found < classes) || found === ignoreIndex) continue;
    fail(
      op,
      `target ${values[i]} is not one of the ${classes} classes; expected 0 to ${classes - 1}, ` +
        `or ignoreIndex ${ignoreIndex}`,
    );
  }
  return ignores;
}

/** Whole numbers without a BigInt for each, which would take longer than all else. */
function wholeNumbers(values: TypedArray): ArrayLike<number> {
  if (!(values instanceof BigInt64Array)) return values;
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = (words[2 * i + 1] ?? 0) * 2 ** 32 + ((words[2 * i] ?? 0) >>> 0);
  }
  return numbers;
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
  return masked(ownScores(scores, c).neg(), c);
}

function ownScores(scores: Tensor, { classes }: Classified): Tensor {
  return scores.gather(-1, classes.unsqueeze(-1)).squeeze(-1);
}

/** Up to so many classes, with so many places, what is done place by place costs more than all else. */
const [FEW_CLASSES, MANY_PLACES] = [8, 1024];

/** -log softmax of each place's class. */
function negativeLogs(c: Classified): Tensor {
  const { scores, classes, checked } = c;
  const count = scores.size(-1);
  if (!checked || count > FEW_CLASSES || classes.numel < MANY_PLACES) {
    return ownScores(scores.logSoftmax(-1), c).neg();
  }
  // With the places of a class side by side, every operation runs along them.
  const rows = scores.reshape([-1, count]).t();
  // Where a score is not a number, its place's loss is none, whatever the largest one is taken for.
  const largest = apply("amax", [rows.detach()], { dims: [0], keepdim: false });
  const above = rows.sub(largest);
  const isOwn = classes.reshape([1, -1]).eq(arange(count).unsqueeze(-1));
  const own = where(isOwn, above, constantLike(0, above)).sum({ dim: 0 });
  return above.exp().sum({ dim: 0 }).log().sub(own).reshape(classes.shape);
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
