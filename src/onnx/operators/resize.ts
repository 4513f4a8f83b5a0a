import type { Rows } from "../../nn/functional/along-dimension.ts";
import type { Call, Looks } from "../operator.ts";

/** What attributes say of resizing. */
interface Said {
  readonly antialias: number;
  readonly axes: readonly number[] | undefined;
  readonly coordinate_transformation_mode: string;
  readonly cubic_coeff_a: number;
  readonly exclude_outside: number;
  readonly keep_aspect_ratio_policy: string;
  readonly mode: string;
  readonly nearest_mode: string;
}

/** One dimension that changes. */
interface Axis {
  readonly dim: number;
  /** Weights of the inputs in each output. */
  readonly rows: Rows;
}

/** How a resizing is done: dimension by dimension, or by ONNX Runtime. */
type Plan = { readonly axes: readonly Axis[] } | { readonly looks: Looks };

/** A dimension with its sizes and where its points lie. */
interface Sampling {
  readonly inputs: number;
  readonly outputs: number;
  /** Outputs for an input. */
  readonly scale: number;
  readonly said: Said;
}

/** Plans a resizing; undefined for one that is not known. */
export function resized(call: Call, said: Said): Plan | undefined {
  const x = call.value(0);
  const samplings = samplingsOf(call, said);
  const shape = samplings.map(({ outputs }) => outputs);
  const byOthers =
    said.antialias !== 0 ||
    said.exclude_outside !== 0 ||
    said.coordinate_transformation_mode === "tf_crop_and_resize" ||
    x.dtype === "float64" ||
    !["float32", "float16"].includes(x.dtype);
  if (byOthers) return { looks: { shape, dtype: x.dtype } };
  const axes: Axis[] = [];
  for (const [dim, sampling] of samplings.entries()) {
    if (sampling.inputs === sampling.outputs && sampling.scale === 1) continue;
    const rows = rowsOf(sampling);
    if (rows === undefined) return undefined;
    axes.push({ dim, rows });
  }
  return { axes };
}

function samplingsOf(call: Call, said: Said): readonly Sampling[] {
  const { shape } = call.value(0);
  const axes = said.axes?.map((axis) => call.dim(axis, shape.length)) ?? shape.map((_, d) => d);
  const sizes = call.numbers(3, "its sizes");
  const scales = sizes === undefined ? call.knownNumbers(2, "its scales") : undefined;
  const ratios = axes.map((dim, i) => (sizes?.[i] ?? 0) / (shape[dim] ?? 1));
  const least = said.keep_aspect_ratio_policy === "not_larger";
  const kept =
    said.keep_aspect_ratio_policy === "stretch"
      ? undefined
      : Math[least ? "min" : "max"](...ratios);
  return shape.map((inputs, dim) => {
    const i = axes.indexOf(dim);
    if (i < 0) return { inputs, outputs: inputs, scale: 1, said };
    if (scales !== undefined) {
      const scale = scales[i] ?? 1;
      return { inputs, outputs: Math.floor(inputs * scale), scale, said };
    }
    const outputs = kept === undefined ? (sizes?.[i] ?? inputs) : Math.round(inputs * kept);
    return { inputs, outputs, scale: kept ?? outputs / inputs, said };
  });
}

/** Where an output lies among the inputs. */
function position(k: number, { inputs, outputs, scale, said }: Sampling): number {
  switch (said.coordinate_transformation_mode) {
    case "asymmetric":
      return k / scale;
    case "align_corners":
      return outputs === 1 ? 0 : (k * (inputs - 1)) / (outputs - 1);
    case "pytorch_half_pixel":
      return outputs > 1 ? (k + 0.5) / scale - 0.5 : 0;
    case "tf_half_pixel_for_nn":
      return (k + 0.5) / scale;
    case "half_pixel_symmetric": {
      const adjustment = outputs / (scale * inputs);
      return (inputs / 2) * (1 - adjustment) + (k + 0.5) / scale - 0.5;
    }
    default:
      return (k + 0.5) / scale - 0.5;
  }
}

function rowsOf(sampling: Sampling): Rows | undefined {
  const { mode, nearest_mode: nearest, cubic_coeff_a: a } = sampling.said;
  const points = Array.from({ length: sampling.outputs }, (_, k) => position(k, sampling));
  if (mode === "nearest") return points.map((at) => row(sampling, [[nearestTo(at, nearest), 1]]));
  if (mode === "linear") return points.map((at) => row(sampling, linear(at, sampling.inputs)));
  if (mode !== "cubic") return undefined;
  return points.map((at) => {
    const low = Math.floor(at);
    return row(
      sampling,
      [-1, 0, 1, 2].map((d) => [low + d, cubic(Math.abs(at - low - d), a)]),
    );
  });
}

function nearestTo(at: number, mode: string): number {
  if (mode === "floor") return Math.floor(at);
  if (mode === "ceil") return Math.ceil(at);
  const isHalf = at - Math.floor(at) === 0.5;
  if (isHalf) return mode === "round_prefer_ceil" ? Math.ceil(at) : Math.floor(at);
  return Math.round(at);
}

function linear(at: number, inputs: number): [number, number][] {
  const within = Math.max(0, Math.min(inputs - 1, at));
  const low = Math.floor(within);
  return [[low, 1 - (within - low)], [low + 1, within - low]]; // prettier-ignore
}

/** Keys' cubic convolution. */
function cubic(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/** Weights at places, those beyond the ends counting for the end. */
function row(
  { inputs }: Sampling,
  parts: readonly (readonly [number, number])[],
): ReadonlyMap<number, number> {
  const weights = new Map<number, number>();
  for (const [at, weight] of parts) {
    const i = Math.max(0, Math.min(inputs - 1, at));
    if (weight !== 0) weights.set(i, (weights.get(i) ?? 0) + weight);
  }
  return weights;
}
