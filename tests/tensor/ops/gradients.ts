import { evaluate, grad, type Tensor, tensor } from "tsvene";
import { expect } from "vitest";

/** A tensor of numbers between -1 and 1 that are the same in every run. */
export function noise(shape: readonly number[], seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: count }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });
  return tensor(values, { shape });
}

type Loss = (...inputs: Tensor[]) => Tensor | Promise<Tensor>;

/** Central differences of a function of float64 tensors, element by element. */
async function differences(f: Loss, inputs: readonly Tensor[], step: number): Promise<number[][]> {
  const moved = async (which: number, at: number, by: number): Promise<Tensor> => {
    const data = Float64Array.from((await inputs[which]?.data()) as Float64Array);
    data[at] = (data[at] ?? 0) + by;
    return tensor(data, { shape: inputs[which]?.shape ?? [] });
  };
  const slopes: number[][] = [];
  for (const [which, x] of inputs.entries()) {
    const row: number[] = [];
    for (let at = 0; at < x.numel; at++) {
      const around = await Promise.all([
        moved(which, at, step).then(async (y) => f(...inputs.with(which, y))),
        moved(which, at, -step).then(async (y) => f(...inputs.with(which, y))),
      ]);
      await evaluate(...around);
      const [up, down] = await Promise.all(around.map(async (y) => y.item()));
      row.push(((up ?? NaN) - (down ?? NaN)) / (2 * step));
    }
    slopes.push(row);
  }
  return slopes;
}

/**
 * Expects the gradient of the scalar function to equal its central differences. Inputs are float64,
 * so that differences are right to eight digits or so.
 */
export async function expectGradient(
  f: Loss,
  inputs: readonly Tensor[],
  { step = 1e-5, tolerance = 1e-6 }: { readonly step?: number; readonly tolerance?: number } = {},
): Promise<void> {
  const gradients = grad(await f(...inputs), inputs, { allowUnused: true });
  await evaluate(...gradients);
  const wanted = await differences(f, inputs, step);
  gradients.forEach((g, i) => {
    const row = wanted[i] ?? [];
    const scale = row.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    const wrong = row.flatMap((w, at) => {
      const got = Number(g.values?.[at]);
      return Math.abs(got - w) <= tolerance * scale ? [] : [`[${at}] ${got} instead of ${w}`];
    });
    expect(g.shape).toEqual(inputs[i]?.shape);
    expect(wrong, `gradient ${i}`).toEqual([]);
  });
}

/**
 * Expects second derivatives to be right: the gradient of a weighted sum of first derivatives.
 */
export async function expectSecondGradient(
  f: Loss,
  inputs: readonly Tensor[],
  options: { readonly step?: number; readonly tolerance?: number } = {},
): Promise<void> {
  const slope: Loss = async (...xs) => {
    const gradients = grad(await f(...xs), xs, { allowUnused: true });
    return gradients.map((g, i) => g.mul(noise(g.shape, 40 + i)).sum()).reduce((a, b) => a.add(b));
  };
  await expectGradient(slope, inputs, options);
}
