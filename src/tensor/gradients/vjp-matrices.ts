import { apply } from "../ops/apply.ts";
import { add, mul, sub, unary } from "../functions/arithmetic.ts";
import { NONE, type Ops } from "../ops/ops.ts";
import { mean, reduceTo, sum } from "../functions/reductions.ts";
import { numel } from "../shape.ts";
import { cat, reshape, slice, transpose } from "../functions/shaping.ts";
import type { Tensor } from "../tensor.ts";
import { at, num, type Vjp, zerosLike } from "./vjp-rule.ts";

export const matmul: Vjp<unknown> = (a) => {
  const [x, y] = [at(a, 0), at(a, 1)];
  return [
    a.wanted[0] === true ? apply("matmul", [a.g, transpose(y, -1, -2)], NONE) : undefined,
    a.wanted[1] === true ? apply("matmul", [transpose(x, -1, -2), a.g], NONE) : undefined,
  ];
};

export const linear: Vjp<unknown> = (a) => {
  const [x, w] = [at(a, 0), at(a, 1)];
  const rows = (t: Tensor): Tensor =>
    reshape(t, [numel(t.shape.slice(0, -1)), t.shape.at(-1) ?? 1]);
  const g = rows(a.g);
  return [
    a.wanted[0] === true ? reshape(apply("matmul", [g, w], NONE), x.shape) : undefined,
    a.wanted[1] === true ? apply("matmul", [transpose(g, 0, 1), rows(x)], NONE) : undefined,
    a.wanted[2] === true ? sum(g, { dim: 0 }) : undefined,
  ];
};

export const softmax: Vjp<Ops["softmax"]> = ({ g, y, attributes: { dim } }) => {
  const weighted = mul(g, y);
  return [sub(weighted, mul(y, sum(weighted, { dim, keepdim: true })))];
};

export const logSoftmax: Vjp<Ops["logSoftmax"]> = ({ g, y, attributes: { dim } }) => [
  sub(g, mul(unary("exp", y), sum(g, { dim, keepdim: true }))),
];

export const layerNorm: Vjp<Ops["layerNorm"]> = (a) => {
  const [x, w] = [at(a, 0), at(a, 1)];
  const dim = x.shape.map((_, i) => i).slice(x.shape.length - a.attributes.axes);
  const over = { dim, keepdim: true };
  const centred = sub(x, mean(x, over));
  const variance = mean(mul(centred, centred), over);
  const scale = unary("reciprocal", unary("sqrt", add(variance, num(a.attributes.eps, x))));
  const normed = mul(centred, scale);
  const gw = mul(a.g, w);
  const inner = sub(gw, add(mean(gw, over), mul(normed, mean(mul(gw, normed), over))));
  return [
    a.wanted[0] === true ? mul(scale, inner) : undefined,
    a.wanted[1] === true ? reduceTo(mul(a.g, normed), w.shape) : undefined,
    a.wanted[2] === true ? reduceTo(a.g, w.shape) : undefined,
  ];
};

/** With r = 1 / sqrt(mean(x²) + eps): r (g w - x r² mean(g w x)), and g x r summed up. */
export const rmsNorm: Vjp<Ops["rmsNorm"]> = (a) => {
  const [x, w] = [at(a, 0), at(a, 1)];
  const dim = x.shape.map((_, i) => i).slice(x.shape.length - a.attributes.axes);
  const over = { dim, keepdim: true };
  const power = add(mean(mul(x, x), over), num(a.attributes.eps, x));
  const normed = mul(x, unary("reciprocal", unary("sqrt", power)));
  const gw = mul(a.g, w);
  const inner = sub(gw, mul(normed, mean(mul(gw, normed), over)));
  return [
    a.wanted[0] === true ? mul(unary("reciprocal", unary("sqrt", power)), inner) : undefined,
    a.wanted[1] === true ? reduceTo(mul(a.g, normed), w.shape) : undefined,
  ];
};

/** Turned back by the same angles; those change the result by what it is a quarter turn further. */
export const rotate: Vjp<Ops["rotate"]> = (a) => {
  const [x, cos, sin] = [at(a, 0), at(a, 1), at(a, 2)];
  const { pairs } = a.attributes;
  const halves = (t: Tensor): [Tensor, Tensor] => [
    slice(t, -1, 0, pairs),
    slice(t, -1, pairs, 2 * pairs),
  ];
  const [[x1, x2], [g1, g2]] = [halves(x), halves(a.g)];
  const along = (p: Tensor, q: Tensor): Tensor => sum(add(p, q), { dim: 1 });
  return [
    apply("rotate", [a.g, cos, unary("neg", sin)], { pairs }),
    a.wanted[1] === true ? along(mul(g1, x1), mul(g2, x2)) : undefined,
    a.wanted[2] === true ? along(mul(g2, x1), unary("neg", mul(g1, x2))) : undefined,
  ];
};

/** x, gradient and what it is multiplied with commute with x, so the steps may run forwards. */
export const squarings: Vjp<unknown> = (a) => [
  apply("squaringsGrad", [at(a, 0), a.g, at(a, 1)], NONE),
];

/**
 * With E = xᵀ, the result is the upper right block of [[E, g], [0, E]] squared `count` times, so
 * its gradient is that of these squarings.
 */
export const squaringsGrad: Vjp<unknown> = (a) => {
  const [x, g, count] = [at(a, 0), at(a, 1), at(a, 2)];
  const n = x.shape.at(-1) ?? 0;
  const [e, zero] = [transpose(x, -1, -2), zerosLike(g)];
  const blocks = (upper: readonly Tensor[], lower: readonly Tensor[]): Tensor =>
    cat([cat(upper, -1), cat(lower, -1)], -2);
  const whole = apply(
    "squaringsGrad",
    [blocks([e, g], [zero, e]), blocks([zero, a.g], [zero, zero]), count],
    NONE,
  );
  const block = (i: number, j: number): Tensor =>
    slice(slice(whole, -2, i * n, (i + 1) * n), -1, j * n, (j + 1) * n);
  return [transpose(add(block(0, 0), block(1, 1)), -1, -2), block(0, 1)];
};
