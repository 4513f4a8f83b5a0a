import { Linear, type LinearOptions } from "../../../nn/layers/linear.ts";
import type { Parameter } from "../../../nn/parameter.ts";
import { initialized } from "../../../nn/without-init.ts";
import { rand, randn } from "../../../tensor/random/random.ts";

/** Bounds of the lengths of steps that a state-space model starts with. */
export interface TimeStepConfig {
  /** Shortest initial time step. */
  readonly timeStepMin: number;
  /** Longest initial time step. */
  readonly timeStepMax: number;
  /** What initial time steps are raised to at least. */
  readonly timeStepFloor: number;
}

/** Biases for which softplus gives lengths of steps that are spread evenly by magnitude. */
export function timeStepBias(
  count: number,
  { timeStepMin, timeStepMax, timeStepFloor }: TimeStepConfig,
): Parameter {
  const [low, high] = [Math.log(timeStepMin), Math.log(timeStepMax)];
  return initialized([count], (shape) => {
    const length = rand(shape)
      .mul(high - low)
      .add(low)
      .exp()
      .clamp({ min: timeStepFloor });
    return length.add(length.neg().expm1().neg().log());
  });
}

/** A linear layer without bias whose weights start normal with a standard deviation. */
export function normalLinear(
  inFeatures: number,
  outFeatures: number,
  std: number,
  options: LinearOptions = {},
): Linear {
  const weight = initialized([outFeatures, inFeatures], (shape) => randn(shape).mul(std));
  return new Linear(inFeatures, outFeatures, { bias: false, weight, ...options });
}
