import { describe, expect, test } from "vitest";
import {
  describeProgram,
  evaluate,
  Generator,
  grad,
  randn,
  RotatedSpaceIntervention,
  type Tensor,
  where,
  tensor,
} from "tsvene";

const [ROWS, WIDTH, LARGE] = [3, 6, 24];
const generator = new Generator(2);
const subspacePartition = [[0, 1], [1, 4, 2], [5]]; // prettier-ignore

/** The definition: coordinates of the source in the place of those of the base, turned back. */
function swapped(
  weight: Tensor,
  base: Tensor,
  source: Tensor,
  rows: readonly (readonly number[])[],
) {
  const mask = rows.map((row) => Array.from({ length: base.size(1) }, (_, d) => row.includes(d)));
  return where(tensor(mask), source.matmul(weight), base.matmul(weight)).matmul(weight.t());
}

/** Of so few vectors, it is only turned vectors that are computed where the width is large. */
describe.each([
  [WIDTH, 1],
  [LARGE, 0.1],
])("in %i dimensions", (width, scale) => {
  test.each([
    ["one part", [0], [[0, 1]]],
    ["parts that overlap", [0, 1], [[0, 1, 2, 4]]],
    ["another part in each row", [[2], [0], [1]], [[5], [0, 1], [1, 2, 4]]],
    ["no part in a row", [[], [0], [0, 2]], [[], [0, 1], [0, 1, 5]]],
  ] as const)(
    "interchange along %s is that of coordinates, gradients too",
    async (_, subspaces, rows) => {
      const intervention = new RotatedSpaceIntervention({ embedDim: width, subspacePartition });
      const { original } = intervention.rotate_layer.parametrizations.weight;
      original.set(original.value.add(randn([width, width], { generator }).mul(scale).tril(-1)));
      const [base, source, weights] = [0, 1, 2].map(() => randn([ROWS, width], { generator }));
      if (base === undefined || source === undefined || weights === undefined) return;
      await evaluate(original.value, base, source, weights);
      const quick = intervention.forward(base, source, { subspaces });
      const wanted = swapped(intervention.rotate_layer.weight, base, source, rows);
      const slopes = [quick, wanted].map((y) => grad(y.mul(weights).sum(), [original.value])[0]);
      const off = [quick.sub(wanted), slopes[0]?.sub(slopes[1] ?? 0) ?? wanted];
      await evaluate(...off);
      for (const difference of off) expect(await difference.abs().amax().item()).toBeLessThan(1e-5);
      const { threeTerm } = describeProgram([quick]).nodesByOp;
      expect(threeTerm).toBe(width === LARGE ? 2 : undefined);
    },
  );

  test("what is not moved stays to the last bit", async () => {
    const intervention = new RotatedSpaceIntervention({ embedDim: width, interchangeDim: 2 });
    const base = randn([ROWS, width], { generator });
    await evaluate(base);
    expect(await intervention.forward(base, base).toArray()).toStrictEqual(await base.toArray());
  });
});
