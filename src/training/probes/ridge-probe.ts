import { fail } from "../../base/errors.ts";
import { requireKnownOptions } from "../../base/known-options.ts";
import { eye } from "../../tensor/functions/creation.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { solve } from "../../tensor/linalg/solve.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { rowsOf, scaleOf } from "./activations.ts";
import { RidgeProbe } from "./linear-probe.ts";

/** How a ridge probe is fitted. */
export interface RidgeProbeOptions {
  /** Weight of the sum of squares of W beside the mean squared error, for standardised activations. @default 1e-3 */
  readonly l2?: number;
}

const OP = "ridgeProbe";

/**
 * Ridge regression of numbers on activations, in closed form: W = (X̂ᵀX̂ / n + l2 I)⁻¹ X̂ᵀ(Y - ȳ) / n with X̂
 * the standardised activations.
 *
 * @param x - Activations [..., width], such as collected ones.
 * @param targets - A number for each sample, [samples], or several, [samples, outputs].
 * @throws TsveneError for targets that do not fit, and numbers that are not finite.
 *
 * @example
 * ```ts
 * import { randn, ridgeProbe } from "tsvene";
 * const x = randn([100, 8]);
 * const probe = await ridgeProbe(x, x.select(1, 3).mul(2));
 * console.log(await probe.r2(x, x.select(1, 3).mul(2))); // nearly 1
 * ```
 */
export async function ridgeProbe(
  x: Tensor,
  targets: Tensor,
  options: RidgeProbeOptions = {},
): Promise<RidgeProbe> {
  requireKnownOptions(OP, options, { l2: true });
  const { l2 = 1e-3 } = options;
  if (!(l2 > 0 && l2 < Infinity)) {
    fail(OP, `l2 must be a number above 0, so that there is one answer, got ${String(l2)}`);
  }
  const rows = await rowsOf(OP, "x", x, 2);
  const samples = rows.size(0);
  if (!(targets instanceof Tensor) || targets.ndim > 2 || targets.shape[0] !== samples) {
    const got = targets instanceof Tensor ? show(targets.shape) : typeof targets;
    fail(
      OP,
      `targets must be [${samples}] or [${samples}, outputs], one for each sample, got ${got}`,
    );
  }
  const y = await rowsOf(OP, "targets", targets.reshape([samples, -1]));
  const { mean, std } = await scaleOf(rows);
  const scaled = rows.sub(mean).div(std);
  const width = rows.size(1);
  const gram = scaled.t().matmul(scaled).div(samples).add(eye(width, width, { dtype: "float64" }).mul(l2)); // prettier-ignore
  const average = y.mean({ dim: 0 });
  const weight = solve(gram, scaled.t().matmul(y.sub(average)).div(samples)).div(std.unsqueeze(1));
  const [w, b] = [weight.to("float32"), average.sub(mean.matmul(weight)).to("float32")];
  await evaluate(w, b);
  return new RidgeProbe(w.detach(), b.detach());
}
