import { fail } from "../../base/errors.ts";
import { type OptionNames, requireKnownOptions } from "../../base/known-options.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { rowsOf, scaleOf } from "./activations.ts";
import { type ClassLabel, classesOf } from "./classes.ts";
import { type Evaluated, minimize } from "./lbfgs.ts";
import { LogisticProbe } from "./linear-probe.ts";

/** How a logistic probe is fitted. */
export interface LogisticProbeOptions {
  /** Weight of half the sum of squares of W, for standardised activations. @default 1e-3 */
  readonly l2?: number;
  /** Steps of L-BFGS at most. @default 500 */
  readonly maxIterations?: number;
  /** The largest element of the gradient at which it ends. @default 1e-6 */
  readonly tolerance?: number;
}

/** Their names. */
export const LOGISTIC_OPTIONS: OptionNames<LogisticProbeOptions> = {
  l2: true,
  maxIterations: true,
  tolerance: true,
};

const OP = "logisticProbe";

/**
 * Logistic regression on activations: the minimum of the mean cross entropy plus l2/2 |W|², on standardised
 * activations, found by L-BFGS on all of them. There is one minimum, so that it is the same in each run.
 *
 * What a probe finds is there; whether the model uses it, only an intervention tells.
 *
 * @param x - Activations [..., width], such as collected ones.
 * @param labels - The class of each sample.
 * @throws TsveneError for labels that do not fit, and activations that are not finite.
 *
 * @example
 * ```ts
 * import { logisticProbe, randn } from "tsvene";
 * const x = randn([100, 8]);
 * const labels = (await x.select(1, 0).toArray(1)).map((value) => value > 0);
 * const probe = await logisticProbe(x, labels);
 * console.log(await probe.accuracy(x, labels), (await probe.direction(true)).shape);
 * ```
 */
export async function logisticProbe(
  x: Tensor,
  labels: readonly ClassLabel[],
  options: LogisticProbeOptions = {},
): Promise<LogisticProbe> {
  requireKnownOptions(OP, options, LOGISTIC_OPTIONS);
  const { l2 = 1e-3, maxIterations = 500, tolerance = 1e-6 } = options;
  if (!(l2 >= 0 && l2 < Infinity)) fail(OP, `l2 must be a number of 0 or more, got ${String(l2)}`);
  const rows = await rowsOf(OP, "x", x, 2);
  const { names, numbers } = classesOf(OP, labels, rows.size(0));
  const { mean, std } = await scaleOf(rows);
  const scaled = rows.sub(mean).div(std);
  await evaluate(scaled);
  const sizes = [rows.size(1), names.length] as const;
  const start = new Float64Array((sizes[0] + 1) * sizes[1]);
  const objective = entropyOf(scaled, numbers, sizes, l2);
  const { x: found, converged } = await minimize(start, objective, { maxIterations, tolerance });
  const all = Tensor.fromData(found, [sizes[0] + 1, sizes[1]]);
  const weight = all.slice(0, 0, sizes[0]).div(std.unsqueeze(1));
  const bias = all.select(0, sizes[0]).sub(mean.matmul(weight));
  const [w, b] = [weight.to("float32"), bias.to("float32")];
  await evaluate(w, b);
  return new LogisticProbe(w.detach(), b.detach(), { classes: names, converged });
}

/** The penalised cross entropy with its gradient, as functions of W and b in one array, b last. */
function entropyOf(
  x: Tensor,
  numbers: readonly number[],
  [width, classes]: readonly [width: number, classes: number],
  l2: number,
): (parameters: Float64Array) => Promise<Evaluated> {
  const samples = numbers.length;
  const hot = new Float64Array(samples * classes);
  for (const [i, number] of numbers.entries()) hot[i * classes + number] = 1;
  const wanted = Tensor.fromData(hot, [samples, classes]);
  return async (parameters) => {
    const all = Tensor.fromData(parameters, [width + 1, classes]);
    const weight = all.slice(0, 0, width);
    const logs = x.matmul(weight).add(all.select(0, width)).logSoftmax(-1);
    const missed = logs.exp().sub(wanted).div(samples);
    const value = logs
      .mul(wanted)
      .sum()
      .div(-samples)
      .add(
        weight
          .square()
          .sum()
          .mul(l2 / 2),
      );
    const slope = x.t().matmul(missed).add(weight.mul(l2));
    const constant = missed.sum({ dim: 0 });
    await evaluate(value, slope, constant);
    const gradient = new Float64Array(parameters.length);
    gradient.set((await slope.data()) as Float64Array);
    gradient.set((await constant.data()) as Float64Array, width * classes);
    return { value: await value.item(), gradient };
  };
}
