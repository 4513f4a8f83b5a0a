import { TsveneError } from "../base/errors.ts";

/** Why a file could not be had. */
export type FileSourceFailure =
  /** There is no such file, directory, repository or revision. */
  | "missing"
  /** The server cannot be reached, or went away during a download. */
  | "network"
  /** The server wants a token, or refuses this one. */
  | "unauthorized"
  /** The name is not one that may be used, such as a path that leaves the directory. */
  | "name"
  /** The file is there but cannot be used: not text, not JSON, too large, of another size than said. */
  | "content"
  /** What is there is not what was counted on: somebody else has changed it meanwhile. */
  | "conflict"
  /** Anything else: permissions, a full disk, an error of the server. */
  | "system";

/** A file that could not be had; `code` says why, the message says which and what to do. */
export class FileSourceError extends TsveneError {
  /** Always "FileSourceError". */
  override readonly name: string = "FileSourceError";
  /** What is wrong, for a program: see {@link FileSourceFailure}. */
  readonly code: FileSourceFailure;

  constructor(code: FileSourceFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
