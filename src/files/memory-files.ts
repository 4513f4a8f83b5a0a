import { type ByteSource, bytesInMemory, bytesOfBlob } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath, FileSource } from "./file-source.ts";

/** What a file in memory may be given as. */
export type FileContent = string | ArrayBuffer | Uint8Array | Blob;

/**
 * Files that are already in memory, or that a user of a web page has chosen.
 *
 * @example
 * ```ts
 * const files = new MemoryFiles({ "config.json": '{"n_layer": 2}' });
 * console.log(await files.readJson("config.json"));
 * ```
 */
export class MemoryFiles extends FileSource {
  readonly location: string;
  readonly #files: ReadonlyMap<string, FileContent>;

  /**
   * @param files contents by relative path.
   * @param name what messages call them.
   */
  constructor(files: Readonly<Record<string, FileContent>>, name = "files in memory") {
    super();
    this.location = name;
    this.#files = new Map(Object.entries(files));
  }

  async exists(path: string): Promise<boolean> {
    checkRelativePath(path, this.location);
    return this.#files.has(path);
  }

  async openRange(path: string): Promise<ByteSource> {
    checkRelativePath(path, this.location);
    const content = this.#files.get(path);
    const name = `${this.location}: ${path}`;
    if (content === undefined) {
      const names = [...this.#files.keys()].join(", ");
      throw new FileSourceError("missing", `${this.location}: there is no ${path} among ${names}`);
    }
    if (typeof content === "string") return bytesInMemory(new TextEncoder().encode(content), name);
    if (content instanceof Blob) return bytesOfBlob(content, name);
    return bytesInMemory(content, name);
  }
}
