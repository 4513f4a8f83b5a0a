import { isFloat } from "../dtype.ts";
import { fail } from "../errors.ts";
import type { Ops } from "./ops.ts";
import { input, type Rule } from "./rule.ts";
import { sameShape, show } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

function check(op: string, operands: readonly (readonly [string, Tensor, readonly number[]])[]) {
  const dtype = operands[0]?.[1].dtype ?? "float32";
  for (const [name, t, shape] of operands) {
    if (!isFloat(t.dtype)) fail(op, `expected floating-point tensors, but ${name} is ${t.dtype}`);
    if (t.dtype !== dtype) fail(op, `${name} is ${t.dtype}, others ${dtype}; convert one`);
    if (!sameShape(t.shape, shape)) {
      fail(op, `${name} is ${show(t.shape)}, wanted ${show(shape)} to fit the others`);
    }
  }
}

export const recurrence: Rule<Ops["recurrence"]> = (inputs) => {
  const [decay, driven, initial] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
  const [batch = 0, steps = 0, ...rest] = decay.shape;
  if (steps === 0) fail("recurrence", `wanted [batch, steps, ...], got ${show(decay.shape)}`);
  check("recurrence", [
    ["decay", decay, decay.shape],
    ["input", driven, decay.shape],
    ["initial", initial, [batch, ...rest]],
  ]);
  return { shape: decay.shape, dtype: decay.dtype };
};

export const threeTerm: Rule<Ops["threeTerm"]> = (inputs) => {
  const [matrix, driven] = [input(inputs, 0), input(inputs, 1)];
  const [steps = 0, n = 0, count = 0] = driven.shape;
  if (steps === 0) fail("threeTerm", `wanted [steps, n, count], got ${show(driven.shape)}`);
  check("threeTerm", [
    ["input", driven, [steps, n, count]],
    ["matrix", matrix, [n, n]],
  ]);
  return { shape: driven.shape, dtype: driven.dtype };
};

export const selectiveScan: Rule<Ops["selectiveScan"]> = (inputs, { result }) => {
  const [x, dt, rates, into] = [0, 1, 2, 3].map((i) => input(inputs, i)) as
    [Tensor, Tensor, Tensor, Tensor]; // prettier-ignore
  const [batch = 0, steps = 0, width = 0] = x.shape;
  const size = rates.shape[0] ?? 0;
  if (steps === 0) fail("selectiveScan", `wanted x [batch, steps, width], got ${show(x.shape)}`);
  const state = [batch, size, width];
  check("selectiveScan", [
    ["x", x, [batch, steps, width]],
    ["dt", dt, x.shape],
    ["rates", rates, [size, width]],
    ["into", into, [batch, steps, size]],
    ["out", input(inputs, 4), [batch, steps, size]],
    ["initial", input(inputs, 5), state],
  ]);
  return { shape: result === "state" ? state : x.shape, dtype: x.dtype };
};
