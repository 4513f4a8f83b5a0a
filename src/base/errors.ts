/**
 * Input that an operation cannot take: the message says which operation, what came and what was
 * wanted. Thrown at the call, before anything is computed; for what only the computation shows, such
 * as positions that are computed themselves, when that is asked for.
 */
export class TensorError extends Error {
  override readonly name: string = "TensorError";
}

/** Throws a {@link TensorError} that begins with the operation's name. */
export function fail(op: string, message: string): never {
  throw new TensorError(`${op}: ${message}`);
}

/** Throws for a state that only a defect of this library can reach. */
export function internal(message: string): never {
  throw new Error(`internal: ${message}`);
}
