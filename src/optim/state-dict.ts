import type { Parameter } from "../nn/parameter.ts";
import { toNumbers } from "../tensor/tensor-core.ts";
import { leaf } from "../tensor/ops/apply.ts";
import { fail, internal } from "../base/errors.ts";
import { sameShape, type Shape, show } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { OptimizerOptions, ParameterGroup } from "./parameter-groups.ts";

/** An optimiser's states and options as PyTorch's `optimizer.state_dict()` lays them out. */
export interface OptimizerStateDict {
  /** By the number of the parameter: `step`, `exp_avg`, `exp_avg_sq`, `momentum_buffer`, ... */
  readonly state: Readonly<Record<string, Readonly<Record<string, Tensor | number>>>>;
  /** By group: `lr`, `betas`, `weight_decay`, ..., and in `params` the numbers of its parameters. */
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

/** What is kept of one parameter between steps. */
export interface ParameterState {
  /** How many steps the parameter has taken. */
  readonly step: number;
  /** Of the shape that {@link workShape} gives. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** PyTorch's choices of implementation, which mean nothing here. */
const IGNORED: ReadonlySet<string> = new Set([
  "foreach",
  "fused",
  "capturable",
  "differentiable",
  "decoupled_weight_decay",
]);

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const camelCase = (name: string): string =>
  name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

/**
 * The shape in which a parameter is updated: programs merge 0-d numbers that are equal by accident,
 * so there are none.
 */
export function workShape(shape: Shape): Shape {
  return shape.length === 0 ? [1] : shape;
}

function reshaped(tensor: Tensor, shape: Shape): Tensor {
  return leaf(tensor.values ?? internal("a state is not computed"), shape, tensor.dtype);
}

export function stateToDict(
  { step, tensors }: ParameterState,
  shape: Shape,
  countsSteps: boolean,
): Record<string, Tensor | number> {
  const entries = [...tensors].map(([name, tensor]) => [name, reshaped(tensor, shape)]);
  return { ...(countsSteps ? { step } : {}), ...Object.fromEntries(entries) };
}

export function stateFromDict(
  name: string,
  saved: Readonly<Record<string, Tensor | number>>,
  parameter: Parameter,
  countsSteps: boolean,
): ParameterState {
  const tensors = new Map<string, Tensor>();
  for (const [key, value] of Object.entries(saved)) {
    if (key === "step" || !(value instanceof Tensor)) continue;
    if (!sameShape(value.shape, parameter.shape) || value.dtype !== parameter.dtype) {
      fail(
        name,
        `${key} is ${value.dtype} ${show(value.shape)}, ` +
          `the parameter ${parameter.dtype} ${show(parameter.shape)}`,
      );
    }
    if (value.values === undefined) {
      fail(name, `${key} is not computed yet; await evaluate() it first`);
    }
    tensors.set(key, reshaped(value, workShape(value.shape)));
  }
  // Rules that count no steps treat the first one alone in a special way.
  const step = countsSteps ? stepOf(name, saved["step"]) : Math.min(1, tensors.size);
  return { step, tensors };
}

/** A number, or as newer versions of PyTorch write it, a 0-d tensor. */
function stepOf(name: string, saved: Tensor | number | undefined): number {
  const step =
    saved instanceof Tensor ? toNumbers(saved.values ?? new Float32Array(), saved.dtype)[0] : saved;
  if (step === undefined || !Number.isInteger(step) || step < 0) {
    fail(name, `step must be a whole number, got ${String(step)}`);
  }
  return step;
}

export function groupToDict<O extends OptimizerOptions>(
  group: ParameterGroup<O>,
  parameters: readonly Parameter[],
): Record<string, unknown> {
  const { parameters: own, ...options } = group;
  const entries = Object.entries(options).map(([key, value]) => [snakeCase(key), value]);
  return { ...Object.fromEntries(entries), params: own.map((p) => parameters.indexOf(p)) };
}

export function groupFromDict<O extends OptimizerOptions>(
  name: string,
  saved: Readonly<Record<string, unknown>>,
  group: ParameterGroup<O>,
  parameters: readonly Parameter[],
): ParameterGroup<O> {
  const { params, ...rest } = saved;
  const expected = group.parameters.map((p) => parameters.indexOf(p));
  if (JSON.stringify(params) !== JSON.stringify(expected)) {
    fail(name, `expected params ${show(expected)}, got ${JSON.stringify(params)}`);
  }
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) {
    const own = camelCase(key);
    if (own in group || own === "initialLr") options[own] = value;
    else if (!IGNORED.has(key) && value !== false && value !== null && value !== undefined) {
      fail(name, `the option ${key} = ${JSON.stringify(value)} is not supported`);
    }
  }
  return { ...group, ...options };
}
