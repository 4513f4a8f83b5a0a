import { TsveneError } from "../base/errors.ts";

/**
 * Tensors that an operation cannot take. For what only the computation shows, such as positions that
 * are computed themselves, thrown when that is asked for.
 */
export class TensorError extends TsveneError {
  override readonly name: string = "TensorError";
}

/** Throws a {@link TensorError} that begins with the operation's name. */
export function fail(op: string, message: string): never {
  throw new TensorError(`${op}: ${message}`);
}
