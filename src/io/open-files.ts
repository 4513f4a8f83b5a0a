import { FileSourceError } from "./file-source-error.ts";
import { FileSource } from "./file-source.ts";
import { HttpFiles } from "./http-files.ts";
import { HubFiles, type HubOptions, isHubId } from "./hub-files.ts";
import { isMissing, LocalFiles } from "./local-files.ts";
import { type NodeModules, nodeModules } from "./node.ts";
import { redact } from "./redact.ts";

/** What a model's files can be named by; see {@link openFiles}. */
export type FilesName = string | URL | FileSource;

async function isDirectory(node: NodeModules, path: string): Promise<boolean> {
  try {
    if ((await node.fs.stat(path)).isDirectory()) return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  throw new FileSourceError("name", `${path} is a file; a directory was expected`);
}

function localPath(url: URL, node: NodeModules | undefined): string {
  if (node === undefined) {
    throw new FileSourceError("name", `${url} is a file of a disk, which a browser cannot read`);
  }
  const path = decodeURIComponent(url.pathname);
  return node.path.sep === "\\" ? path.replace(/^\//, "") : path;
}

function asUrl(name: string | URL): URL | undefined {
  if (name instanceof URL) return name;
  if (!/^(?:https?|file):\/\//i.test(name)) return undefined;
  if (URL.canParse(name)) return new URL(name);
  throw new FileSourceError("name", `${redact(name)} is not a URL that can be asked for`);
}

/**
 * The place that a name stands for, tried in this order:
 *
 * 1. a {@link FileSource} is that place;
 * 2. an `http:`, `https:` or `file:` URL is a directory under that URL;
 * 3. an existing local directory wins, even when a repository of the Hub has the same name;
 * 4. `organisation/name` (or `name`) is a model of the Hugging Face Hub;
 * 5. in a browser, any other path is a URL relative to the page.
 *
 * @throws {@link FileSourceError} when it can be none of them.
 *
 * @example
 * ```ts
 * const files = await openFiles("models/tsvene-mini");
 * console.log(files.location, await files.readJson("tokenizer_config.json"));
 * ```
 */
export async function openFiles(name: FilesName, options: HubOptions = {}): Promise<FileSource> {
  if (name instanceof FileSource) return name;
  if (typeof name !== "string" && !(name instanceof URL)) {
    throw new FileSourceError(
      "name",
      `a directory or a model of the Hugging Face Hub was expected, got ${String(name)}`,
    );
  }
  const node = nodeModules();
  const url = asUrl(name);
  if (url !== undefined && url.protocol !== "file:") return new HttpFiles(url, options);
  const path = url === undefined ? String(name) : localPath(url, node);
  if (path !== "" && node !== undefined && (await isDirectory(node, path))) {
    return new LocalFiles(path);
  }
  if (url === undefined && isHubId(path)) return new HubFiles(path, options);
  if (node === undefined && path !== "") {
    return new HttpFiles(new URL(path, globalThis.location.href), options);
  }
  throw new FileSourceError(
    "missing",
    `there is no directory ${JSON.stringify(path)}, and it cannot be a model of the Hugging Face ` +
      'Hub, which would be named "organisation/name"',
  );
}
