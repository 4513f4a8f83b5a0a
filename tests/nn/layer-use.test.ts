import {
  BatchNorm1d,
  Bilinear,
  EmbeddingBag,
  evaluate,
  functional as F,
  GELU,
  grad,
  GRU,
  GRUCell,
  LeakyReLU,
  Linear,
  LSTM,
  type Module,
  ModuleDict,
  MultiheadAttention,
  ones,
  PReLU,
  randn,
  ReLU,
  resetStats,
  RNN,
  runtimeStats,
  Sequential,
  type Tensor,
  tensor,
  TransformerDecoder,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "tsvene";
import { describe, expect, test } from "vitest";

const x = ones([2, 5, 4]);

/** Largest size and standard deviation of a parameter's elements. */
async function spread(value: Tensor): Promise<{ most: number; std: number }> {
  const [most, std] = [value.abs().amax(), value.square().mean().sqrt()];
  await evaluate(most, std);
  return { most: await most.item(), std: await std.item() };
}

describe("parameters start as PyTorch's", () => {
  const uniform: readonly [name: string, module: Module, bound: number][] = [
    ["RNN", new RNN(40, 64), 1 / 8],
    ["GRU", new GRU(40, 64, { numLayers: 2, bidirectional: true }), 1 / 8],
    ["LSTM", new LSTM(40, 64, { projSize: 32 }), 1 / 8],
    ["GRUCell", new GRUCell(40, 64), 1 / 8],
    ["Bilinear", new Bilinear(25, 20, 30), 1 / 5],
  ];

  test.each(uniform)("%s: uniform within ±1/√width", async (_, module, bound) => {
    for (const [name, { value }] of module.namedParameters()) {
      const { most, std } = await spread(value);
      expect(most, name).toBeLessThanOrEqual(bound);
      expect(most, name).toBeGreaterThan(0.9 * bound);
      if (value.numel > 1000) expect(std / (bound / Math.sqrt(3)), name).toBeCloseTo(1, 1);
    }
  });

  test("MultiheadAttention: Xavier's, without biases, and a Linear's output projection", async () => {
    const attention = new MultiheadAttention(48, 4, { kDim: 16 });
    const bounds = { q_proj_weight: 96, k_proj_weight: 64, v_proj_weight: 96 };
    for (const [name, fans] of Object.entries(bounds)) {
      const { most } = await spread(attention.stateDict()[name] ?? x);
      expect(most / Math.sqrt(6 / fans), name).toBeCloseTo(1, 1);
      expect(most, name).toBeLessThanOrEqual(Math.sqrt(6 / fans));
    }
    expect((await spread(attention.out_proj.weight.value)).most).toBeLessThanOrEqual(48 ** -0.5);
    const biases = ["in_proj_bias", "out_proj.bias"].map(
      (name) => attention.stateDict()[name] ?? x,
    );
    for (const bias of biases) expect((await spread(bias)).most).toBe(0);
  });

  test("the layers of an encoder start with values of their own", async () => {
    const { layers } = new TransformerEncoder(8, 2, 2);
    const [one, two] = [...layers].map(({ linear1 }) => linear1.weight.value);
    expect(
      await one
        ?.sub(two ?? one)
        .abs()
        .sum()
        .item(),
    ).toBeGreaterThan(1);
  });
});

describe("training mode", () => {
  test("outputs are dropped between layers only", async () => {
    const gru = new GRU(4, 6, { numLayers: 2, dropout: 0.5 });
    const different = async (): Promise<number> => {
      const [a, b] = [gru.forward(x)[0], gru.forward(x)[0]];
      return a.sub(b).abs().sum().item();
    };
    expect(await different()).toBeGreaterThan(0);
    gru.eval();
    expect(await different()).toBe(0);
    const one = new GRU(4, 6, { dropout: 0.9 });
    expect(await one.forward(x)[0].sub(one.forward(x)[0]).abs().sum().item()).toBe(0);
  });
});

test("steps beyond a row's length are not read, in either direction", async () => {
  const gru = new GRU(4, 6, { numLayers: 2, bidirectional: true }).eval();
  const text = randn([2, 5, 4]);
  const [alone, state] = gru.forward(text.slice(1, 0, 3));
  const [whole, last] = gru.forward(text, { lengths: [3, 3] });
  expect(await whole.slice(1, 0, 3).sub(alone).abs().amax().item()).toBeLessThan(1e-6);
  expect(await whole.slice(1, 3).abs().amax().item()).toBe(0);
  expect(await last.sub(state).abs().amax().item()).toBeLessThan(1e-6);
});

test("a recurrence and its gradient are one program", async () => {
  const gru = new GRU(8, 16);
  const long = randn([4, 20, 8]);
  resetStats();
  const loss = gru.forward(long)[0].square().mean();
  await evaluate(
    loss,
    ...grad(
      loss,
      gru.parameters().map(({ value }) => value),
    ),
  );
  const { programsCompiled, runs } = runtimeStats();
  expect([programsCompiled, runs]).toEqual([1, 1]);
});

describe("what cannot be", () => {
  const wrong: readonly [name: string, run: () => unknown, message: RegExp][] = [
    ["width", () => new GRU(3, 6).forward(x), /GRU: forward takes \[batch, steps, 3\], got \[2, 5, 4\]/],
    ["one text", () => new GRU(4, 6).forward(x.select(0, 0)), /got \[5, 4\]; unsqueeze\(0\) one text/],
    ["no steps", () => new GRU(4, 6).forward(x.slice(1, 0, 0)), /the sequence is empty; give at least one step/],
    ["layers", () => new GRU(4, 6, { numLayers: 0 }), /numLayers must be 1 or more, got 0/],
    ["torch's option", () => new LSTM(4, 6, { batch_first: true } as object), /there is no option batch_first; did you mean batchFirst/],
    ["state", () => new GRU(4, 6).forward(x, { state: ones([2, 6]) }), /\[layers × directions, batch, width\], \[1, 2, 6\], got \[2, 6\]/],
    ["lengths", () => new GRU(4, 6).forward(x, { lengths: [5, 6] }), /a length must be 1 to 5, the steps there are; got 6/],
    ["count of lengths", () => new GRU(4, 6).forward(x, { lengths: [5] }), /one integer for each of 2 rows, got a list of 1/],
    ["nonlinearity", () => new RNN(4, 6, { nonlinearity: "sigmoid" as "tanh" }), /nonlinearity must be one of "tanh", "relu"; got "sigmoid"/],
    ["projSize", () => new LSTM(4, 6, { projSize: 6 }), /projSize 6 must be below hiddenSize 6/],
    ["cell", () => new GRUCell(4, 6).forward(ones([2, 3])), /forward takes an input \[batch, 4\], got \[2, 3\]/],
    ["cell's state", () => new GRUCell(4, 6).forward(ones([2, 4]), ones([2, 5])), /forward takes a state \[batch, 6\], got \[2, 5\]/],
    ["heads", () => new MultiheadAttention(10, 4), /embedDim 10 does not split into 4 heads of equal width/],
    ["query", () => new MultiheadAttention(8, 2).forward(x), /query must be \[batch, positions, 8\], got \[2, 5, 4\]/],
    ["keys without values", () => new MultiheadAttention(4, 2).forward(x, x.slice(1, 0, 3), x), /there must be a value for each key/],
    ["mask of 1 and 0", () => new TransformerEncoderLayer(4, 2).forward(x, { keyPaddingMask: ones([2, 5], { dtype: "int64" }) }), /got int64; of an attentionMask of 1 and 0, write mask.eq\(0\)/],
    ["mask's shape", () => new TransformerEncoderLayer(4, 2).forward(x, { attnMask: ones([5, 4]) }), /attnMask must be \[5, 5\] or \[4, 5, 5\], got \[5, 4\]/],
    ["activation", () => new TransformerDecoder(4, 2, 1, { activation: "silu" as "gelu" }), /activation must be "relu", "gelu" or a function of a tensor, got "silu"/],
    ["option of an activation", () => new LeakyReLU({ slope: 1 } as object), /there is no option slope; did you mean negativeSlope/],
    ["approximation", () => new GELU({ approximate: "erf" as "none" }).forward(x), /approximate must be one of "none", "tanh"; got "erf"/],
    ["slopes", () => new PReLU({ count: 3 }).forward(x), /must have 1 element or 5, one a channel/],
    ["bag", () => new EmbeddingBag(4, 2).forward(tensor([1], { dtype: "int64" })), /ids must be \[bags, size\], got \[1\]/],
    ["weights of a mean", () => new EmbeddingBag(4, 2).forward(tensor([[1]], { dtype: "int64" }), ones([1, 1])), /weights are for mode "sum", not "mean"/],
    ["mode", () => new EmbeddingBag(4, 2, { mode: "median" as "mean" }), /mode must be one of "sum", "mean", "max"; got "median"/],
    ["norm", () => new BatchNorm1d(4).forward(ones([4])), /expected \[batch, channels\] or \[batch, channels, length\], got \[4\]/],
    ["name with a dot", () => new ModuleDict({ "a.b": new ReLU() }), /a name must have a character and no dot, got "a.b"/],
    ["name", () => new ModuleDict({ left: new ReLU() }).get("lefft" as "left"), /there is no "lefft"; did you mean left/],
    ["pairs", () => F.marginRankingLoss(ones([2]), ones([3]), ones([2])), /x \[2\] and y \[3\] must have one shape/],
  ]; // prettier-ignore

  test.each(wrong)("%s", (_, run, message) => {
    expect(run).toThrow(message);
  });
});

test("a network of blocks prints as a tree, and its state goes by PyTorch's names", () => {
  const network = new Sequential(
    new Linear(4, 8),
    new LeakyReLU(),
    new GRU(8, 3, { numLayers: 2 }),
  );
  expect(String(network).split("\n").slice(0, 4)).toEqual([
    "Sequential(",
    "  (0): Linear(4, 8)",
    "  (1): LeakyReLU(negativeSlope=0.01)",
    "  (2): GRU(",
  ]);
  expect(Object.keys(network.stateDict()).slice(2)).toEqual(
    ["l0", "l1"].flatMap((layer) =>
      ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) => `2.${name}_${layer}`),
    ),
  );
  const named = new ModuleDict({ a: new Linear(1, 1), b: new ReLU() });
  expect(named.keys()).toEqual(["a", "b"]);
  expect(Object.keys(named.stateDict())).toEqual(["a.weight", "a.bias"]);
});
