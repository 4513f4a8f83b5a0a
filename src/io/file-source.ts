import type { ByteSource } from "./byte-source.ts";

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
  /** Anything else: permissions, a full disk, an error of the server. */
  | "system";

/** A file that could not be had; `code` says why, the message says which and what to do. */
export class FileSourceError extends Error {
  override readonly name: string = "FileSourceError";
  readonly code: FileSourceFailure;

  constructor(code: FileSourceFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Texts are read whole into a string; nothing that this library reads as text comes near this. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024;

/**
 * Throws unless `path` is a plain relative path: not absolute, without `..`, `.` or empty parts,
 * backslashes, drive letters or control characters. What is read may come from a file of others, such as the
 * index of a sharded checkpoint, and must not lead out of its place.
 */
export function checkRelativePath(path: string, where: string): void {
  const parts = path.split("/");
  const bad =
    parts.some((part) => part === "" || part === "." || part === "..") ||
    /[\\\p{Cc}]/u.test(path) ||
    /^[a-z]:/i.test(path);
  if (!bad) return;
  throw new FileSourceError(
    "name",
    `${where}: ${JSON.stringify(path)} is not a plain relative path ` +
      '(parts separated by "/", none of them empty, "." or ".."), so it could lie outside',
  );
}

/** A place with files, addressed by paths relative to it: a directory, a Hub repository, a URL. */
export abstract class FileSource {
  /** What messages call the place. */
  abstract readonly location: string;

  /**
   * Whether the file is there.
   * @throws {@link FileSourceError} when that cannot be found out, for instance without a network.
   */
  abstract exists(path: string): Promise<boolean>;

  /**
   * Opens a file to read ranges of it; the caller closes it. From the Hub it is downloaded first,
   * whole.
   * @throws {@link FileSourceError} with code `"missing"` when there is no such file.
   */
  abstract openRange(path: string): Promise<ByteSource>;

  /** The whole file. */
  async readBytes(path: string): Promise<Uint8Array> {
    const source = await this.openRange(path);
    try {
      return await source.read(0, source.size);
    } finally {
      await source.close();
    }
  }

  /** The whole file as UTF-8 text, at most 256 MiB. A byte-order mark is dropped. */
  async readText(path: string): Promise<string> {
    const source = await this.openRange(path);
    try {
      if (source.size > MAX_TEXT_BYTES) {
        throw new FileSourceError(
          "content",
          `${source.name} has ${source.size} bytes; a text of at most ${MAX_TEXT_BYTES} was expected`,
        );
      }
      const bytes = await source.read(0, source.size);
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new FileSourceError("content", `${source.name} is not UTF-8 text`, { cause: error });
    } finally {
      await source.close();
    }
  }

  /** The file's JSON, unchecked. */
  async readJson(path: string): Promise<unknown> {
    const text = await this.readText(path);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new FileSourceError(
        "content",
        `${this.location}: ${path} is not valid JSON: ${error instanceof Error ? error.message : "?"}`,
        { cause: error },
      );
    }
  }
}
