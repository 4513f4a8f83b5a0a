import * as F from "../../nn/functional/index.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float, int } from "../attributes.ts";
import { type Call, looksOf, operator, type Operators } from "../operator.ts";
import type { Value } from "../values.ts";
import { microsoftQuantized } from "./quantized.ts";

const tanhGelu = (x: Tensor): Tensor => F.gelu(x, { approximate: "tanh" });

function biased(call: Call): Tensor {
  const bias = call.optional(1);
  return bias === undefined ? call.tensor(0) : call.tensor(0).add(bias);
}

/** x + skip (+ bias), which is the fourth output as well. */
function skipped(call: Call, biasAt: number, norm: (sum: Tensor) => Tensor): (Value | undefined)[] {
  const bias = call.optional(biasAt);
  const plain = call.tensor(0).add(call.tensor(1));
  const sum = bias === undefined ? plain : plain.add(bias);
  if (call.node.outputs.slice(1, 3).some((name) => name !== "")) {
    call.fail("gives its means, which are for training");
  }
  return [norm(sum), undefined, undefined, sum];
}

const lastOf = (x: Tensor): number[] => [x.size(-1)];

function fusedProduct(
  call: Call,
  a: { alpha: number; transA: number; transB: number; transBatchA: number; transBatchB: number },
): Tensor {
  if (a.transBatchA !== 0 || a.transBatchB !== 0) {
    call.fail("turns batches round, which is not known");
  }
  const [x, y] = [call.tensor(0), call.tensor(1)];
  const product = (a.transA === 0 ? x : x.transpose(-1, -2)).matmul(
    a.transB === 0 ? y : y.transpose(-1, -2),
  );
  return a.alpha === 1 ? product : product.mul(a.alpha);
}

/** Rows of the last dimension as heads: [batch, heads, sequence, size]. */
function heads(x: Tensor, count: number): Tensor {
  if (x.ndim === 4) return x;
  return x.reshape([x.size(0), x.size(1), count, x.size(2) / count]).transpose(1, 2);
}

/** Attention over projected inputs, without a past; what else there is, ONNX Runtime computes. */
function attended(call: Call, count: number, scale: number | undefined): readonly Value[] {
  const [q, k, v] = [call.tensor(0), call.optional(1), call.optional(2)];
  const isPlain =
    k !== undefined && v !== undefined && call.inputs.slice(3).every((i) => i === undefined);
  if (!isPlain || call.outputs > 1 || q.ndim !== 3) return computedAttention(call, count);
  const [query, key, value] = [heads(q, count), heads(k, count), heads(v, count)];
  const factor = scale === undefined || scale === 0 ? 1 / Math.sqrt(query.size(-1)) : scale;
  const weights = query.matmul(key.transpose(2, 3)).mul(factor).softmax(-1);
  const mixed = weights.matmul(value).transpose(1, 2);
  return [mixed.reshape([q.size(0), q.size(1), v.size(-1)])];
}

function computedAttention(call: Call, count: number): Value[] {
  const q = call.value(0);
  const { dtype } = q;
  const [batch = 0, sequence = 0, width = 0] = q.shape;
  const [k, v, past] = [call.inputs[1], call.inputs[2], call.inputs[6]];
  if (q.shape.length !== 3 || v === undefined || k === undefined) {
    return call.fail("packs its inputs, which is not known");
  }
  const valueWidth = v.shape.length === 4 ? (v.shape[3] ?? 0) * count : (v.shape[2] ?? 0);
  const keys = (k.shape.length === 4 ? k.shape[2] : k.shape[1]) ?? 0;
  const total = keys + (past?.shape[2] ?? 0);
  const cache = (size: number) => ({ shape: [batch, count, total, size / count], dtype });
  const all = [{ shape: [batch, sequence, valueWidth], dtype }, cache(width), cache(valueWidth)];
  return call.native(...all.slice(0, call.outputs));
}

function groupedAttention(call: Call, kvHeads: number, count: number): Value[] {
  const [q, k, past] = [call.value(0), call.inputs[1], call.inputs[3]];
  const { dtype } = q;
  const [batch = 0, sequence = 0, width = 0] = q.shape;
  const packed = k === undefined;
  const size = packed ? width / (count + 2 * kvHeads) : width / count;
  const total = Math.max((past?.shape[2] ?? 0) + sequence, 0);
  const cache = { shape: [batch, kvHeads, total, size], dtype };
  return call.native({ shape: [batch, sequence, size * count], dtype }, cache, cache);
}

const simplified = (x: Tensor, weight: Tensor, eps: number): Tensor =>
  F.rmsNorm(x, lastOf(x), { weight, eps });

/** ONNX Runtime's own operators, which optimised files and those of transformers.js have. */
export const microsoft: Operators = {
  ...microsoftQuantized,
  Gelu: operator({}, (call) => F.gelu(call.tensor(0))),
  QuickGelu: operator({ alpha: float(1.702) }, (call, { alpha }) => {
    const x = call.tensor(0);
    return x.mul(x.mul(alpha).sigmoid());
  }),
  FastGelu: operator({}, (call) => tanhGelu(biased(call))),
  BiasGelu: operator({}, (call) => F.gelu(biased(call))),
  FusedMatMul: operator(
    { alpha: float(1), transA: int(0), transB: int(0), transBatchA: int(0), transBatchB: int(0) },
    fusedProduct,
  ),
  SkipLayerNormalization: operator({ epsilon: float(1e-12) }, (call, { epsilon }) =>
    skipped(call, 4, (x) =>
      F.layerNorm(x, lastOf(x), { weight: call.tensor(2), bias: call.optional(3), eps: epsilon }),
    ),
  ),
  SkipSimplifiedLayerNormalization: operator({ epsilon: float(1e-12) }, (call, { epsilon }) =>
    skipped(call, 3, (x) => simplified(x, call.tensor(2), epsilon)),
  ),
  MultiHeadAttention: operator(
    {
      num_heads: int(1),
      mask_filter_value: float(-10_000),
      scale: float(undefined),
      unidirectional: int(0),
    },
    (call, { num_heads: count, scale, unidirectional }) =>
      unidirectional === 0 ? attended(call, count, scale) : computedAttention(call, count),
  ),
  GroupQueryAttention: operator(
    {
      num_heads: int(1),
      kv_num_heads: int(1),
      scale: float(undefined),
      softcap: float(0),
      do_rotary: int(0),
      rotary_interleaved: int(0),
      local_window_size: int(-1),
      smooth_softmax: int(0),
      qk_output: int(0),
    },
    (call, { num_heads: count, kv_num_heads: kvHeads }) => groupedAttention(call, kvHeads, count),
  ),
  RotaryEmbedding: operator(
    {
      interleaved: int(0),
      is_packed_batching: int(0),
      num_heads: int(0),
      rotary_embedding_dim: int(0),
      scale: float(1),
    },
    (call) => call.native(looksOf(call.value(0))),
  ),
  Attention: operator(
    {
      num_heads: int(1),
      do_rotary: int(0),
      mask_filter_value: float(-10_000),
      past_present_share_buffer: int(0),
      rotary_embedding_dim: int(0),
      scale: float(undefined),
      unidirectional: int(0),
    },
    (call) => {
      const [x, w] = [call.value(0), call.value(1)];
      if (call.outputs > 1) return call.fail("hands on its keys and values, which is not known");
      return call.native({
        shape: [...x.shape.slice(0, 2), (w.shape[1] ?? 0) / 3],
        dtype: x.dtype,
      });
    },
  ),
};

/** Operators that files name as ONNX's own, though they are ONNX Runtime's. */
export const adopted: Operators = {
  SimplifiedLayerNormalization: operator(
    { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
    (call, { epsilon }) => simplified(call.tensor(0), call.tensor(1), epsilon),
  ),
};
