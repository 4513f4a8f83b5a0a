import { nearestNames } from "../base/nearest.ts";
import { internal } from "../base/errors.ts";
import { fail } from "./errors.ts";

/**
 * Where programs run: `"cpu"` is the processor, natively in Node and by WebAssembly in a page, where
 * `"wasm"` says the same; `"webgpu"` a graphics processor, in both; `"cuda"` and `"tensorrt"` one of NVIDIA,
 * in Node.
 */
export type Device = "cpu" | "wasm" | "webgpu" | "cuda" | "tensorrt";

/** The names of all devices, of which a machine has some. */
export const DEVICES: readonly Device[] = ["cpu", "wasm", "webgpu", "cuda", "tensorrt"];

/** @throws TensorError for what names no device. */
export function checkDevice(caller: string, device: unknown): asserts device is Device {
  if (DEVICES.some((known) => known === device)) return;
  const [near] = typeof device === "string" ? nearestNames(device, DEVICES, 1) : [];
  const hint = near === undefined ? "" : `; the nearest is "${near}"`;
  fail(caller, `${JSON.stringify(device)} is no device; there are ${DEVICES.join(", ")}${hint}`);
}

/**
 * The device that operands live on: undefined if all of them are numbers of the host, which any device
 * reads.
 *
 * @throws TensorError for operands that live on two.
 */
export function commonDevice(
  op: string,
  operands: readonly { readonly device: Device | undefined }[],
): Device | undefined {
  let common: Device | undefined;
  for (const { device } of operands) {
    if (device === undefined || device === common) continue;
    if (common === undefined) common = device;
    else failApart(op, common, device);
  }
  return common;
}

function failApart(op: string, one: Device, other: Device): never {
  return fail(
    op,
    `an operand lives on ${one}, another on ${other}; nothing moves by itself: bring one to the host, ` +
      "Tensor.fromData(await x.data(), x.shape, x.dtype), which every device reads",
  );
}

/** What the runtime knows of this machine's devices. */
export interface Devices {
  /** Where all is computed that reads nothing which lives on a device. */
  readonly usual: () => Device;
  /** @throws TensorError for a device that is not there, with those that are. */
  readonly require: (caller: string, device: Device) => Promise<void>;
}

let devices: Devices | undefined;

/** Called once by the runtime, so that other layers need no knowledge of it. */
export function provideDevices(known: Devices): void {
  devices = known;
}

/** What the runtime knows of this machine's devices. */
export function knownDevices(): Devices {
  return devices ?? internal("no runtime is loaded; import from 'tsvene'");
}
