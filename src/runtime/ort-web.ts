/** ONNX Runtime for browsers; the `#ort` entry of package.json picks this file or `ort-node.ts`. */
export { env, InferenceSession, Tensor } from "onnxruntime-web";
