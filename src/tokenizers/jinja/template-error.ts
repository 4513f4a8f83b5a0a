import { TsveneError } from "../../base/errors.ts";

/** A template that cannot be read, or says itself that it cannot be rendered; says why. */
export class TemplateError extends TsveneError {
  override readonly name: string = "TemplateError";
}

/** What Python renders and this library does not; the message says which part of the template. */
export function refuse(what: string): never {
  throw new TemplateError(`${what} is not rendered here`);
}
