import type { Device } from "../../tensor/device.ts";
import { CPU_FORMS, type Forms, WEBGPU_FORMS } from "../emit/forms.ts";

/** What the engine has to know of a device. */
export interface DeviceRow {
  /** The engine's name of what computes there; undefined for its own choice. */
  readonly provider: string | undefined;
  /** How programs are written for it. */
  readonly forms: Forms;
  /** Whether tensors can live in its memory from one run to the next. */
  readonly holds: boolean;
  /** What it takes to have it. */
  readonly needs: string;
}

/** Each device's row; `wasm` is the processor, in a page. */
export const DEVICE_ROWS: { readonly [D in Device]: DeviceRow } = {
  cpu: { provider: undefined, forms: CPU_FORMS, holds: false, needs: "is everywhere" },
  wasm: {
    provider: undefined,
    forms: CPU_FORMS,
    holds: false,
    needs: 'is what pages have; in Node write "cpu"',
  },
  webgpu: {
    provider: "webgpu",
    forms: WEBGPU_FORMS,
    holds: true,
    needs:
      "needs a graphics processor and its driver: in a page a browser with WebGPU (chrome://gpu says what it " +
      "found), in Node a driver of Vulkan (Linux), Metal (macOS) or Direct3D 12 (Windows)",
  },
  cuda: {
    provider: "cuda",
    forms: CPU_FORMS,
    holds: false,
    needs:
      "needs Node on Linux, a GPU of NVIDIA with CUDA 12 and cuDNN 9, and the engine's library for it: " +
      "npm install onnxruntime-node --onnxruntime-node-install=cuda12",
  },
  tensorrt: {
    provider: "tensorrt",
    forms: CPU_FORMS,
    holds: false,
    needs: "needs what cuda needs, and TensorRT 10",
  },
};
