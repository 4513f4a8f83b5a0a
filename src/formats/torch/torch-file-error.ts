import { TsveneError } from "../../base/errors.ts";

/** A PyTorch file that is damaged, or holds what is not read: anything but tensors and plain values. */
export class TorchFileError extends TsveneError {
  /** Always "TorchFileError". */
  override readonly name: string = "TorchFileError";
}

/** The bytes at hand end before the pickle does. */
export class PickleEndError extends TorchFileError {}
