import { type ByteSource, openFile, specialKind } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { checkRelativePath, FileSource } from "./file-source.ts";
import { type NodeModules, requireNode } from "./node.ts";

const MOST_NAMES_SHOWN = 12;

/** The system's name of an error, such as `"ENOENT"`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** True for the errors that mean that nothing has that name. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Files that a save replaces; each tells one state of the directory from another. */
const VERSIONED = [
  "config.json",
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "tokenizer.json",
  "tokenizer_config.json",
  "tsvene.json",
];

/** A directory of the local disk (Node only). */
export class LocalFiles extends FileSource {
  readonly location: string;
  readonly #directory: string;
  readonly #node: NodeModules;

  readonly #isConfined: boolean;

  /**
   * @param directory a path, absolute or relative to the working directory.
   * @param options.confined refuse what symbolic links lead out of it to. @default false
   */
  constructor(directory: string, { confined = false }: { readonly confined?: boolean } = {}) {
    super();
    this.#isConfined = confined;
    this.#node = requireNode(`reading the directory ${directory}`);
    this.#directory = directory;
    this.location = `directory ${directory}`;
  }

  override readonly version = async (): Promise<string> => {
    const states = VERSIONED.map(async (name) => {
      const options = { bigint: true } as const;
      const stat = await this.#node.fs.stat(this.#resolve(name), options).catch(() => undefined);
      return stat === undefined ? "" : `${stat.dev}.${stat.ino}.${stat.size}.${stat.mtimeNs}`;
    });
    return (await Promise.all(states)).join(" ");
  };

  override readonly confined = (): LocalFiles => {
    return new LocalFiles(this.#directory, { confined: true });
  };

  async exists(path: string): Promise<boolean> {
    checkRelativePath(path, this.location);
    try {
      await this.#requireWithin(path);
      const stat = await this.#node.fs.stat(this.#resolve(path));
      const kind = specialKind(stat);
      if (kind === undefined || stat.isDirectory()) return kind === undefined;
      throw new Error(`${this.#resolve(path)} is ${kind}; a file was wanted`);
    } catch (error) {
      if (isMissing(error)) return false;
      throw this.#failure(path, error);
    }
  }

  async openRange(path: string): Promise<ByteSource> {
    checkRelativePath(path, this.location);
    try {
      await this.#requireWithin(path);
      return await openFile(this.#resolve(path));
    } catch (error) {
      if (!isMissing(error)) throw this.#failure(path, error);
      throw new FileSourceError(
        "missing",
        `${this.location} has no file ${path}; ${await this.#listing()}`,
        { cause: error },
      );
    }
  }

  #resolve(path: string): string {
    return this.#node.path.join(this.#directory, ...path.split("/"));
  }

  /** A snapshot in Python's cache has links to the blobs beside it, which belong to the same repository. */
  async #requireWithin(path: string): Promise<void> {
    if (!this.#isConfined) return;
    const { fs, path: paths } = this.#node;
    const [directory, file] = [await fs.realpath(this.#directory), await fs.realpath(this.#resolve(path))]; // prettier-ignore
    const up = paths.dirname(directory);
    const blobs = paths.join(paths.dirname(up), "blobs");
    const places = paths.basename(up) === "snapshots" ? [directory, blobs] : [directory];
    if (places.some((place) => file.startsWith(`${place}${paths.sep}`))) return;
    throw new FileSourceError(
      "name",
      `${this.location}: ${path} is a link to ${file}, which is outside of the directory`,
    );
  }

  #failure(path: string, error: unknown): FileSourceError {
    if (error instanceof FileSourceError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new FileSourceError("system", `${this.location}: cannot read ${path}: ${reason}`, {
      cause: error,
    });
  }

  async #listing(): Promise<string> {
    try {
      const names = (await this.#node.fs.readdir(this.#directory)).toSorted();
      if (names.length === 0) return "it is empty";
      const rest = names.length - MOST_NAMES_SHOWN;
      const more = rest > 0 ? ` and ${rest} more` : "";
      return `it has ${names.slice(0, MOST_NAMES_SHOWN).join(", ")}${more}`;
    } catch (error) {
      return isMissing(error) ? "there is no such directory" : "it cannot be listed";
    }
  }
}
