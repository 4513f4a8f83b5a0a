import { TsveneError } from "../../base/errors.ts";

/** An ONNX file that is damaged, contradicts itself, or holds what is not read. */
export class OnnxFileError extends TsveneError {
  /** Always "OnnxFileError". */
  override readonly name: string = "OnnxFileError";
}
