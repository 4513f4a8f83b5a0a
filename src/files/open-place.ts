import type { FileSource } from "./file-source.ts";
import type { HubOptions } from "./hub-options.ts";
import { LocalFiles } from "./local-files.ts";
import { nodeModules } from "./node.ts";
import { openFiles } from "./open-files.ts";

/** A place with files, and the one among them that is meant. */
export interface OpenedPlace {
  /** The directory or repository. */
  readonly files: FileSource;
  /** Path of the file in the place; undefined where the place itself is meant. */
  readonly file: string | undefined;
}

/** What a name stands for that may also be the path of a file here; else as {@link openFiles}. */
export async function openPlace(name: string, options: HubOptions = {}): Promise<OpenedPlace> {
  const node = nodeModules();
  const stat = await node?.fs.stat(name).catch(() => undefined);
  if (node === undefined || stat?.isFile() !== true) {
    return { files: await openFiles(name, options), file: undefined };
  }
  const files = new LocalFiles(node.path.dirname(name));
  return { files, file: node.path.basename(name) };
}
