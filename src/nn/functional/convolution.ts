import { apply } from "../../tensor/ops/apply.ts";
import { fail } from "../../tensor/errors.ts";
import { show } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { requireFloat } from "./check.ts";
import { batched, perDimension, type PerDimension } from "./spatial.ts";

/** Options of the convolutions. */
export interface ConvOptions {
  /** @default 1 */
  readonly stride?: PerDimension;
  /**
   * Zeros added on both sides; `"same"` keeps the size (for stride 1), `"valid"` adds none.
   * @default 0
   */
  readonly padding?: PerDimension | "same" | "valid";
  /** Distance between the elements that a kernel's neighbours read. @default 1 */
  readonly dilation?: PerDimension;
  /** Groups of channels that do not see each other. @default 1 */
  readonly groups?: number;
}

/** x [batch, in, length], weight [out, in / groups, kernel], bias [out] -> [batch, out, ...]. */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvOptions = {},
): Tensor {
  return convolve("conv1d", x, weight, bias, options, 1);
}

/** x [batch, in, height, width], weight [out, in / groups, ...kernel] -> [batch, out, ...]. */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvOptions = {},
): Tensor {
  return convolve("conv2d", x, weight, bias, options, 2);
}

/** x [batch, in, depth, height, width], weight [out, in / groups, ...kernel] -> [batch, out, ...]. */
export function conv3d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvOptions = {},
): Tensor {
  return convolve("conv3d", x, weight, bias, options, 3);
}

function checkOperands(
  op: string,
  x: Tensor,
  weight: Tensor,
  spatial: number,
  groups: number,
): void {
  requireFloat(op, x);
  if (weight.ndim !== spatial + 2) {
    fail(op, `weight must have ${spatial + 2} dimensions, got ${show(weight.shape)}`);
  }
  if (!Number.isInteger(groups) || groups < 1 || weight.size(0) % groups !== 0) {
    fail(op, `${groups} groups do not divide the ${weight.size(0)} rows of weight`);
  }
}

function convolve(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions,
  spatial: number,
): Tensor {
  checkOperands(op, x, weight, spatial, groups);
  const strides = perDimension(op, "stride", stride, spatial, 1);
  const dilations = perDimension(op, "dilation", dilation, spatial, 1);
  const attributes = {
    stride: strides,
    dilation: dilations,
    groups,
    padding: pads(op, padding, weight, strides, dilations),
  };
  const rest = bias === undefined ? [weight] : [weight, bias];
  return batched(op, x, spatial, (y) => apply("conv", [y, ...rest], attributes));
}

function pads(
  op: string,
  padding: PerDimension | "same" | "valid",
  weight: Tensor,
  strides: readonly number[],
  dilations: readonly number[],
): [number, number][] {
  if (padding !== "same") {
    const list = perDimension(op, "padding", padding === "valid" ? 0 : padding, strides.length, 0);
    return list.map((n) => [n, n]);
  }
  if (strides.some((n) => n !== 1)) fail(op, `padding "same" needs stride 1, got ${show(strides)}`);
  return dilations.map((d, i) => {
    const total = d * (weight.size(i + 2) - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** Options of the transposed convolutions. */
export interface ConvTransposeOptions {
  /** @default 1 */
  readonly stride?: PerDimension;
  /** Cut from both sides of the result. @default 0 */
  readonly padding?: PerDimension;
  /** Added at the end of the result. @default 0 */
  readonly outputPadding?: PerDimension;
  /** @default 1 */
  readonly dilation?: PerDimension;
  /** @default 1 */
  readonly groups?: number;
}

/** x [batch, in, length], weight [in, out / groups, kernel], bias [out] -> [batch, out, ...]. */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvTransposeOptions = {},
): Tensor {
  return spread("convTranspose1d", x, weight, bias, options, 1);
}

/** x [batch, in, height, width], weight [in, out / groups, ...kernel] -> [batch, out, ...]. */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvTransposeOptions = {},
): Tensor {
  return spread("convTranspose2d", x, weight, bias, options, 2);
}

function spread(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: ConvTransposeOptions,
  spatial: number,
): Tensor {
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
  checkOperands(op, x, weight, spatial, groups);
  const attributes = {
    stride: perDimension(op, "stride", stride, spatial, 1),
    dilation: perDimension(op, "dilation", dilation, spatial, 1),
    outputPadding: perDimension(op, "outputPadding", outputPadding, spatial, 0),
    padding: perDimension(op, "padding", padding, spatial, 0).map((n) => [n, n] as const),
    groups,
  };
  const tooMuch = attributes.outputPadding.some(
    (n, i) => n >= Math.max(attributes.stride[i] ?? 1, attributes.dilation[i] ?? 1),
  );
  if (tooMuch) fail(op, "outputPadding must be smaller than stride or dilation");
  const rest = bias === undefined ? [weight] : [weight, bias];
  return batched(op, x, spatial, (y) => apply("convTranspose", [y, ...rest], attributes));
}
