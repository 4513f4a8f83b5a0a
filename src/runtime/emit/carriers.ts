import type { DType } from "../../tensor/dtype.ts";
import type { OnnxDType } from "../onnx/model.ts";

/**
 * The type that values of a dtype have in a program: ONNX Runtime's JavaScript interface has no
 * bfloat16, whose bits travel as whole numbers.
 */
export function carrierOf(dtype: DType): Exclude<OnnxDType, "bfloat16"> {
  return dtype === "bfloat16" ? "uint16" : dtype;
}

/**
 * The type that values of a dtype come and go as. Where JavaScript has a Float16Array, ONNX Runtime's
 * own tensors hold one, which its addon for Node cannot read; then these bits travel as numbers too.
 */
export function transportOf(dtype: DType): Exclude<OnnxDType, "bfloat16"> {
  const bits = dtype === "float16" && "Float16Array" in globalThis;
  return bits ? "uint16" : carrierOf(dtype);
}
