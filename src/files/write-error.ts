import { FileSourceError } from "./file-source-error.ts";
import { errorCode } from "./local-files.ts";

/** What the system's names of errors mean for somebody who wanted to write. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of the disk is used up",
  EFBIG: "the file is larger than the file system allows",
  EROFS: "the file system is read-only",
  EACCES: "the permission to write there is missing",
  EPERM: "the permission to write there is missing",
  ENOTDIR: "a part of the path is a file, where a directory was expected",
  EEXIST: "it is a file, where a directory was expected",
  EISDIR: "it is a directory, where a file was expected",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EIO: "the disk failed",
};

/**
 * The library's error for a failure of the system while `path` was written: what was in the way, and
 * the system's own words. Errors of the library pass as they are.
 *
 * @param outcome what is on disk now.
 */
export function writeError(path: string, outcome: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === undefined || error instanceof FileSourceError) return error;
  const words = error instanceof Error ? error.message : code;
  const reason = REASONS[code];
  const why = reason === undefined ? words : `${reason} (${words})`;
  return new FileSourceError("system", `cannot write ${path}: ${why}; ${outcome}`, {
    cause: error,
  });
}
