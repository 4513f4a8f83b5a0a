import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../tensor/evaluate.ts";
import { where } from "../../tensor/functions/arithmetic.ts";
import { tensor } from "../../tensor/functions/creation.ts";
import { linear } from "../../tensor/functions/linear-algebra.ts";
import { layerNorm } from "../../tensor/functions/normalisation.ts";
import { cat } from "../../tensor/functions/shaping.ts";
import { apply } from "../../tensor/ops/apply.ts";
import { numel, type Shape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { resetStats, runtimeStats } from "../default-runtime.ts";
import { evaluateSharingRows } from "../evaluate-sharing-rows.ts";
import { shareRows } from "./share-rows.ts";

const ROWS = 6;

/** Different small numbers, the same every time. */
function numbers(shape: Shape, seed: number): Tensor {
  const values = Float32Array.from({ length: numel(shape) }, (_, i) => Math.sin(i * 1.7 + seed));
  return tensor(values, { shape });
}

/** Rows [rows, 5, 4] that are equal where their kinds are. */
function ofKinds(kinds: readonly number[]): Tensor {
  const each = kinds.map((kind) => numbers([1, 5, 4], 10 * kind).values ?? []);
  return tensor(Float32Array.from(each.flatMap((values) => Array.from(values, Number))), {
    shape: [kinds.length, 5, 4],
  });
}

const mask = (edited: readonly boolean[]): Tensor =>
  Tensor.fromData(Uint8Array.from(edited, Number), [edited.length, 1, 1], "bool");

/** Coordinates of one of five places in each row. */
function pointsOf(places: readonly number[]): Tensor {
  const values = BigInt64Array.from(places.flatMap((place, row) => [BigInt(row), BigInt(place)]));
  return Tensor.fromData(values, [places.length, 1, 2], "int64");
}

interface Edit {
  readonly edited: readonly boolean[];
  readonly places: readonly number[];
}

/** What is done to [rows, 5, 4], which keeps that shape. */
const STEPS: Readonly<Record<string, (x: Tensor, edit: Edit) => Tensor>> = {
  scale: (x) => x.tanh().mul(numbers([4], 1)),
  residual: (x) => x.add(layerNorm(x, [4], { weight: numbers([4], 3) }).relu()),
  attend: (x) => x.matmul(x.transpose(1, 2)).softmax(-1).matmul(x),
  tokens: (x) =>
    linear(x.flatten(0, 1), numbers([4, 4], 4), numbers([4], 5))
      .sin()
      .reshape(x.shape),
  behind: (x) =>
    x
      .permute([1, 0, 2])
      .mul(numbers([5, 1, 4], 6))
      .cumsum(0)
      .permute([1, 0, 2]),
  best: (x) => x.mul(0).scatter(-1, x.topk(2).indices, x.topk(2).values),
  last: (x) => x.add(x.argmax(-1, true).to("float32")),
  image: (x) => {
    const sides = [1, 1] as const;
    const convolution = { stride: sides, padding: [sides, sides], dilation: sides, groups: 1 };
    return apply("conv", [x.unsqueeze(1), numbers([1, 1, 3, 3], 7)], convolution).squeeze(1);
  },
  padded: (x) =>
    apply("pad", [x], { mode: "reflect", value: 0 }, [[0, 2, 1, 0, 1, 0]])
      .slice(1, 0, 5)
      .slice(2, 1, 5),
  rows: (x, { edited }) => where(mask(edited), x.mul(2).sin().neg(), x),
  some: (x, { edited }) => where(mask(edited), numbers([4], 8), x),
  places: (x, { edited, places }) => {
    const points = pointsOf(places);
    const base = apply("gatherNd", [x, points], {});
    const written = where(mask(edited), base.cos().add(numbers([4], 9)), base);
    return apply("scatterNd", [x, points, written], { reduce: "none" });
  },
  dimensions: (x) => where(tensor([true, false, true, true]), x.neg(), x),
  drawn: (x) => x.add(numbers(x.shape, 10)),
  mixed: (x) => x.sub(x.mean({ dim: 0, keepdim: true })),
  pairs: (x) => {
    const flat = x.flatten(1, 2);
    return x.add(flat.matmul(flat.t()).softmax(-1).mean({ dim: 1 }).reshape([-1, 1, 1]));
  },
  turned: (x) => cat([x.slice(0, 2), x.slice(0, 0, 2)], 0),
};

const row = fc.record({
  kind: fc.integer({ min: 0, max: 1 }),
  edited: fc.boolean(),
  place: fc.integer({ min: 0, max: 4 }),
});

describe("rows that are equal are computed once", () => {
  test("in whatever graph, and all have the values that they have by themselves", async () => {
    const step = fc.constantFrom(...Object.keys(STEPS));
    const steps = fc.array(fc.tuple(step, fc.array(row, { minLength: ROWS, maxLength: ROWS })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: ROWS, maxLength: ROWS }), steps, async (x, s) => {
        const build = (): Tensor[] => {
          const last = s.reduce(
            (y, [name, edit]) =>
              STEPS[name]?.(y, {
                edited: edit.map(({ edited }) => edited),
                places: edit.map(({ place }) => place),
              }) ?? y,
            ofKinds(x.map(({ kind }) => kind)),
          );
          return [last, last.sum({ dim: 2 }), last.mean()];
        };
        const [expected, actual] = [build(), build()];
        await evaluate(...expected);
        await evaluateSharingRows(actual, ROWS);
        for (const [i, t] of expected.entries()) {
          const got = await actual[i]?.data();
          (await t.data()).forEach((value, at) =>
            expect(Math.abs(Number(value) - Number(got?.[at]))).toBeLessThan(1e-5),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  /** Multiply-adds of a product of a batch, beside those for one row. */
  async function products(build: (x: Tensor) => Tensor, kinds: readonly number[]): Promise<number> {
    const weight = numbers([4, 4], 2);
    resetStats();
    await evaluateSharingRows([linear(build(ofKinds(kinds)), weight)], kinds.length);
    return runtimeStats().multiplyAdds / (5 * 4 * 4);
  }

  const same = [0, 0, 0, 0, 0, 0];
  const edited = [false, true, false, true, false, false];

  test.each<[string, number, (x: Tensor) => Tensor, number[]?]>([
    ["equal data", 1, (x) => x.exp()],
    ["two kinds of data", 2, (x) => x.exp(), [0, 1, 0, 0, 1, 1]],
    ["some rows edited alike", 2, (x) => where(mask(edited), x.neg(), x)],
    [
      "some rows edited at their own places, the others as they are",
      3,
      (x) => STEPS["places"]?.(x, { edited, places: [0, 1, 2, 3, 4, 4] }) ?? x,
    ],
    ["numbers drawn for each row", 6, (x) => x.add(numbers(x.shape, 3))],
    ["the mean over the batch, which all rows share", 1, (x) => x.mean({ dim: 0, keepdim: true }).expand(x.shape)],
  ])("%s: %i", async (_, count, build, kinds = same) => {
    expect(await products(build, kinds)).toBe(count);
  }); // prettier-ignore

  test("leaves a graph as it is where no rows are known to be equal", () => {
    const x = ofKinds([0, 1, 2]).mul(2);
    expect(shareRows([x], 3)[0]?.tensor).toBe(x);
    const mixed = ofKinds([0, 1, 0]).mul(2).mean();
    expect(shareRows([mixed], 1)[0]?.tensor).toBe(mixed);
  });

  test("another choice of as many cells is no other program", async () => {
    const run = async (places: readonly number[]): Promise<void> => {
      const x = linear(ofKinds(same), numbers([4, 4], 2));
      const written = STEPS["places"]?.(x, { edited, places }) ?? x;
      await evaluateSharingRows([linear(written, numbers([4, 4], 3))], ROWS);
    };
    await run([0, 1, 0, 2, 0, 0]);
    resetStats();
    await run([4, 3, 1, 0, 2, 2]);
    expect(runtimeStats().programsCompiled).toBe(0);
  });
});
