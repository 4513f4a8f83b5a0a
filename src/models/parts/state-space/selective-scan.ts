import { apply } from "../../../tensor/ops/apply.ts";
import { zeros } from "../../../tensor/functions/creation.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** What a selective state space reads, and how it reads it. */
export interface ScanInputs {
  /** [batch, steps, width] */
  readonly x: Tensor;
  /** [batch, steps, width]: length of each step, 0 or more. */
  readonly dt: Tensor;
  /** [width, size]: rates, negative. */
  readonly rates: Tensor;
  /** [batch, steps, size]: how inputs go into the state. */
  readonly into: Tensor;
  /** [batch, steps, size]: how outputs come out of it. */
  readonly out: Tensor;
}

/** Outputs [batch, steps, width] and the state after the last step, [batch, size, width]. */
export interface ScanResult {
  readonly output: Tensor;
  readonly state: Tensor;
}

/**
 * state[t] = exp(dt[t] rates) state[t - 1] + dt[t] x[t] into[t], output[t] = state[t] out[t]
 * (Gu and Dao, "Mamba", 2023).
 *
 * @param initial [batch, size, width]. @default zeros
 */
export function selectiveScan(inputs: ScanInputs, initial?: Tensor): ScanResult {
  const { x, dt, into, out } = inputs;
  const rates = inputs.rates.t();
  const first = initial ?? zeros([x.size(0), ...rates.shape], { dtype: x.dtype });
  const operands = [x.mul(dt), dt, rates, into, out, first];
  return {
    output: apply("selectiveScan", operands, { result: "outputs" }),
    state: apply("selectiveScan", operands, { result: "state" }),
  };
}
