import { TsveneError } from "../base/errors.ts";

/** A model, a module of one or its settings that cannot be, or inputs that it cannot take. */
export class ModelError extends TsveneError {
  /** Always "ModelError". */
  override readonly name: string = "ModelError";
}

/** Throws a {@link ModelError} that begins with the caller's name. */
export function fail(caller: string, message: string): never {
  throw new ModelError(`${caller}: ${message}`);
}
