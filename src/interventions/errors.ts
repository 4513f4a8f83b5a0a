import { TsveneError } from "../base/errors.ts";

/** An intervention, its place or its inputs that cannot be. */
export class InterventionError extends TsveneError {
  override readonly name: string = "InterventionError";
}

/** Throws an {@link InterventionError} that begins with the caller's name. */
export function fail(caller: string, message: string): never {
  throw new InterventionError(`${caller}: ${message}`);
}
