// Modules as in PyTorch: layers, functions, parameters, state dicts.
export { Buffer } from "./buffer.ts";
export { Activation } from "./layers/activation.ts";
export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  type PReLUOptions,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from "./layers/activations.ts";
export { BatchNorm1d, BatchNorm2d, type BatchNormLayerOptions } from "./layers/batch-norm.ts";
export { Bilinear } from "./layers/bilinear.ts";
export { Conv1D } from "./layers/conv1d.ts";
export { Conv1d, Conv2d, type ConvLayerOptions } from "./layers/convolution.ts";
export { Dropout } from "./layers/dropout.ts";
export { Embedding, type EmbeddingOptions } from "./layers/embedding.ts";
export { type BagMode, EmbeddingBag, type EmbeddingBagOptions } from "./layers/embedding-bag.ts";
export { Flatten } from "./layers/flatten.ts";
export { GroupNorm, type GroupNormOptions } from "./layers/group-norm.ts";
export { Identity } from "./layers/identity.ts";
export { LayerNorm, type LayerNormOptions } from "./layers/layer-norm.ts";
export { Linear, type LinearOptions } from "./layers/linear.ts";
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from "./layers/pooling.ts";
export type { CellOptions } from "./layers/recurrent/cell-parameters.ts";
export { GRU, GRUCell, type RecurrentInputs } from "./layers/recurrent/gru.ts";
export {
  LSTM,
  LSTMCell,
  type LSTMInputs,
  type LSTMOptions,
  type LSTMState,
} from "./layers/recurrent/lstm.ts";
export type { RecurrentOptions } from "./layers/recurrent/recurrent-layer.ts";
export {
  type Nonlinearity as RNNNonlinearity,
  RNN,
  RNNCell,
  type RNNCellOptions,
  type RNNOptions,
} from "./layers/recurrent/rnn.ts";
export type { Lengths } from "./layers/recurrent/row-lengths.ts";
export { RMSNorm, type RMSNormOptions } from "./layers/rms-norm.ts";
export type { AttentionMasks } from "./layers/transformer/attention-masks.ts";
export type { TransformerLayerOptions } from "./layers/transformer/feed-forward.ts";
export {
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from "./layers/transformer/multihead-attention.ts";
export {
  type DecoderMasks,
  TransformerDecoder,
  TransformerDecoderLayer,
} from "./layers/transformer/transformer-decoder.ts";
export {
  TransformerEncoder,
  TransformerEncoderLayer,
} from "./layers/transformer/transformer-encoder.ts";
export type { TransformerEncoderOptions } from "./layers/transformer/transformer-stack.ts";
export { ModuleDict, ModuleList, Sequential } from "./module-list.ts";
export { type LoadOptions, Module } from "./module.ts";
export { EditScope, site, type SiteHandler, type SiteName, type Visit } from "./scope.ts";
export { initialized, withoutInit } from "./without-init.ts";
