import { TsveneError } from "../base/errors.ts";
import { FileSourceError, type FileSourceFailure } from "../files/file-source-error.ts";
import { CheckpointError } from "../formats/checkpoint-error.ts";
import { SafetensorsError } from "../formats/safetensors/safetensors-error.ts";
import { TorchFileError } from "../formats/torch/torch-file-error.ts";
import { InterventionError } from "../interventions/errors.ts";
import { ModelError } from "../nn/errors.ts";
import { TensorError } from "../tensor/errors.ts";
import { TemplateError } from "../tokenizers/jinja/template-error.ts";
import { TokenizerError } from "../tokenizers/pipeline/tokenizer-error.ts";

/** An error as a message has it. */
export interface WireError {
  /** Name of its class. */
  readonly name: string;
  /** What it says. */
  readonly message: string;
  /** Where it was thrown. */
  readonly stack: string | undefined;
  /** Of a {@link FileSourceError}. */
  readonly code: string | undefined;
  /** What led to it. */
  readonly cause: WireError | undefined;
}

type Make = (message: string, options: ErrorOptions) => Error;

const make =
  (kind: new (message: string, options?: ErrorOptions) => Error): Make =>
  (message, options) =>
    new kind(message, options);

/** The classes of errors by name; all others are `Error` with their name. */
const CLASSES: ReadonlyMap<string, Make> = new Map(
  Object.entries({
    TsveneError,
    CheckpointError,
    InterventionError,
    ModelError,
    SafetensorsError,
    TemplateError,
    TensorError,
    TokenizerError,
    TorchFileError,
    RangeError,
    SyntaxError,
    TypeError,
  }).map(([name, kind]) => [name, make(kind)]),
);

/** What a message has of whatever was thrown. */
export function packError(thrown: unknown): WireError {
  const error = thrown instanceof Error || thrown instanceof DOMException ? thrown : undefined;
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return {
    name: error?.name ?? "Error",
    message: error?.message ?? String(thrown),
    stack: error?.stack,
    code: typeof code === "string" ? code : undefined,
    cause: cause === undefined ? undefined : packError(cause),
  };
}

/** The error of the same class, message and cause; its stack is that of where it was thrown. */
export function unpackError({ name, message, stack, code, cause }: WireError): Error {
  const options = cause === undefined ? {} : { cause: unpackError(cause) };
  const error = ofClass(name, message, code, options);
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack });
  return error;
}

function ofClass(
  name: string,
  message: string,
  code: string | undefined,
  options: ErrorOptions,
): Error {
  if (name === "FileSourceError") {
    return new FileSourceError((code ?? "system") as FileSourceFailure, message, options);
  }
  const known = CLASSES.get(name);
  if (known !== undefined) return known(message, options);
  return Object.defineProperty(new Error(message, options), "name", { value: name });
}
