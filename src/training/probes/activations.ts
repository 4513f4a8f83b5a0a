import { fail } from "../../base/errors.ts";
import { evaluate } from "../../tensor/evaluate.ts";
import { show } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";

/**
 * Activations as evaluated rows of float64: [..., width] to [samples, width].
 *
 * @throws TsveneError for what is no such tensor, fewer samples than wanted, and numbers that are not finite.
 */
export async function rowsOf(op: string, name: string, x: Tensor, least = 1): Promise<Tensor> {
  if (!(x instanceof Tensor) || x.ndim < 2) {
    const got = x instanceof Tensor ? show(x.shape) : typeof x;
    fail(op, `${name} must be activations [..., width], such as collected ones, got ${got}`);
  }
  const rows = x.detach().to("float64").flatten(0, -2);
  if (rows.size(0) < least) {
    fail(op, `${name} has ${rows.size(0)} samples; at least ${least} are needed`);
  }
  await evaluate(rows);
  const at = rows.values?.findIndex((value) => !Number.isFinite(Number(value))) ?? -1;
  if (at < 0) return rows;
  return fail(
    op,
    `${name} has a number that is not finite, in sample ${Math.floor(at / rows.size(1))}`,
  );
}

/** Means and spreads of samples, 1 for what never varies: what standardises them. */
export async function scaleOf(
  rows: Tensor,
): Promise<{ readonly mean: Tensor; readonly std: Tensor }> {
  const mean = rows.mean({ dim: 0 });
  const spread = rows.sub(mean).square().mean({ dim: 0 }).sqrt();
  const std = spread.maskedFill(spread.lt(1e-12), 1);
  await evaluate(mean, std);
  return { mean, std };
}

/** @throws TsveneError for tensors of other widths. */
export function requireSameWidth(op: string, one: Tensor, other: Tensor): void {
  if (one.size(-1) === other.size(-1)) return;
  fail(op, `activations of width ${one.size(-1)} and ${other.size(-1)} cannot be compared`);
}
