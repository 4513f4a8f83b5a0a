import { describe, expect, test, vi } from "vitest";
import {
  describeProgram,
  evaluate,
  eye,
  Generator,
  grad,
  orthogonalState,
  randn,
  resetStats,
  RotateLayer,
  runtimeStats,
  tensor,
  type Tensor,
} from "tsvene";

const generator = new Generator(5);

async function distance(a: Tensor, b: Tensor): Promise<number> {
  return a.sub(b).abs().amax().item();
}

test.each([
  [6, 6],
  [6, 2],
  [1, 1],
])("a layer of %i by %i starts orthonormal, at its base", async (size, rank) => {
  const { weight, parametrizations } = new RotateLayer(size, rank, { generator });
  expect(weight.shape).toStrictEqual([size, rank]);
  expect(await distance(weight.t().matmul(weight), eye(rank))).toBeLessThan(1e-5);
  const { base } = parametrizations.weight[0];
  expect(await distance(weight, base.value.slice(1, 0, rank))).toBeLessThan(1e-6);
});

test("two layers are not the same, two of one seed are", async () => {
  const [a, b] = [1, 1].map((seed) => new RotateLayer(4, 4, { generator: new Generator(seed) }));
  const other = new RotateLayer(4);
  expect(await a?.weight.toArray()).toStrictEqual(await b?.weight.toArray());
  expect(await other.weight.toArray()).not.toStrictEqual(await new RotateLayer(4).weight.toArray());
});

test("any numbers give a matrix with orthonormal columns", async () => {
  for (const rank of [6, 3]) {
    const layer = new RotateLayer(6, rank);
    const { original } = layer.parametrizations.weight;
    // The diagonal of reflections is made of signs.
    const moved = original.value.add(randn([6, rank], { generator }).mul(2).tril(-1));
    original.set(moved);
    const { weight } = layer;
    expect(await distance(weight.t().matmul(weight), eye(rank))).toBeLessThan(1e-4);
    expect(await distance(weight, new RotateLayer(6, rank).weight)).toBeGreaterThan(0.1);
  }
});

test("directions whose signs were decayed are zero, as in PyTorch, and said to be", async () => {
  const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const layer = new RotateLayer(6, 3);
  const { original } = layer.parametrizations.weight;
  const decayed = original.value.mul(0.9);
  await evaluate(decayed);
  original.set(decayed);
  expect(await layer.weight.abs().sum().item()).toBe(0);
  expect(said.mock.calls).toEqual([[expect.stringMatching(/3 of 3 directions are zero/)]]);
});

test("a weight that is set is the weight, and is trained from there", async () => {
  for (const rank of [5, 2]) {
    const layer = new RotateLayer(5, rank);
    const { original } = layer.parametrizations.weight;
    original.set(original.value.add(randn([5, rank], { generator }).tril(-1)));
    const wanted = new RotateLayer(5, rank).weight;
    await evaluate(wanted);
    await layer.setWeight(wanted);
    expect(await distance(layer.weight, wanted)).toBeLessThan(1e-5);
    const x = randn([3, 5], { generator });
    const [g] = grad(layer.forward(x).select(1, 0).sum(), [original.value]);
    expect(await g.abs().sum().item()).toBeGreaterThan(0.1);
  }
});

test("a weight that is not orthonormal is replaced by one of the same space", async () => {
  const layer = new RotateLayer(4, 2);
  const given = tensor([[2, 1], [0, 3], [0, 0], [0, 0]]); // prettier-ignore
  await layer.setWeight(given);
  const { weight } = layer;
  expect(await distance(weight.t().matmul(weight), eye(2))).toBeLessThan(1e-5);
  expect(await distance(weight.matmul(weight.t()).matmul(given), given)).toBeLessThan(1e-5);
  await expect(layer.setWeight(eye(4))).rejects.toThrow(
    "RotateLayer.setWeight: expected [4, 2], got [4, 4]",
  );
});

describe("few vectors", () => {
  const [size, count] = [32, 4];
  const turned = (layer: RotateLayer, x: Tensor): Tensor =>
    layer.back(layer.forward(x).mul(WEIGHTS));
  const multiplied = ({ weight }: RotateLayer, x: Tensor): Tensor =>
    x.matmul(weight).mul(WEIGHTS).matmul(weight.t());
  const WEIGHTS = randn([size], { generator: new Generator(8) });

  test.each([0, 0.1, 0.3])(
    "are turned without the matrix, and gradients are the same: %d",
    async (scale) => {
      const layer = new RotateLayer(size, size, { generator });
      const { original } = layer.parametrizations.weight;
      original.set(original.value.add(randn([size, size], { generator }).mul(scale)));
      const [x, weights] = [0, 1].map(() => randn([count, size], { generator })) as [
        Tensor,
        Tensor,
      ];
      await evaluate(original.value, x, weights, WEIGHTS);
      const [quick, wanted] = [turned(layer, x), multiplied(layer, x)];
      const slopes = [quick, wanted].map((y) => grad(y.mul(weights).sum(), [original.value])[0]);
      const off = [quick.sub(wanted), slopes[0]?.sub(slopes[1] ?? 0) ?? wanted];
      expect(describeProgram([quick]).nodesByOp).toMatchObject({ threeTerm: 2 });
      expect(describeProgram([quick]).nodesByOp).not.toHaveProperty("squarings");
      await evaluate(...off);
      for (const difference of off) expect(await difference.abs().amax().item()).toBeLessThan(3e-5);
    },
  );

  test.each([
    ["many", 0.1, 20],
    ["few that go far", 3, count],
    ["numbers that are not finite", NaN, count],
    ["none", 0.1, 0],
  ] as const)("%s are multiplied with the matrix", async (_, scale, rows) => {
    const layer = new RotateLayer(size, size, { generator });
    const { original } = layer.parametrizations.weight;
    original.set(original.value.add(randn([size, size], { generator }).mul(scale)));
    await evaluate(original.value);
    const { nodesByOp } = describeProgram([layer.forward(randn([rows, size]))]);
    expect(nodesByOp).not.toHaveProperty("threeTerm");
  });

  test("are multiplied with the matrix where it is frozen", async () => {
    const layer = new RotateLayer(size).requiresGrad(false);
    expect(describeProgram([layer.forward(randn([1, size]))]).nodesByOp).toHaveProperty("matmul");
    expect(describeProgram([layer.forward(randn([1, size]))]).nodesByOp).not.toHaveProperty(
      "threeTerm",
    );
  });
});

test("a frozen weight is computed once, and again when its numbers change", async () => {
  const layer = new RotateLayer(8);
  layer.parametrizations.weight.original.set(randn([8, 8], { generator }));
  const trained = layer.forward(randn([2, 8]));
  layer.requiresGrad(false);
  await evaluate(trained, layer.forward(randn([2, 8])));
  resetStats();
  await evaluate(layer.forward(randn([2, 8])));
  expect(runtimeStats().nodesByOp).not.toHaveProperty("squarings");
  const before = await layer.weight.toArray();
  layer.parametrizations.weight.original.set(randn([8, 8], { generator }));
  await evaluate(layer.forward(randn([2, 8])));
  expect(runtimeStats().nodesByOp).toHaveProperty("squarings");
  expect(await layer.weight.toArray()).not.toStrictEqual(before);
});

test("a weight that is learned is traced once a pass, and again when it was read or set", async () => {
  const layer = new RotateLayer(4);
  const { original } = layer.parametrizations.weight;
  const { weight } = layer;
  expect(layer.weight).toBe(weight);
  await weight.data();
  const again = layer.weight;
  expect(again).not.toBe(weight);
  expect(grad(again.select(0, 0).sum(), [original.value])[0].shape).toStrictEqual([4, 4]);
  original.set(original.value.mul(2));
  expect(layer.weight).not.toBe(again);
});

test("its state has torch's names, and goes into another layer", async () => {
  const layer = new RotateLayer(6, 2);
  layer.parametrizations.weight.original.set(randn([6, 2], { generator }));
  const state = layer.stateDict();
  const shapes = Object.entries(state).map(([name, { shape }]) => [name, shape]);
  expect(Object.fromEntries(shapes)).toStrictEqual({
    "parametrizations.weight.original": [6, 2],
    "parametrizations.weight.0.base": [6, 6],
  });
  const other = new RotateLayer(6, 2);
  other.loadStateDict(state);
  expect(await other.weight.toArray()).toStrictEqual(await layer.weight.toArray());
  const { base } = await orthogonalState(layer.weight.detach());
  expect(base.shape).toStrictEqual([6, 6]);
});

test.each([
  [4, 5],
  [4, 0],
  [4, 1.5],
])("a rank that does not fit is refused: %i, %d", (size, rank) => {
  expect(() => new RotateLayer(size, rank)).toThrow(
    `RotateLayer: the rank must be a whole number from 1 to ${size}, got ${rank}`,
  );
});
