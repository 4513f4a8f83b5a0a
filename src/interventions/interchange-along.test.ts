import { expect, test } from "vitest";
import {
  evaluate,
  Generator,
  grad,
  randn,
  RotatedSpaceIntervention,
  type Tensor,
  where,
  tensor,
} from "tsvene";

const [ROWS, WIDTH] = [3, 6];
const generator = new Generator(2);
const subspacePartition = [[0, 1], [1, 4, 2], [5]]; // prettier-ignore

/** The definition: coordinates of the source in the place of those of the base, turned back. */
function swapped(
  weight: Tensor,
  base: Tensor,
  source: Tensor,
  rows: readonly (readonly number[])[],
) {
  const mask = rows.map((row) => Array.from({ length: WIDTH }, (_, d) => row.includes(d)));
  return where(tensor(mask), source.matmul(weight), base.matmul(weight)).matmul(weight.t());
}

test.each([
  ["one part", [0], [[0, 1]]],
  ["parts that overlap", [0, 1], [[0, 1, 2, 4]]],
  ["another part in each row", [[2], [0], [1]], [[5], [0, 1], [1, 2, 4]]],
  ["no part in a row", [[], [0], [0, 2]], [[], [0, 1], [0, 1, 5]]],
] as const)(
  "interchange along %s is that of coordinates, gradients too",
  async (_, subspaces, rows) => {
    const intervention = new RotatedSpaceIntervention({ embedDim: WIDTH, subspacePartition });
    const { original } = intervention.rotate_layer.parametrizations.weight;
    original.set(original.value.add(randn([WIDTH, WIDTH], { generator }).tril(-1)));
    const [base, source, weights] = [0, 1, 2].map(() => randn([ROWS, WIDTH], { generator }));
    if (base === undefined || source === undefined || weights === undefined) return;
    await evaluate(base, source, weights);
    const quick = intervention.forward(base, source, { subspaces });
    const wanted = swapped(intervention.rotate_layer.weight, base, source, rows);
    const gradients = [quick, wanted].map((y) => grad(y.mul(weights).sum(), [original.value])[0]);
    const off = [quick.sub(wanted), gradients[0]?.sub(gradients[1] ?? 0) ?? wanted];
    await evaluate(...off);
    for (const difference of off) expect(await difference.abs().amax().item()).toBeLessThan(1e-5);
  },
);

test("what is not moved stays to the last bit", async () => {
  const intervention = new RotatedSpaceIntervention({ embedDim: WIDTH, interchangeDim: 2 });
  const base = randn([ROWS, WIDTH], { generator });
  await evaluate(base);
  expect(await intervention.forward(base, base).toArray()).toStrictEqual(await base.toArray());
});
