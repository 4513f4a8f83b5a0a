import { TsveneError } from "../../base/errors.ts";

/** A safetensors file that is not well formed, or tensors that cannot be written as one. */
export class SafetensorsError extends TsveneError {
  /** Always "SafetensorsError". */
  override readonly name: string = "SafetensorsError";
}
