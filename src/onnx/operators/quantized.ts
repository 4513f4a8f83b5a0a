import { broadcastShapes, type Shape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { float, int, ints, text } from "../attributes.ts";
import { type Call, type Looks, operator, type Operator, type Operators } from "../operator.ts";
import { windows } from "./windows.ts";
import { dtypeOf } from "./elementwise.ts";

/** The shape of a product of matrices. */
function productShape(a: Shape, b: Shape): Shape {
  const batch = broadcastShapes("OnnxModel", a.slice(0, -2), b.slice(0, -2));
  return [...batch, ...a.slice(-2, -1), ...b.slice(-1)];
}

/** A scale or zero point, to be used along the axis that it has one number for each place of. */
function along(x: Tensor, t: Tensor, axis: number, block: number): Tensor {
  if (t.numel === 1) return t.reshape([]);
  if (block > 0) return t.repeatInterleave(block, axis).slice(axis, 0, x.size(axis));
  return t.reshape(x.shape.map((_, d) => (d === axis ? -1 : 1)));
}

function dequantized(call: Call, axis: number, block: number): Tensor {
  const [x, scale] = [call.tensor(0), call.tensor(1)];
  const zero = call.optional(2);
  const dim = x.ndim === 0 ? 0 : call.dim(axis, x.ndim);
  const numbers = x.to(scale.dtype);
  const shifted =
    zero === undefined ? numbers : numbers.sub(along(x, zero, dim, block).to(scale.dtype));
  return shifted.mul(along(x, scale, dim, block));
}

/** An operator of whole numbers, which ONNX Runtime computes: there is nothing to differentiate. */
function native(looks: (call: Call) => readonly Looks[], kinds: Operator["kinds"] = {}): Operator {
  return operator(kinds, (call) => call.native(...looks(call)));
}

/** The looks of a convolution, whose weights stand at another place among the inputs. */
function convolution(
  call: Call,
  [x, w]: readonly [number, number],
  dtype: Looks["dtype"],
): Looks[] {
  const plain = call.with([0, 1].map((i) => shellOf(call, i === 0 ? x : w)));
  const result = windows["Conv"]?.translate(plain);
  const shape = result !== undefined && "shape" in result ? result.shape : [];
  return [{ shape, dtype }];
}

function shellOf(call: Call, i: number): Tensor {
  return call.tensor(i).to("float32");
}

const WINDOW = {
  auto_pad: text("NOTSET"),
  dilations: ints(),
  group: int(1),
  kernel_shape: ints(),
  pads: ints(),
  strides: ints(),
};

const like = (call: Call, i: number): Looks["dtype"] => call.inputs[i]?.dtype ?? "uint8";
const product = (call: Call, a: number, b: number): Shape =>
  productShape(call.value(a).shape, call.value(b).shape);

/** Operators of quantised numbers. */
export const quantized: Operators = {
  DequantizeLinear: operator(
    { axis: int(1), block_size: int(0), output_dtype: int(0) },
    (call, { axis, block_size: block }) => dequantized(call, axis, block),
  ),
  QuantizeLinear: operator(
    { axis: int(1), block_size: int(0), output_dtype: int(0), precision: int(0), saturate: int(1) },
    (call, { output_dtype: code }) => {
      const dtype = code === 0 ? like(call, 2) : dtypeOf(call, code);
      return call.native({ shape: call.value(0).shape, dtype });
    },
  ),
  DynamicQuantizeLinear: native((call) => [
    { shape: call.value(0).shape, dtype: "uint8" },
    { shape: [], dtype: "float32" },
    { shape: [], dtype: "uint8" },
  ]),
  MatMulInteger: native((call) => [{ shape: product(call, 0, 1), dtype: "int32" }]),
  QLinearMatMul: native((call) => [{ shape: product(call, 0, 3), dtype: like(call, 7) }]),
  ConvInteger: native((call) => convolution(call, [0, 1], "int32"), WINDOW),
  QLinearConv: native((call) => convolution(call, [0, 3], like(call, 7)), WINDOW),
};

const sum = native((call) => [
  {
    shape: broadcastShapes("OnnxModel", call.value(0).shape, call.value(3).shape),
    dtype: like(call, 0),
  },
]);
const same = (kinds: Operator["kinds"] = {}): Operator =>
  native((call) => [{ shape: call.value(0).shape, dtype: like(call, 0) }], kinds);

/** Those of ONNX Runtime's own. */
export const microsoftQuantized: Operators = {
  DequantizeLinear: quantized["DequantizeLinear"] as Operator,
  QuantizeLinear: quantized["QuantizeLinear"] as Operator,
  DynamicQuantizeMatMul: native((call) => [{ shape: product(call, 0, 1), dtype: "float32" }]),
  MatMulIntegerToFloat: native((call) => [{ shape: product(call, 0, 1), dtype: like(call, 2) }]),
  QLinearAdd: sum,
  QLinearMul: sum,
  QLinearSigmoid: same(),
  QLinearLeakyRelu: same({ alpha: float(0.01) }),
  QLinearSoftmax: same({ axis: int(-1), opset: int(13) }),
  QLinearGlobalAveragePool: native(
    (call) => {
      const { shape } = call.value(0);
      return [{ shape: shape.map((n, d) => (d < 2 ? n : 1)), dtype: like(call, 0) }];
    },
    { channels_last: int(0) },
  ),
  QGemm: native(
    (call) => {
      const turn = (i: number, name: string): Shape => {
        const { shape } = call.value(i);
        const a = call.node.attributes.get(name);
        return a !== undefined && "int" in a && a.int !== 0 ? [...shape].reverse() : shape;
      };
      const dtype = call.has(8) ? like(call, 8) : "float32";
      return [{ shape: productShape(turn(0, "transA"), turn(3, "transB")), dtype }];
    },
    { alpha: float(1), transA: int(0), transB: int(0) },
  ),
  MatMulNBits: operator(
    { K: int(0), N: int(0), accuracy_level: int(0), bits: int(4), block_size: int(32) },
    (call, { N: width }) => {
      const a = call.value(0);
      return call.native({ shape: [...a.shape.slice(0, -1), width], dtype: a.dtype });
    },
  ),
  GatherBlockQuantized: operator(
    { bits: int(4), block_size: int(128), gather_axis: int(0), quantize_axis: int(1) },
    (call, { gather_axis: axis, bits }) => {
      const [data, index, scales] = [call.value(0), call.value(1), call.value(2)];
      const packs = data.dtype === "uint8" && data.shape.length > 1 && bits < 8;
      const shape = data.shape.map((n, d) =>
        packs && d === data.shape.length - 1 ? (n * 8) / bits : n,
      );
      const result = [...shape.slice(0, axis), ...index.shape, ...shape.slice(axis + 1)];
      return call.native({ shape: result, dtype: scales.dtype });
    },
  ),
};
