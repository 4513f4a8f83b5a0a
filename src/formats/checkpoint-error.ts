import { TsveneError } from "../base/errors.ts";

/** A checkpoint that is incomplete or contradicts itself. */
export class CheckpointError extends TsveneError {
  override readonly name: string = "CheckpointError";
}
