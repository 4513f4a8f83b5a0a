import { TsveneError } from "../base/errors.ts";

/** A checkpoint that is incomplete or contradicts itself. */
export class CheckpointError extends TsveneError {
  /** Always "CheckpointError". */
  override readonly name: string = "CheckpointError";
}
