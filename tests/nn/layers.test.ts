import { readFileSync } from "node:fs";
import {
  BatchNorm1d, Bilinear, EmbeddingBag, functional as F, CELU, ELU, evaluate, GELU, GLU, grad, GRU, GRUCell, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyReLU,
  loadSafetensors, LogSigmoid, LogSoftmax, LSTM, LSTMCell, Mish, Module, MultiheadAttention, Parameter, PReLU, ReLU, ReLU6,
  RNN, RNNCell, SELU, Sigmoid, SiLU, Softmax, Softmin, Softplus, Softshrink, Softsign, Tanh, Tanhshrink, Tensor, tensor,
  Threshold, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer,
} from "tsvene"; // prettier-ignore
import { describe, expect, test } from "vitest";

const FOLDER = new URL("../goldens/layers/", import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL("layers.json", FOLDER), "utf8")) as {
  cases: Record<string, { torch: string; outputs: number }>;
};
const recorded = await loadSafetensors(
  new Uint8Array(readFileSync(new URL("layers.safetensors", FOLDER))),
);

function golden(name: string): Tensor {
  const found = recorded.get(name);
  if (found === undefined) throw new Error(`no golden ${name}`);
  return found;
}

/** Tensors under a prefix, by the rest of their names, in the order in which they were recorded. */
function goldens(prefix: string): Record<string, Tensor> {
  const found = [...recorded].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** Inputs of a call, by the names that they were recorded under. */
type Inputs = Readonly<Record<string, Tensor>> & { readonly x: Tensor };

interface Case<M extends Module = Module> {
  readonly layer: M;
  readonly call: (inputs: Inputs) => unknown;
}

function layer<M extends Module>(layer: M, call: (layer: M, inputs: Inputs) => unknown): Case<M> {
  return { layer, call: (inputs) => call(layer, inputs) };
}

/** A layer of one input. */
function map(module: Module & { forward(x: Tensor): unknown }): Case {
  return layer(module, (m, { x }) => m.forward(x));
}

function part(inputs: Inputs, name: string): Tensor {
  return inputs[name] ?? golden(name);
}

const [D, H] = [3, 4];
const both = { numLayers: 2, bidirectional: true };
const [E, N] = [8, 2];
const bools = (rows: number[][]): Tensor => tensor(rows).to("bool");
const keyPaddingMask = bools([[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]]); // prettier-ignore
const masks = { isCausal: true, keyPaddingMask };
const width = { dimFeedforward: 12, dropout: 0 };

const recurrent: Record<string, Case> = {
  rnn: map(new RNN(D, H)),
  rnn_relu: map(new RNN(D, H, { ...both, nonlinearity: "relu" })),
  gru: map(new GRU(D, H)),
  gru_stacked: layer(new GRU(D, H, both), (m, { x, h }) => m.forward(x, { state: h })),
  gru_steps_first: map(new GRU(D, H, { bias: false, batchFirst: false })),
  gru_packed: layer(new GRU(D, H, both), (m, { x, h }) =>
    m.forward(x, { state: h, lengths: [2, 4, 1] }),
  ),
  lstm: map(new LSTM(D, H)),
  lstm_stacked: layer(new LSTM(D, H, both), (m, i) =>
    m.forward(i.x, { state: [part(i, "h"), part(i, "c")] }),
  ),
  lstm_projected: map(new LSTM(D, H, { ...both, projSize: 2 })),
  lstm_packed: layer(new LSTM(D, H, { ...both, projSize: 2 }), (m, i) => {
    const lengths = tensor([4, 1, 3], { dtype: "int64" });
    return m.forward(i.x, { state: [part(i, "h"), part(i, "c")], lengths });
  }),
  rnn_cell: layer(new RNNCell(D, H), (m, { x, h }) => m.forward(x, h)),
  gru_cell: layer(new GRUCell(D, H), (m, { x, h }) => m.forward(x, h)),
  gru_cell_no_bias: map(new GRUCell(D, H, { bias: false })),
  lstm_cell: layer(new LSTMCell(D, H), (m, i) => m.forward(i.x, [part(i, "h"), part(i, "c")])),
};

const attention: Record<string, Case> = {
  attention: map(new MultiheadAttention(E, N)),
  attention_causal: layer(new MultiheadAttention(E, N), (m, { x }) =>
    m.forward(x, x, x, { isCausal: true }),
  ),
  attention_padded: layer(new MultiheadAttention(E, N), (m, { x }) => m.forward(x, x, x, masks)),
  attention_added: layer(new MultiheadAttention(E, N, { bias: false }), (m, { x }) =>
    m.forward(x, x, x, { attnMask: golden("attention_added.mask") }),
  ),
  attention_across: layer(new MultiheadAttention(E, N), (m, { x, key, value }) =>
    m.forward(x, key, value),
  ),
  attention_widths: layer(
    new MultiheadAttention(E, N, { kDim: 5, vDim: 3 }),
    (m, { x, key, value }) => m.forward(x, key, value),
  ),
  attention_positions_first: map(new MultiheadAttention(E, N, { batchFirst: false })),
  encoder_layer: map(new TransformerEncoderLayer(E, N, width)),
  encoder_layer_norm_first: layer(
    new TransformerEncoderLayer(E, N, { ...width, normFirst: true, activation: "gelu" }),
    (m, { x }) => m.forward(x, masks),
  ),
  encoder_layer_plain: map(
    new TransformerEncoderLayer(E, N, { ...width, bias: false, layerNormEps: 0.1 }),
  ),
  encoder: layer(
    new TransformerEncoder(E, N, 2, { ...width, normFirst: true, norm: true }),
    (m, { x }) => m.forward(x, masks),
  ),
};

const decodeMasks = { isCausal: true, memory: { keyPaddingMask } };
type Decoder = TransformerDecoder | TransformerDecoderLayer;
const decoder = (module: Decoder): Case =>
  layer(module, (m, i) => m.forward(i.x, part(i, "memory"), decodeMasks));

const decoders: Record<string, Case> = {
  decoder_layer: decoder(new TransformerDecoderLayer(E, N, width)),
  decoder_layer_norm_first: decoder(
    new TransformerDecoderLayer(E, N, { ...width, normFirst: true }),
  ),
  decoder: decoder(new TransformerDecoder(E, N, 2, { ...width, norm: true })),
};

const activations: Record<string, Case> = {
  CELU: map(new CELU()),
  CELU_set: map(new CELU({ alpha: 2 })),
  ELU: map(new ELU()),
  ELU_set: map(new ELU({ alpha: 0.5 })),
  GELU: map(new GELU()),
  GELU_set: map(new GELU({ approximate: "tanh" })),
  GLU: map(new GLU()),
  Hardshrink: map(new Hardshrink()),
  Hardshrink_set: map(new Hardshrink({ lambda: 1 })),
  Hardsigmoid: map(new Hardsigmoid()),
  Hardswish: map(new Hardswish()),
  Hardtanh: map(new Hardtanh()),
  Hardtanh_set: map(new Hardtanh({ min: -2, max: 0.75 })),
  LeakyReLU: map(new LeakyReLU()),
  LeakyReLU_set: map(new LeakyReLU({ negativeSlope: 0.2 })),
  LogSigmoid: map(new LogSigmoid()),
  LogSoftmax: map(new LogSoftmax()),
  LogSoftmax_set: map(new LogSoftmax(0)),
  Mish: map(new Mish()),
  PReLU: map(new PReLU()),
  PReLU_set: map(new PReLU({ count: 4 })),
  ReLU: map(new ReLU()),
  ReLU6: map(new ReLU6()),
  SELU: map(new SELU()),
  SiLU: map(new SiLU()),
  Sigmoid: map(new Sigmoid()),
  Softmax: map(new Softmax()),
  Softmax_set: map(new Softmax(0)),
  Softmin: map(new Softmin()),
  Softplus: map(new Softplus()),
  Softplus_set: map(new Softplus({ beta: 2, threshold: 5 })),
  Softshrink: map(new Softshrink()),
  Softshrink_set: map(new Softshrink({ lambda: 1 })),
  Softsign: map(new Softsign()),
  Tanh: map(new Tanh()),
  Tanhshrink: map(new Tanhshrink()),
  Threshold: map(new Threshold(0.1, 20)),
};

const signed = tensor([1, -1, -1, 1]);
const signs = signed.unsqueeze(1).expand([4, 3]);

/** A module without parameters, for what is a function here. */
class None extends Module {
  override forward(): never {
    throw new Error("a function has no module");
  }
}

function loss(compute: (inputs: Inputs) => Tensor): Case {
  return { layer: new None(), call: compute };
}

function norm(module: BatchNorm1d): Case {
  return layer(module, (m, { x }) => [m.forward(x), m.running_mean.value, m.running_var.value]);
}

const others: Record<string, Case> = {
  bilinear: layer(new Bilinear(3, 5, 2), (m, i) => m.forward(i.x, part(i, "y"))),
  bag_mean: map(new EmbeddingBag(6, 4)),
  bag_sum: layer(new EmbeddingBag(6, 4, { mode: "sum" }), (m, { x, weights }) =>
    m.forward(x, weights),
  ),
  bag_padded: map(new EmbeddingBag(6, 4, { paddingIdx: 0 })),
  bag_max: map(new EmbeddingBag(6, 4, { mode: "max", paddingIdx: 0 })),
  batch_norm: norm(new BatchNorm1d(4)),
  batch_norm_lengths: norm(new BatchNorm1d(4, { momentum: 0.3, eps: 0.01 })),
  batch_norm_eval: norm(new BatchNorm1d(4).eval()),
  hinge_embedding: loss(({ x }) =>
    F.hingeEmbeddingLoss(x, signs, { margin: 0.5, reduction: "none" }),
  ),
  margin_ranking: loss((i) => F.marginRankingLoss(i.x, part(i, "y"), signs, { margin: 0.2 })),
  cosine_embedding: loss((i) =>
    F.cosineEmbeddingLoss(i.x, part(i, "y"), signed, { margin: 0.1, reduction: "none" }),
  ),
  triplet: loss((i) => F.tripletMarginLoss(i.x, part(i, "y"), part(i, "z"), { reduction: "sum" })),
  soft_margin: loss(({ x }) => F.softMarginLoss(x, signs, { reduction: "none" })),
  multi_margin: loss(({ x }) => {
    const target = tensor([0, 2, 1, 1], { dtype: "int64" });
    return F.multiMarginLoss(x, target, { margin: 0.7, reduction: "none" });
  }),
};

const LAYERS = { ...recurrent, ...attention, ...decoders, ...activations, ...others };

function tensorsIn(value: unknown): Tensor[] {
  return value instanceof Tensor ? [value] : (value as unknown[]).flatMap(tensorsIn);
}

/** cos(0), cos(1), ...: what outputs are weighed with. */
function wave({ shape, numel }: Tensor): Tensor {
  return tensor(Array.from({ length: numel }, (_, i) => Math.cos(i))).reshape(shape);
}

async function expectClose(name: string, actual: Tensor, wanted: Tensor): Promise<void> {
  expect(actual.shape, name).toEqual(wanted.shape);
  const bound = wanted.abs().amax().mul(2e-6).add(2e-6);
  const [off, limit] = [actual.sub(wanted).abs().amax(), bound];
  await evaluate(off, limit);
  expect(await off.item(), name).toBeLessThan(await limit.item());
}

test("there is a layer for each one recorded", () => {
  expect(Object.keys(LAYERS).sort()).toEqual(Object.keys(cases).sort());
});

describe.each(Object.entries(LAYERS))("%s", (name, { layer, call }) => {
  const state = goldens(`${name}.state.`);
  const given = goldens(`${name}.input.`);
  const inputs = Object.fromEntries(
    Object.entries(given).map(([n, x]) => [n, x.dtype === "float32" ? new Parameter(x).value : x]),
  ) as Inputs;

  test("has PyTorch's parameters, and gives its outputs and gradients", async () => {
    layer.loadStateDict(state);
    expect(Object.keys(layer.stateDict()).sort()).toEqual(Object.keys(state).sort());
    const outputs = tensorsIn(call(inputs));
    expect(outputs).toHaveLength(cases[name]?.outputs ?? -1);
    const loss = outputs.map((y) => y.mul(wave(y)).sum()).reduce((a, b) => a.add(b));
    const parameters = [...layer.namedParameters()];
    const floats = Object.entries(inputs).filter(([, { dtype }]) => dtype === "float32");
    const wanted = [
      ...outputs.map((_, i) => golden(`${name}.output.${i}`)),
      ...floats.map(([n]) => golden(`${name}.input_grad.${n}`)),
      ...parameters.map(([n]) => golden(`${name}.grad.${n}`)),
    ];
    const values = [...floats.map(([, x]) => x), ...parameters.map(([, p]) => p.value)];
    const actual = [...outputs, ...grad(loss, values)];
    await evaluate(...actual);
    for (const [i, value] of actual.entries()) await expectClose(`${name} ${i}`, value, wanted[i] ?? value); // prettier-ignore
  });
});
