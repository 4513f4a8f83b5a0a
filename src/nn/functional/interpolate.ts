import { fail } from "../../tensor/errors.ts";
import { requireOneOf } from "../../base/known-options.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { alongDimension, type Rows } from "./along-dimension.ts";
import { requireFloat } from "./check.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d } from "./pooling.ts";

/** How {@link interpolate} finds values between the given ones. */
export type InterpolationMode =
  "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "area";

/** Options of {@link interpolate}: `size` or `scaleFactor`. */
export interface InterpolateOptions {
  /** Spatial size of the result, one for all or one a dimension. */
  readonly size?: number | readonly number[];
  /** Size of the result over that of x, one for all or one a dimension. */
  readonly scaleFactor?: number | readonly number[];
  /** @default "nearest" */
  readonly mode?: InterpolationMode;
  /** Let the centres of the corner elements coincide, rather than their edges. @default false */
  readonly alignCorners?: boolean;
}

/** Where each output of a dimension is in the input. */
interface Sampling {
  readonly inputs: number;
  readonly outputs: number;
  /** Inputs an output step passes over. */
  readonly step: number;
  readonly alignCorners: boolean;
}

const SPATIAL_RANKS: { readonly [K in InterpolationMode]: readonly number[] } = {
  nearest: [1, 2, 3],
  "nearest-exact": [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  area: [1, 2],
};

/**
 * Resizes x [batch, channels, ...spatial].
 *
 * @throws TensorError unless exactly one of `size` and `scaleFactor` is given and the mode fits the
 * number of spatial dimensions.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = "nearest", alignCorners = false } = options;
  requireOneOf("interpolate", "mode", mode, Object.keys(SPATIAL_RANKS));
  requireFloat("interpolate", x);
  const spatial = x.ndim - 2;
  if (!SPATIAL_RANKS[mode].includes(spatial)) {
    fail(
      "interpolate",
      `mode "${mode}" takes ${SPATIAL_RANKS[mode].join(", ")} spatial dimensions, got ${show(x.shape)}`,
    );
  }
  const samplings = samplingsOf(x, options, alignCorners);
  if (mode === "area") {
    const sizes = samplings.map((s) => s.outputs);
    return spatial === 1 ? adaptiveAvgPool1d(x, sizes) : adaptiveAvgPool2d(x, sizes);
  }
  return samplings.reduce((y, s, i) => {
    if (s.inputs === s.outputs && s.step === 1) return y;
    if (mode === "nearest" || mode === "nearest-exact") {
      return y.indexSelect(i + 2, nearest(s, mode === "nearest" ? 0 : 0.5));
    }
    return alongDimension(y, i + 2, mode === "bicubic" ? cubic(s) : linear(s));
  }, x);
}

function samplingsOf(
  x: Tensor,
  { size, scaleFactor }: InterpolateOptions,
  alignCorners: boolean,
): Sampling[] {
  const sizes = x.shape.slice(2);
  if ((size === undefined) === (scaleFactor === undefined)) {
    fail("interpolate", "give either size or scaleFactor");
  }
  const given = [size ?? scaleFactor ?? []].flat();
  if (given.length !== 1 && given.length !== sizes.length) {
    fail("interpolate", `${show(given)} needs one number, or one a dimension of ${show(sizes)}`);
  }
  return sizes.map((inputs, i) => {
    const value = given[given.length === 1 ? 0 : i] ?? 1;
    const outputs = size === undefined ? Math.floor(inputs * value) : value;
    if (!Number.isInteger(outputs) || outputs < 1) {
      fail("interpolate", `${show(sizes)} cannot be resized by ${show(given)}`);
    }
    const aligned = alignCorners ? alignedStep(inputs, outputs) : undefined;
    const free = size === undefined ? 1 / value : inputs / outputs;
    return { inputs, outputs, step: aligned ?? free, alignCorners };
  });
}

function alignedStep(inputs: number, outputs: number): number {
  return outputs === 1 ? 0 : (inputs - 1) / (outputs - 1);
}

const clip = (i: number, n: number): number => Math.min(n - 1, Math.max(0, i));

function nearest(s: Sampling, shift: number): number[] {
  return Array.from({ length: s.outputs }, (_, k) =>
    clip(Math.floor(Math.fround((k + shift) * s.step)), s.inputs),
  );
}

function position(k: number, s: Sampling): number {
  return s.alignCorners ? k * s.step : (k + 0.5) * s.step - 0.5;
}

function linear(s: Sampling): Rows {
  return Array.from({ length: s.outputs }, (_, k) => {
    const at = Math.max(0, position(k, s));
    const low = Math.min(Math.floor(at), s.inputs - 1);
    return weightsAt(s, [
      [low, 1 - (at - low)],
      [low + 1, at - low],
    ]);
  });
}

/** Keys' cubic convolution with a = -0.75, as torch's. */
const CUBIC = -0.75;

function cubic(s: Sampling): Rows {
  return Array.from({ length: s.outputs }, (_, k) => {
    const at = position(k, s);
    const low = Math.floor(at);
    return weightsAt(
      s,
      [-1, 0, 1, 2].map((d) => [low + d, cubicWeight(Math.abs(at - low - d))]),
    );
  });
}

function cubicWeight(x: number): number {
  if (x <= 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
}

/** Sums weights of positions, those beyond the ends counting for the end. */
function weightsAt(
  s: Sampling,
  parts: readonly (readonly [number, number])[],
): Map<number, number> {
  const weights = new Map<number, number>();
  for (const [at, weight] of parts) {
    const i = clip(at, s.inputs);
    weights.set(i, (weights.get(i) ?? 0) + weight);
  }
  return weights;
}
