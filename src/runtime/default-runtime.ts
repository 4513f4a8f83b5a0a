import { ENGINE } from "#ort";
import { TensorError } from "../tensor/errors.ts";
import { checkDevice, type Device, provideDevices } from "../tensor/device.ts";
import { provideEvaluator } from "../tensor/evaluate.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { DEVICE_ROWS } from "./ort/device-rows.ts";
import { OrtBackend } from "./ort/ort-backend.ts";
import { Runtime, type RuntimeOptions } from "./runtime.ts";
import { type RuntimeStats, sumOfStats } from "./stats.ts";

/** Settings of the runtimes of all devices. */
export interface RuntimeSettings extends RuntimeOptions {
  /**
   * Where programs run that read nothing which lives on a device.
   * @default the processor
   */
  readonly device?: Device;
}

/** The runtime of the processor. */
export const defaultRuntime: Runtime = new Runtime(new OrtBackend());

const [processor = "cpu"] = ENGINE.devices;
const runtimes = new Map<Device, Runtime>([
  ["cpu", defaultRuntime],
  ["wasm", defaultRuntime],
]);
/** Settings that were made so far, for runtimes that are made later. */
let made: RuntimeOptions = {};
let chosen: Device = processor;

/** Each runtime once; devices may share one. */
function everyRuntime(): readonly Runtime[] {
  return [...new Set(runtimes.values())];
}

/** The runtime of a device, which is made when it is first asked for. */
function runtimeOf(device: Device): Runtime {
  const known = runtimes.get(device);
  if (known !== undefined) return known;
  const runtime = new Runtime(new OrtBackend(device), made);
  runtimes.set(device, runtime);
  return runtime;
}

/** The runtime of the device that one of these tensors lives on; of those of one program, they are one. */
export function runtimeFor(tensors: readonly Tensor[]): Runtime {
  return runtimeOf(tensors.find(({ device }) => device !== undefined)?.device ?? chosen);
}

/** Computes tensors, those of each device together. */
async function evaluateByDevice(tensors: readonly Tensor[]): Promise<void> {
  const placeOf = ({ device }: Tensor): Device => device ?? chosen;
  const own = (place: Device): readonly Tensor[] => tensors.filter((t) => placeOf(t) === place);
  const places = [...new Set(tensors.map(placeOf))];
  await Promise.all(places.map((place) => runtimeOf(place).evaluate(own(place))));
}

provideEvaluator(evaluateByDevice);

/** What to say of a device that is not there. */
function absent(caller: string, device: Device, there: readonly Device[], why: string): string {
  const others = there.map((name) => JSON.stringify(name)).join(", ");
  return (
    `${caller}: device "${device}" is not there${why}; here are ${others}. ` +
    `"${device}" ${DEVICE_ROWS[device].needs}`
  );
}

/**
 * Finds out whether a device is there, by a small program.
 *
 * @throws TensorError for one that is not, with those that are and what it takes to have it.
 */
async function requireDevice(caller: string, device: Device): Promise<void> {
  checkDevice(caller, device);
  const reason = await refusalOf(device);
  if (reason === undefined) return;
  const why = reason === "" ? "" : ` (${reason})`;
  throw new TensorError(absent(caller, device, await availableDevices(), why));
}

provideDevices({ usual: () => chosen, require: requireDevice });

const refusals = new Map<Device, Promise<string | undefined>>();

/** Why a device cannot compute; undefined for one that can. Asked of the engine once. */
function refusalOf(device: Device): Promise<string | undefined> {
  if (!ENGINE.devices.includes(device)) return Promise.resolve("");
  const known = refusals.get(device);
  if (known !== undefined) return known;
  const { backend } = runtimeOf(device);
  const asked = (backend as OrtBackend).probe().then(
    () => undefined,
    (error: unknown) => firstLine(error),
  );
  refusals.set(device, asked);
  return asked;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [line = ""] = text.split("\n", 1);
  // What it expected, and where, comes before what it met.
  const met = line.split(" was false. ").at(-1) ?? line;
  return met.length > 200 ? `${met.slice(0, 200)}...` : met;
}

/**
 * The devices that programs can run on here, the processor first.
 *
 * @example
 * ```ts
 * import { availableDevices } from "tsvene";
 * console.log((await availableDevices()).includes("cpu")); // true
 * ```
 */
export async function availableDevices(): Promise<readonly Device[]> {
  const asked = ENGINE.devices.map(async (device) => [device, await refusalOf(device)] as const);
  const answers = await Promise.all(asked);
  return answers.flatMap(([device, reason]) => (reason === undefined ? [device] : []));
}

/**
 * Changes settings of the runtimes: all that are given or, where one is wrong, none. Programs that are
 * compiled already keep theirs.
 *
 * @throws TsveneError for a count below 1, a setting that is not known, what the engine cannot do, such as
 * threads in a page that may not share memory, and a device that this host cannot have. Whether one is
 * there that it can have shows when it is first computed with; {@link availableDevices} says it before.
 *
 * @example
 * ```ts no-run
 * configureRuntime({ wasmPaths: "/assets/onnxruntime/" }); // in a page
 * ```
 */
export function configureRuntime(options: RuntimeSettings): void {
  const { device, ...settings } = options;
  if (device !== undefined) {
    checkDevice("configureRuntime", device);
    if (!ENGINE.devices.includes(device)) {
      throw new TensorError(absent("configureRuntime", device, ENGINE.devices, ""));
    }
  }
  defaultRuntime.configure(settings);
  // The engine has its own from the first; the others are for each runtime.
  const { wasmPaths: _, numThreads: __, executionProviders: ___, ...each } = settings;
  for (const runtime of everyRuntime()) {
    if (runtime !== defaultRuntime) runtime.configure(each);
  }
  made = { ...made, ...each };
  chosen = device ?? chosen;
}

/** Releases every program that is compiled; they are compiled again when needed. */
export async function clearSessions(): Promise<void> {
  await Promise.all(everyRuntime().map((runtime) => runtime.clear()));
}

/** A copy of the runtimes' counters as they are now, those of all devices together. */
export function runtimeStats(): RuntimeStats {
  return sumOfStats(everyRuntime().map(({ stats }) => stats));
}

/** Sets the runtimes' counters of work done to zero; what is alive stays counted. */
export function resetStats(): void {
  for (const runtime of everyRuntime()) runtime.resetStats();
}
