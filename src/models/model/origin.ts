import type { FileSource } from "../../files/file-source.ts";

const origins = new WeakMap<object, string>();

/** Notes of a model that it was made of what lies in a place, if that is one of the Hub. */
export function noteOrigin(model: object, files: FileSource): void {
  if (files.repository !== undefined) origins.set(model, files.repository);
}

/** The repository of the Hub that a model was loaded from, if it was. */
export function originOf(model: object): string | undefined {
  return origins.get(model);
}
