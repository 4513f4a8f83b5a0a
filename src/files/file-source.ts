import type { ByteSource } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { parseJson } from "./parse-json.ts";

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

  /** `organisation/name`, of a repository of the Hugging Face Hub. */
  readonly repository?: string;

  /**
   * Whether the file is there.
   * @throws {@link FileSourceError} when that cannot be found out, for instance without a network.
   */
  abstract exists(path: string): Promise<boolean>;

  /**
   * Says which files lie there, if that can change: another text once a model or tokenizer was saved
   * into the place again.
   */
  readonly version?: () => Promise<string>;

  /**
   * The same place, but for files that a symbolic link leads out of it to: of a directory of others,
   * these would be your own files.
   */
  readonly confined?: () => FileSource;

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

  /**
   * The file's JSON, unchecked; see {@link parseJson}.
   * @throws {@link FileSourceError} with code `"content"` when it is not JSON, or nested too deeply.
   */
  async readJson(path: string): Promise<unknown> {
    return parseJson(await this.readText(path), `${this.location}: ${path}`);
  }
}

/** How often a place is read that is written to meanwhile. */
const ATTEMPTS = 5;

/**
 * Reads several files that belong together; again, when they were replaced meanwhile.
 * @throws {@link FileSourceError} when that happens again and again.
 */
export async function readTogether<T>(files: FileSource, read: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await files.version?.();
    const [result] = await Promise.allSettled([read()]);
    if ((await files.version?.()) !== before) continue;
    if (result.status === "rejected") throw result.reason;
    return result.value;
  }
  throw new FileSourceError(
    "content",
    `${files.location} was written to each of the ${ATTEMPTS} times that it was read; ` +
      "read it when nobody saves to it",
  );
}
