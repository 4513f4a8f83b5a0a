import { type ByteSource, bytesInMemory, bytesOfBlob } from "../../files/byte-source.ts";
import { FileSourceError } from "../../files/file-source-error.ts";
import { checkRelativePath, type FileSource } from "../../files/file-source.ts";
import { HttpFiles } from "../../files/http-files.ts";
import { openPlace } from "../../files/open-place.ts";
import { checkModel } from "./check-model.ts";
import { inlineFunctions } from "./inline-functions.ts";
import type { FileModel, FileTensor } from "./onnx-content.ts";
import { OnnxFileError } from "./onnx-file-error.ts";
import { readOnnx } from "./read-onnx.ts";

/** What an ONNX file can be named by: a path (Node only), a URL, or its content. */
export type OnnxFileName = string | URL | ArrayBuffer | Uint8Array | Blob;

/** Options of opening an ONNX file. */
export interface OnnxFileOptions {
  /** Where files of weights lie that a model names. @default the folder of the model's file */
  readonly files?: FileSource;
}

/**
 * An ONNX file: what it says, as plain data with all names as they are, and the bytes of its tensors, read
 * when they are asked for. Models whose weights lie in other files may be of any size.
 *
 * @example
 * ```ts no-run
 * import { OnnxFile } from "tsvene";
 * const file = await OnnxFile.open("model.onnx");
 * console.log(file.model.producer, file.model.opsets.get(""));
 * console.log(file.model.graph.nodes.map(({ op }) => op));
 * await file.close();
 * ```
 */
export class OnnxFile {
  /** What messages call it. */
  readonly name: string;
  /** What it says; calls of its functions are written out. */
  readonly model: FileModel;
  /** Bytes of the model's own file. */
  readonly bytes: Uint8Array;
  readonly #files: FileSource | undefined;
  readonly #open = new Map<string, Promise<ByteSource>>();

  private constructor(
    name: string,
    bytes: Uint8Array,
    model: FileModel,
    files: FileSource | undefined,
  ) {
    this.name = name;
    this.bytes = bytes;
    this.model = model;
    this.#files = files;
  }

  /**
   * Opens an ONNX file of any producer, with operators of version 7 or later.
   *
   * @throws OnnxFileError for what is no ONNX file, a damaged one, and one that contradicts itself: names
   * twice, values that nothing makes, cycles; FileSourceError where it cannot be read.
   */
  static async open(file: OnnxFileName, options: OnnxFileOptions = {}): Promise<OnnxFile> {
    const { source, files } = await sourceOf(file);
    try {
      const bytes = await source.read(0, source.size);
      const { name } = source;
      const model = checkModel(inlineFunctions(readOnnx(bytes, name), name), name);
      const around = options.files ?? files;
      return new OnnxFile(name, bytes, model, around?.confined?.() ?? around);
    } finally {
      await source.close();
    }
  }

  /**
   * The row-major little-endian bytes of one of its tensors.
   *
   * @throws OnnxFileError for a path that leaves the model's folder, a file that is not there or too short, and
   * texts, which have no such bytes.
   */
  async read(tensor: FileTensor): Promise<Uint8Array> {
    const { bytes, external, name } = tensor;
    if (bytes !== undefined) return bytes();
    const where = `${this.name}: the tensor ${JSON.stringify(name)}`;
    if (external === undefined) {
      throw new OnnxFileError(`${where} holds texts, which have no bytes`);
    }
    const { location, offset, length } = external;
    const source = await this.#source(location, where);
    if (offset + length > source.size) {
      throw new OnnxFileError(
        `${where} has bytes ${offset} to ${offset + length} of ${JSON.stringify(location)}, which has ${source.size}`,
      );
    }
    return source.read(offset, offset + length);
  }

  /** Gives the files of weights back; reading of them afterwards opens them again. */
  async close(): Promise<void> {
    const sources = [...this.#open.values()];
    this.#open.clear();
    for (const source of await Promise.allSettled(sources)) {
      if (source.status === "fulfilled") await source.value.close();
    }
  }

  #source(location: string, where: string): Promise<ByteSource> {
    const known = this.#open.get(location);
    if (known !== undefined) return known;
    const opened = openBeside(this.#files, location, where);
    this.#open.set(location, opened);
    return opened;
  }
}

async function openBeside(
  files: FileSource | undefined,
  location: string,
  where: string,
): Promise<ByteSource> {
  if (files === undefined) {
    throw new OnnxFileError(
      `${where} lies in another file, ${JSON.stringify(location)}; say where those are: { files: new MemoryFiles({ ` +
        `${JSON.stringify(location)}: bytes }) }, or give the path of the model`,
    );
  }
  try {
    const path = location.replace(/^\.\//, "");
    checkRelativePath(path, where);
    return await files.openRange(path);
  } catch (error) {
    if (!(error instanceof FileSourceError)) throw error;
    throw new OnnxFileError(`${where} lies in another file: ${error.message}`, { cause: error });
  }
}

/** What to read, and the folder that it lies in. */
interface Opened {
  readonly source: ByteSource;
  readonly files: FileSource | undefined;
}

async function sourceOf(file: OnnxFileName): Promise<Opened> {
  if (file instanceof Blob) return { source: bytesOfBlob(file, "ONNX blob"), files: undefined };
  if (file instanceof Uint8Array || file instanceof ArrayBuffer) {
    return { source: bytesInMemory(file, "ONNX bytes"), files: undefined };
  }
  const url = asUrl(file);
  if (url !== undefined && url.protocol !== "file:") return remote(url);
  const path = url === undefined ? String(file) : decodeURIComponent(url.pathname);
  if ("document" in globalThis) return remote(new URL(path, globalThis.location.href));
  const { files, file: name } = await openPlace(path);
  if (name === undefined) {
    throw new OnnxFileError(`${path} is no file: give the path of an .onnx file`);
  }
  return { source: await files.openRange(name), files };
}

function asUrl(file: string | URL): URL | undefined {
  if (file instanceof URL) return file;
  return /^https?:/i.test(file) && URL.canParse(file) ? new URL(file) : undefined;
}

async function remote(url: URL): Promise<Opened> {
  const files = new HttpFiles(new URL(".", url));
  const name = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  return { source: await files.openRange(name), files };
}
