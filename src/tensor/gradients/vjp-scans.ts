import { apply } from "../ops/apply.ts";
import { constant, mul, unary } from "../functions/arithmetic.ts";
import { NONE, type Ops } from "../ops/ops.ts";
import { sum } from "../functions/reductions.ts";
import {
  cat,
  expand,
  reshape,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import { type Any, at, type Vjp, zerosLike } from "./vjp-rule.ts";

const product = (a: Tensor, b: Tensor): Tensor => apply("matmul", [a, b], NONE);

/** The state that each step starts from. */
function before(states: Tensor, initial: Tensor, reverse: boolean): Tensor {
  const first = unsqueeze(initial, 1);
  return reverse ? cat([slice(states, 1, 1), first], 1) : cat([first, slice(states, 1, 0, -1)], 1);
}

/**
 * The gradient of every state, from what states are read for and from that of the last: it goes the
 * other way, and over a step by the decay of the next one.
 */
function adjoint(decay: Tensor, read: Tensor, last: Tensor, reverse: boolean): Tensor {
  const next = before(decay, expand(constant(1, decay.dtype), last.shape), !reverse);
  return apply("recurrence", [next, read, last], { reverse: !reverse });
}

export const recurrence: Vjp<Ops["recurrence"]> = (a) => {
  const { reverse } = a.attributes;
  const [decay, initial] = [at(a, 0), at(a, 2)];
  const g = adjoint(decay, a.g, zerosLike(initial), reverse);
  const faded = mul(g, decay);
  const first = reverse ? slice(faded, 1, -1) : slice(faded, 1, 0, 1);
  return [mul(g, before(a.y, initial, reverse)), g, squeeze(first, 1)];
};

/** The gradient of every state goes the other way; each state was multiplied with for the one after. */
export const threeTerm: Vjp<Ops["threeTerm"]> = (a) => {
  const { reverse } = a.attributes;
  const matrix = at(a, 0);
  const g = apply("threeTerm", [transpose(matrix, 0, 1), a.g], { reverse: !reverse });
  const [from, to] = reverse
    ? [slice(a.y, 0, 1), slice(g, 0, 0, -1)]
    : [slice(a.y, 0, 0, -1), slice(g, 0, 1)];
  // [steps, n, count] -> [n, steps x count]: one product adds up all steps.
  const side = (x: Tensor): Tensor => reshape(transpose(x, 0, 1), [matrix.shape[0] ?? 0, -1]);
  return [product(side(to), transpose(side(from), 0, 1)), g];
};

/** [batch, steps, m] and [batch, steps, n] -> [batch, steps, m, n] */
const outer = (a: Tensor, b: Tensor): Tensor => mul(unsqueeze(a, -1), unsqueeze(b, -2));

/** [batch, steps, m, n] by [batch, steps, n] -> [batch, steps, m] */
const applied = (matrices: Tensor, x: Tensor): Tensor =>
  squeeze(product(matrices, unsqueeze(x, -1)), -1);

/** The same written out, which holds the states of all steps at once: [batch, steps, size, width]. */
function writtenOut(a: Any): { decay: Tensor; states: Tensor } {
  const [x, dt, rates, into, initial] = [at(a, 0), at(a, 1), at(a, 2), at(a, 3), at(a, 5)];
  const decay = unary("exp", mul(unsqueeze(dt, 2), rates));
  const states = apply("recurrence", [decay, outer(into, x), initial], { reverse: false });
  return { decay, states };
}

export const selectiveScan: Vjp<Ops["selectiveScan"]> = (a) => {
  const [x, dt, rates, into, out, initial] = [0, 1, 2, 3, 4, 5].map((i) => at(a, i)) as
    [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]; // prettier-ignore
  const { decay, states } = writtenOut(a);
  const ofOutputs = a.attributes.result === "outputs";
  const g = ofOutputs
    ? adjoint(decay, outer(out, a.g), zerosLike(initial), false)
    : adjoint(decay, zerosLike(states), a.g, false);
  const faded = mul(g, decay);
  const exponents = mul(faded, before(states, initial, false));
  return [
    squeeze(product(unsqueeze(into, 2), g), 2),
    sum(mul(exponents, rates), { dim: 2 }),
    sum(mul(exponents, unsqueeze(dt, 2)), { dim: [0, 1] }),
    applied(g, x),
    ofOutputs ? applied(states, a.g) : undefined,
    squeeze(slice(faded, 1, 0, 1), 1),
  ];
};
