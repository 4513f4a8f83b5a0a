import { checkOption, type UpdateInput, type Updated } from "./optimizer.ts";
import type { OptimizerOptions } from "./parameter-groups.ts";

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends OptimizerOptions {
  /** How slowly the averages of the gradient and of its square forget. @default [0.9, 0.999] */
  betas: readonly [number, number];
  /** Added to the denominator. @default 1e-8 */
  eps: number;
  /** @default 0 for Adam, 0.01 for AdamW */
  weightDecay: number;
  /** Divide by the largest average square so far. @default false */
  amsgrad: boolean;
}

export function checkAdamOptions(name: string, options: Readonly<AdamOptions>): void {
  const { betas, eps, weightDecay } = options;
  const inRange = betas.length === 2 && betas.every((b) => b >= 0 && b < 1);
  checkOption(name, "betas", betas, inRange);
  checkOption(name, "eps", eps, eps >= 0);
  checkOption(name, "weightDecay", weightDecay, weightDecay >= 0);
}

/**
 * Kingma and Ba, "Adam" (2014), in few operations: the corrections of the averages are moved into
 * the step size and into eps.
 */
export function adamUpdate(input: UpdateInput<AdamOptions>): Updated {
  const { parameter, gradient, options, step, state, scalar } = input;
  const [beta1, beta2] = options.betas;
  const correction1 = 1 - beta1 ** step;
  const correction2 = Math.sqrt(1 - beta2 ** step);

  const average = state("exp_avg");
  const mean = average.add(gradient.sub(average).mul(scalar("1 - beta1", 1 - beta1)));
  const square = state("exp_avg_sq")
    .mul(scalar("beta2", beta2))
    .add(gradient.square().mul(scalar("1 - beta2", 1 - beta2)));
  const largest = options.amsgrad ? state("max_exp_avg_sq").maximum(square) : square;
  const denominator = largest.sqrt().add(scalar("eps", options.eps * correction2));
  const size = scalar("size", (options.lr * correction2) / correction1);
  return {
    parameter: parameter.sub(mean.div(denominator).mul(size)),
    state: {
      exp_avg: mean,
      exp_avg_sq: square,
      ...(options.amsgrad ? { max_exp_avg_sq: largest } : {}),
    },
  };
}
