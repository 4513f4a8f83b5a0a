/**
 * What every error of this library is: the message says which call, what came and what was wanted.
 * Thrown at the call, before anything is computed, for input that it cannot take; the classes below
 * say what it is about.
 */
export class TsveneError extends Error {
  /** The name of the class, which says which part of the library an error comes from. */
  override readonly name: string = "TsveneError";
}

/** Throws a {@link TsveneError} that begins with the caller's name. */
export function fail(caller: string, message: string): never {
  throw new TsveneError(`${caller}: ${message}`);
}

/** Throws for a state that only a defect of this library can reach. */
export function internal(message: string): never {
  throw new Error(`internal: ${message}`);
}
