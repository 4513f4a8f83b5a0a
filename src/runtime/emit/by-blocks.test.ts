import { expect, test } from "vitest";
import { evaluate, functional, tensor, type Tensor } from "../../index.ts";
import { Parameter } from "../../nn/parameter.ts";
import { buildProgram } from "../program/program.ts";
import { isStep } from "../program/step.ts";

/** Numbers from -0.5 to 0.5, the same every time. */
function numbers(shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return tensor(Float32Array.from({ length: count }, next), { shape });
}

function blocksOf(t: Tensor): readonly { readonly dim: number; readonly count: number }[] {
  return buildProgram([t]).values.flatMap((value) =>
    [...((isStep(value) && value.widenings) || [])].flatMap(([, { blocks }]) =>
      blocks === undefined ? [] : [{ dim: blocks.dim, count: blocks.starts.length }],
    ),
  );
}

// Blocks that come out even, and a prime number of rows.
const WEIGHTS = [
  [1536, 512, "float16"],
  [1031, 768, "bfloat16"],
] as const;

test.each(WEIGHTS)("%i x %i in %s gives the same in blocks as whole", async (out, width, dtype) => {
  const kept = new Parameter(numbers([out, width], 1));
  kept.keepIn(dtype);
  await kept.stored.data();
  const whole = kept.stored.to("float32");
  const bias = numbers([out], 4);
  for (const rows of [1, 4, 130]) {
    const [x, g] = [numbers([rows, width], 2), numbers([rows, out], 3)];
    const of = (w: Tensor): Tensor[] => [
      functional.linear(x, w, bias),
      functional.linear(x, w),
      g.matmul(w),
    ];
    const [found, wanted] = [of(kept.value), of(whole)];
    expect(found.map((t) => blocksOf(t).map(({ dim }) => dim))).toEqual([[0], [0], [1]]);
    const distances = found.map((t, i) =>
      t
        .sub(wanted[i] ?? t)
        .abs()
        .max(),
    );
    for (const t of wanted) await t.data();
    for (const t of found) await t.data();
    for (const distance of distances) expect(await distance.item()).toBeLessThan(1e-5);
  }
});

test("steps that soon read a weight again share a copy of it, and no others", async () => {
  const [small, large] = [new Parameter(numbers([600, 1000], 1)), new Parameter(numbers([2500, 2000], 2))]; // prettier-ignore
  small.keepIn("float16");
  large.keepIn("float16");
  await evaluate(small.stored, large.stored);
  const x = numbers([2, 1000], 3);
  const copies = (t: Tensor): number[] =>
    buildProgram([t]).values.flatMap((value) =>
      [...((isStep(value) && value.widenings?.values()) || [])].map(({ copy }) => copy),
    );
  const once = functional.linear(x, small.value);
  const twice = functional.linear(x.exp(), small.value);
  expect(copies(once.add(twice))).toEqual([0, 0]);
  const between = functional.linear(numbers([2, 2000], 4), large.value).sum();
  expect(copies(once.add(between).add(twice))).toEqual([0, 1, 2]);
});
