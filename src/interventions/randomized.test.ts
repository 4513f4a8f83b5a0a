import { expect, test } from "vitest";
import "../runtime/index.ts";
import { Generator, manualSeed, rand, randn } from "../tensor/random/random.ts";
import { tensor } from "../tensor/functions/creation.ts";
import { BoundlessRotatedSpaceIntervention } from "./boundless-rotated-space.ts";
import { LowRankRotatedSpaceIntervention } from "./low-rank-rotated-space.ts";
import { randomized } from "./randomized.ts";
import { RotatedSpaceIntervention } from "./rotated-space.ts";
import { SigmoidMaskIntervention } from "./sigmoid-mask.ts";
import { VanillaIntervention } from "./vanilla.ts";

const [base, source] = [randn([3, 6]), randn([3, 6])];

async function sum(of: { decisions(): { sum(): { item(): Promise<number> } } }): Promise<number> {
  return of.decisions().sum().item();
}

test("a rotation is drawn anew from the generator, and swaps as many dimensions", async () => {
  const learned = new RotatedSpaceIntervention({ embedDim: 6, interchangeDim: 2 });
  const before = await learned.rotate_layer.weight.toArray();
  const draw = (seed: number) =>
    randomized(learned, new Generator(seed)) as RotatedSpaceIntervention;
  expect(draw(1).interchangeDim).toBe(2);
  const [one, same, other] = await Promise.all(
    [draw(1), draw(1), draw(2)].map((drawn) => drawn.rotate_layer.weight.toArray()),
  );
  expect(one).toEqual(same);
  expect(one).not.toEqual(other);
  expect(one).not.toEqual(before);
  expect(await learned.rotate_layer.weight.toArray()).toEqual(before);
});

test("drawing takes nothing from the default generator", async () => {
  const learned = new LowRankRotatedSpaceIntervention({ embedDim: 6, lowRankDimension: 2 });
  manualSeed(3);
  const first = await rand([2]).toArray();
  manualSeed(3);
  randomized(learned, new Generator(1));
  expect(await rand([2]).toArray()).toEqual(first);
});

test("a mask is drawn with as many dimensions, at other places", async () => {
  const learned = new SigmoidMaskIntervention({ embedDim: 6 });
  learned.mask.set(tensor([3, 3, -3, -3, -3, -3]));
  const drawn = randomized(learned, new Generator(1)) as SigmoidMaskIntervention;
  expect(await sum(drawn)).toBe(2);
  expect(await drawn.decisions().toArray()).not.toEqual([1, 1, 0, 0, 0, 0]);
});

test("a boundary stays, and the rotation is another", async () => {
  const learned = new BoundlessRotatedSpaceIntervention({ embedDim: 6 });
  learned.setInterventionBoundaries(0.4);
  const drawn = randomized(learned, new Generator(1)) as BoundlessRotatedSpaceIntervention;
  expect(await sum(drawn)).toBe(3); // 0, 1, 2 < 2.4
  expect(await drawn.rotate_layer.weight.toArray()).not.toEqual(
    await learned.rotate_layer.weight.toArray(),
  );
});

test("an interchange of some dimensions draws others; one of all has nothing to draw", () => {
  const some = new VanillaIntervention({ embedDim: 6, interchangeDim: [0, 1] });
  const drawn = randomized(some, new Generator(1));
  expect(drawn?.interchangeDim).toHaveLength(2);
  expect(drawn?.interchangeDim).not.toEqual([0, 1]);
  expect(randomized(new VanillaIntervention({ embedDim: 6 }), new Generator(1))).toBeUndefined();
});

test("hard, a dimension is swapped whole or not at all, and nothing is changed", async () => {
  const mask = new SigmoidMaskIntervention({ embedDim: 6 });
  mask.mask.set(tensor([0.001, -0.001, 3, -3, 0, 9]));
  const soft = await mask.forward(base, source).toArray();
  const b = await base.toArray(2);
  const s = await source.toArray(2);
  const wanted = b.map((row, i) => row.map((x, j) => ([0, 2, 5].includes(j) ? s[i]?.[j] : x)));
  expect(await mask.forward(base, source, { hard: true }).toArray()).toEqual(wanted);
  expect(await mask.forward(base, source).toArray()).toEqual(soft);
});

test("hard, a boundary swaps the dimensions before it, the first one whole too", async () => {
  const bounded = new BoundlessRotatedSpaceIntervention({ embedDim: 4 });
  const hard = async (boundary: number) => {
    bounded.setInterventionBoundaries(boundary);
    return bounded.decisions().toArray();
  };
  expect(await hard(0.5)).toEqual([1, 1, 0, 0]);
  expect(await hard(0.51)).toEqual([1, 1, 1, 0]);
  expect(await hard(1.7)).toEqual([1, 1, 1, 1]);
  expect(await hard(-0.4)).toEqual([0, 0, 0, 0]);
  expect(await bounded.boundary().item()).toBeCloseTo(0.001);
});
