/** ONNX Runtime for browsers; the `#ort` entry of package.json picks this file or `ort-node.ts`. */
import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { WasmPaths } from "../backend.ts";
import type { Engine, Ort } from "./engine.ts";

/** What the engine is started with. */
const settings: { numThreads?: number; wasmPaths?: string | Record<string, string> } = {};

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
async function takeTurns(): Promise<void> {
  if (performance.now() - begun < TURN) return;
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    turns.port2.postMessage(undefined);
  });
  begun = performance.now();
}

/** An address, seen from the page where it is relative: the engine's script may lie elsewhere. */
function addressOf(place: unknown): string {
  const page = globalThis.location?.href;
  if (place instanceof URL) return place.href;
  if (typeof place === "string" && place !== "" && URL.canParse(place, page)) {
    return new URL(place, page).href;
  }
  return fail("configureRuntime", `wasmPaths: ${shown(place)} is no address of a folder or file`);
}

const FILES: ReadonlySet<string> = new Set(["wasm", "mjs"]);

function pathsOf(paths: WasmPaths): string | Record<string, string> {
  if (typeof paths === "string" || paths instanceof URL) {
    return addressOf(paths).replace(/\/*$/, "/");
  }
  const given = Object.entries(paths).filter(([, place]) => place !== undefined);
  if (given.length > 0 && given.every(([name]) => FILES.has(name))) {
    return Object.fromEntries(given.map(([name, place]) => [name, addressOf(place)]));
  }
  return fail("configureRuntime", `wasmPaths is a folder, or { wasm, mjs }; got ${shown(paths)}`);
}

function checkThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    fail("configureRuntime", `numThreads must be an integer of 1 or more, got ${String(count)}`);
  }
  if (count === 1 || globalThis.crossOriginIsolated) return;
  fail(
    "configureRuntime",
    `numThreads: ${count} threads need a page that is isolated from other origins, as memory is shared; ` +
      "serve it with the headers Cross-Origin-Opener-Policy: same-origin and " +
      "Cross-Origin-Embedder-Policy: require-corp, or leave numThreads out",
  );
}

/** The build with WebGPU, which is fetched when it is first asked for. */
async function loadWithWebGpu(): Promise<Ort> {
  const ort = await import("onnxruntime-web/webgpu");
  const { wasmPaths, numThreads } = settings;
  // A folder holds the files of both builds; single files are those of the other one.
  if (typeof wasmPaths === "string") ort.env.wasm.wasmPaths = wasmPaths;
  if (numThreads !== undefined) ort.env.wasm.numThreads = numThreads;
  return ort;
}

/** ONNX Runtime as WebAssembly. */
export const ENGINE: Engine = {
  name: "onnxruntime-web",
  // A page's memory is short.
  weightBytes: 0,
  providers: () => ["wasm"],
  hasThreadsPerSession: false,
  devices: ["wasm", "cpu", "webgpu"],
  runsFollow: true,
  // The build without WebGPU: half as large, and several runs may be under way at a time. Loaded apart,
  // it is a script of its own in every bundle, which the workers of its threads run without the page's.
  load: async (device) => {
    if (device === "webgpu") return loadWithWebGpu();
    const ort = await import("onnxruntime-web/wasm");
    Object.assign(ort.env.wasm, settings);
    return ort;
  },
  takeTurns,
  configure: ({ wasmPaths, numThreads }) => {
    const paths = wasmPaths === undefined ? undefined : pathsOf(wasmPaths);
    if (numThreads !== undefined) {
      checkThreads(numThreads);
      settings.numThreads = numThreads;
    }
    if (paths !== undefined) settings.wasmPaths = paths;
  },
};
