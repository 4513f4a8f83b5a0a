import type * as ort from "onnxruntime-node";
import { shown } from "../../base/describe-value.ts";
import { fail } from "../../base/errors.ts";
import type { Device } from "../../tensor/device.ts";
import type { EngineOptions } from "../backend.ts";

/** Where the engine's own files lie, and how many threads it has: fixed once it has started. */
export type StartOptions = Pick<EngineOptions, "wasmPaths" | "numThreads">;

/** What is used of ONNX Runtime. */
export type Ort = Pick<typeof ort, "InferenceSession" | "Tensor">;

/** ONNX Runtime as it is on one kind of host; `ort-node.ts` and `ort-web.ts` have one each. */
export interface Engine {
  /** What reports call it. */
  readonly name: string;
  /** Bytes of weights that compiled programs may hold, unless configured. */
  readonly weightBytes: number;
  /** Names of the execution providers that are in it. */
  readonly providers: () => readonly string[];
  /** Whether each session has threads of its own number; else all share those of the engine. */
  readonly hasThreadsPerSession: boolean;
  /** Devices that such a host can have, the processor first. */
  readonly devices: readonly Device[];
  /** Whether runs on a device must follow one another: its build waits for it in the middle of one. */
  readonly runsFollow: boolean;
  /** Loads the script that knows a device; a page has it in a file of its own. */
  readonly load: (device: Device) => Promise<Ort>;
  /** Lets messages through between two programs, where it computes on the thread that asks. */
  readonly takeTurns: () => Promise<void>;
  /** Takes what it is started with. @throws TsveneError for what it cannot do. */
  readonly configure: (options: StartOptions) => void;
}

/** @throws TsveneError for execution providers that are not in the engine. */
export function checkProviders(engine: Engine, wanted: unknown): void {
  const known = engine.providers();
  const list = known.map((name) => shown(name)).join(", ");
  if (!Array.isArray(wanted) || wanted.length === 0) {
    fail(
      "configureRuntime",
      `executionProviders is a list of names, best first, of ${list}; got ${shown(wanted)}`,
    );
  }
  for (const name of wanted as unknown[]) {
    if (known.some((provider) => provider === name)) continue;
    fail(
      "configureRuntime",
      `${engine.name} has the executionProviders ${list}, not ${shown(name)}`,
    );
  }
}
