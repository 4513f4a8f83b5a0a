/** ONNX Runtime for Node; the `#ort` entry of package.json picks this file or `ort-web.ts`. */
// Modules are evaluated in the order of their imports, and this one must come first.
import "./no-telemetry.ts";
export { env, InferenceSession, Tensor } from "onnxruntime-node";

/** What reports call this engine. */
export const BACKEND_NAME = "onnxruntime-node";

/** Bytes of weights that compiled programs may hold, unless configured. */
export const WEIGHT_BYTES: number = 2 ** 30;

/** Programs give way by themselves here: each is run when the event loop comes to it. */
export async function takeTurns(): Promise<void> {}
