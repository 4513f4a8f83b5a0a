import { tensor } from "tsvene";
import { expect, test } from "vitest";
import { activation, ACTIVATION_NAMES } from "./activations.ts";

const POINTS = [-11, -3, -1.5, -0.4, 0, 0.3, 0.8, 2, 5, 7, 12];

/** By its Taylor series, which converges well for such small numbers; ±1 beyond. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const exact = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
const curved = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const swish = (x: number): number => x / (1 + Math.exp(-x));

/** The functions of transformers 4 and 5, number by number. */
const FORMULAS: Readonly<Record<string, (x: number) => number>> = {
  gelu: exact,
  gelu_10: (x) => Math.min(10, Math.max(-10, exact(x))),
  gelu_accurate: curved,
  gelu_fast: (x) => 0.5 * x * (1 + Math.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x))),
  gelu_new: curved,
  gelu_python: exact,
  gelu_python_tanh: curved,
  gelu_pytorch_tanh: curved,
  hardswish: (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
  laplace: (x) => 0.5 * (1 + erf((x - Math.SQRT1_2) / (0.282095 * Math.SQRT2))),
  leaky_relu: (x) => (x < 0 ? 0.01 * x : x),
  linear: (x) => x,
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  relu: (x) => Math.max(0, x),
  relu2: (x) => Math.max(0, x) ** 2,
  relu6: (x) => Math.min(6, Math.max(0, x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: swish,
  sqrtsoftplus: (x) => Math.sqrt(Math.log1p(Math.exp(x))),
  swish,
  tanh: Math.tanh,
};

test("every name has a formula here", () => {
  expect([...ACTIVATION_NAMES].sort()).toEqual(Object.keys(FORMULAS).sort());
});

test.each(Object.entries(FORMULAS))("%s is transformers' function", async (name, formula) => {
  const values = await activation(name).forward(tensor(POINTS)).toArray(1);
  for (const [i, x] of POINTS.entries()) {
    const wanted = formula(x);
    expect(Math.abs((values[i] ?? NaN) - wanted)).toBeLessThan(
      1e-5 * Math.max(1, Math.abs(wanted)),
    );
  }
});

test.each(["toString", "gleu", "prelu", ""])("%j is no activation function", (name) => {
  expect(() => activation(name)).toThrow(`activation function "${name}" is not known; known are`);
});
