/** ONNX Runtime for Node; the `#ort` entry of package.json picks this file or `ort-web.ts`. */
export { env, InferenceSession, Tensor } from "onnxruntime-node";
