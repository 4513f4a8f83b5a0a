/** ONNX Runtime for browsers; the `#ort` entry of package.json picks this file or `ort-node.ts`. */
// The build without WebGPU: half as large, and several runs may be under way at a time.
export { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";

/** What reports call this engine. */
export const BACKEND_NAME = "onnxruntime-web";

/** Bytes of weights that compiled programs may hold, unless configured; a page's memory is short. */
export const WEIGHT_BYTES: number = 0;

/** Milliseconds for which programs may run before others have their turn. */
const TURN = 16;
const turns = new MessageChannel();
const waiting: (() => void)[] = [];
turns.port1.addEventListener("message", () => waiting.shift()?.());
turns.port1.start();
let begun = 0;

/**
 * Lets messages and paints through between two programs: the engine computes without giving way, so that
 * nobody could stop a call of many programs, or see a page move.
 */
export async function takeTurns(): Promise<void> {
  if (performance.now() - begun < TURN) return;
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    turns.port2.postMessage(undefined);
  });
  begun = performance.now();
}
