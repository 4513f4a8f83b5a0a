/** ONNX Runtime for browsers; the `#ort` entry of package.json picks this file or `ort-node.ts`. */
// The build without WebGPU: half as large, and several runs may be under way at a time.
export { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";

/** What reports call this engine. */
export const BACKEND_NAME = "onnxruntime-web";

/** Bytes of weights that compiled programs may hold, unless configured; a page's memory is short. */
export const WEIGHT_BYTES: number = 0;
