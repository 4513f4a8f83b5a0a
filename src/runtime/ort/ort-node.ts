/** ONNX Runtime for Node; the `#ort` entry of package.json picks this file or `ort-web.ts`. */
// Modules are evaluated in the order of their imports, and this one must come first.
import "./no-telemetry.ts";
import { env, InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node";
import { fail } from "../../base/errors.ts";
import type { Engine } from "./engine.ts";

// What goes wrong is thrown; ONNX Runtime need not print it too.
env.logLevel = "fatal";

export { env, InferenceSession, Tensor };

/** ONNX Runtime as a native library. */
export const ENGINE: Engine = {
  name: "onnxruntime-node",
  weightBytes: 2 ** 30,
  providers: () => listSupportedBackends().map(({ name }) => name),
  hasThreadsPerSession: true,
  devices: ["cpu", "webgpu", "cuda", "tensorrt"],
  runsFollow: false,
  load: async () => ({ InferenceSession, Tensor }),
  // Programs give way by themselves here: each is run when the event loop comes to it.
  takeTurns: async () => undefined,
  configure: ({ wasmPaths, numThreads }) => {
    if (wasmPaths !== undefined) {
      fail("configureRuntime", "wasmPaths is for pages: in Node the engine is a native library");
    }
    if (numThreads === undefined) return;
    fail(
      "configureRuntime",
      "numThreads is for pages, where the engine has one pool; in Node: threads",
    );
  },
};
