import { requireTensors } from "./require-tensors.ts";
import { describeValue } from "../base/describe-value.ts";
import type { Origin } from "./ops/apply.ts";
import { constant } from "./functions/arithmetic.ts";
import { accumulate } from "./gradients/accumulate.ts";
import { isFloat } from "./dtype.ts";
import { fail } from "./errors.ts";
import { gradientOperands, upstream } from "./graph.ts";
import type { OpName, Ops } from "./ops/ops.ts";
import { reduceTo } from "./functions/reductions.ts";
import { sameShape, show } from "./shape.ts";
import { expand } from "./functions/shaping.ts";
import type { Tensor } from "./tensor.ts";
import { vjps } from "./gradients/vjp.ts";
import type { Vjp } from "./gradients/vjp-rule.ts";

/** Options of {@link grad}. */
export interface GradOptions {
  /** Weights of the outputs' elements, of the output's shape. @default 1 for a 0-d output */
  readonly gradOutput?: Tensor;
  /** Give zeros, instead of an error, for a tensor that the output does not depend on. @default false */
  readonly allowUnused?: boolean;
}

/**
 * Gradients of a scalar with respect to tensors: lazy tensors of their shapes, computed in the same
 * program as whatever else is asked for. They can be differentiated again.
 *
 * @throws TensorError when the output has more than one element and no `gradOutput`, when it does
 * not depend on one of the tensors, or when its graph was dropped by an evaluation.
 *
 * @example
 * ```ts
 * import { grad, tensor } from "tsvene";
 * const x = tensor([1, 2, 3]);
 * const [g] = grad(x.square().sum(), [x]);
 * console.log(await g.toArray()); // [2, 4, 6]
 * ```
 */
export function grad<const T extends readonly Tensor[]>(
  output: Tensor,
  inputs: T,
  { gradOutput, allowUnused = false }: GradOptions = {},
): { -readonly [K in keyof T]: Tensor } {
  if (!Array.isArray(inputs)) {
    fail("grad", `expected a list of tensors, as grad(loss, [x]), got ${describeValue(inputs)}`);
  }
  requireTensors("grad", output, ...inputs);
  checkOutput(output, gradOutput);
  const reaches = dependents(output, new Set(inputs));
  const seed = gradOutput ?? expand(constant(1, output.dtype), output.shape);
  const gradients = backpropagate(output, seed, reaches);
  return inputs.map((x) => {
    const g = gradients.get(x);
    if (g !== undefined) return g;
    if (allowUnused) return expand(constant(0, x.dtype), x.shape);
    return fail(
      "grad",
      `the output does not depend on a tensor of shape ${show(x.shape)}; ` +
        `pass { allowUnused: true } if zeros are right`,
    );
  }) as { -readonly [K in keyof T]: Tensor };
}

function checkOutput(output: Tensor, gradOutput: Tensor | undefined): void {
  if (!isFloat(output.dtype)) {
    fail("grad", `the output must be floating-point, got ${output.dtype}`);
  }
  if (gradOutput === undefined && output.numel !== 1) {
    fail(
      "grad",
      `the output has shape ${show(output.shape)}; reduce it to one number, or give gradOutput`,
    );
  }
  if (gradOutput !== undefined && !sameShape(gradOutput.shape, output.shape)) {
    fail(
      "grad",
      `gradOutput ${show(gradOutput.shape)} must have the output's shape ${show(output.shape)}`,
    );
  }
}

/** Tensors on a path from the output to a target, outputs before their operands. */
function dependents(output: Tensor, targets: ReadonlySet<Tensor>): Tensor[] {
  const operands = (t: Tensor): readonly Tensor[] => differentiable(t, targets);
  const onPath = new Set<Tensor>();
  for (const t of upstream([output], operands)) {
    if (targets.has(t) || operands(t).some((u) => onPath.has(u))) onPath.add(t);
  }
  return [...onPath].reverse();
}

function differentiable(t: Tensor, targets: ReadonlySet<Tensor>): readonly Tensor[] {
  if (t.severed && !targets.has(t)) {
    fail(
      "grad",
      `a tensor of shape ${show(t.shape)} on the way was evaluated before, which dropped its graph; ` +
        `call grad() before reading values, or detach() it if it is a constant`,
    );
  }
  return gradientOperands(t);
}

function backpropagate(
  output: Tensor,
  seed: Tensor,
  order: readonly Tensor[],
): Map<Tensor, Tensor> {
  const onPath = new Set(order);
  const parts = new Map<Tensor, Tensor[]>([[output, [seed]]]);
  const gradients = new Map<Tensor, Tensor>();
  for (const t of order) {
    const own = parts.get(t);
    if (own === undefined) continue;
    const g = accumulate(own);
    gradients.set(t, g);
    if (t.origin === undefined) continue;
    const { inputs } = t.origin;
    const wanted = inputs.map((u) => onPath.has(u) && isFloat(u.dtype));
    if (!wanted.includes(true)) continue;
    const pulled = pullBack(t.origin, g, t, wanted);
    inputs.forEach((u, i) => {
      const part = wanted[i] === true ? pulled[i] : undefined;
      if (part === undefined) return;
      const reduced = reduceTo(part, u.shape);
      const sofar = parts.get(u);
      if (sofar === undefined) parts.set(u, [reduced]);
      else sofar.push(reduced);
    });
  }
  return gradients;
}

function pullBack<K extends OpName>(
  origin: Origin<K>,
  g: Tensor,
  y: Tensor,
  wanted: readonly boolean[],
): readonly (Tensor | undefined)[] {
  const vjp = vjps[origin.op] as Vjp<Ops[K]>;
  return vjp({ g, y, wanted, ...origin });
}
