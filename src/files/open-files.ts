import { describeValue } from "../base/describe-value.ts";
import { FileSourceError } from "./file-source-error.ts";
import { FileSource } from "./file-source.ts";
import { HttpFiles } from "./http-files.ts";
import { HubFiles } from "./hub-files.ts";
import { type HubOptions, isHubId } from "./hub-options.ts";
import { LocalFiles } from "./local-files.ts";
import { isDirectory, isPath, whereItEnds } from "./missing-directory.ts";
import { type NodeModules, nodeModules } from "./node.ts";
import { redact } from "./redact.ts";
import { shippedModel } from "./shipped-models.ts";

/** What a model's files can be named by; see {@link openFiles}. */
export type FilesName = string | URL | FileSource;

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

/** A directory that comes with the package. */
async function openShipped(
  name: string,
  url: URL,
  node: NodeModules | undefined,
  options: HubOptions,
): Promise<FileSource> {
  if (url.protocol !== "file:") return new HttpFiles(url, options);
  const path = localPath(url, node);
  if (node !== undefined && (await isDirectory(node, path))) return new LocalFiles(path);
  throw new FileSourceError(
    "missing",
    `${name} comes with the package, but is not at ${path}: where the package was bundled, pass ` +
      `the directory models/${name} of the package`,
  );
}

/** Whether `a` of a name `a/b` is a directory here, so that a directory `b` in it must be meant. */
async function beginsHere(name: string, node: NodeModules | undefined): Promise<boolean> {
  const [first = "", ...rest] = name.split("/");
  if (node === undefined || rest.length === 0) return false;
  const stat = await node.fs.stat(first).catch(() => undefined);
  return stat?.isDirectory() ?? false;
}

async function notThere(path: string, node: NodeModules | undefined): Promise<FileSourceError> {
  const missing = `there is no directory ${JSON.stringify(path)}`;
  const ends = path === "" || node === undefined ? "" : `: ${await whereItEnds(node, path)}`;
  return new FileSourceError("missing", `${missing}${ends}${hintOf(path, node)}`);
}

/** What else a name that is no directory could have been meant to be. */
function hintOf(path: string, node: NodeModules | undefined): string {
  if (isHubId(path)) {
    return `; for the model of that name on the Hugging Face Hub, pass new HubFiles("${path}")`;
  }
  if (node !== undefined && /^~[\\/]/.test(path)) {
    return `; "~" is only a name here, your home is ${node.os.homedir()}`;
  }
  if (path !== "" && isPath(path)) return "";
  return '; a model of the Hugging Face Hub would be named "organisation/name"';
}

/**
 * The files that a name means, tried in this order:
 *
 * 1. a {@link FileSource} is that place;
 * 2. an `http:`, `https:` or `file:` URL is a directory under that URL;
 * 3. an existing local directory wins over all that follow, of whatever name;
 * 4. `tsvene-mini` is the model that comes with the package, wherever that is installed;
 * 5. `organisation/name` (or `name`) is a model of the Hugging Face Hub, unless there is a local
 *    directory `organisation`: then a directory in it must have been meant;
 * 6. in a browser, any other path is a URL relative to the page.
 *
 * @throws {@link FileSourceError} when it can be none of them. That the Hub has no such model, or
 * cannot be reached, is known only when a file is asked for.
 *
 * @example
 * ```ts
 * const files = await openFiles("tsvene-mini");
 * console.log(files.location, await files.readJson("tokenizer_config.json"));
 * ```
 */
export async function openFiles(name: FilesName, options: HubOptions = {}): Promise<FileSource> {
  if (name instanceof FileSource) return name;
  if (typeof name !== "string" && !(name instanceof URL)) {
    throw new FileSourceError(
      "name",
      `a directory or a model of the Hugging Face Hub was expected, got ${describeValue(name)}`,
    );
  }
  const node = nodeModules();
  const url = asUrl(name);
  if (url !== undefined && url.protocol !== "file:") return new HttpFiles(url, options);
  const path = url === undefined ? String(name) : localPath(url, node);
  if (path !== "" && node !== undefined && (await isDirectory(node, path))) {
    return new LocalFiles(path);
  }
  const shipped = shippedModel(path);
  if (shipped !== undefined) return openShipped(path, shipped, node, options);
  if (url === undefined && isHubId(path) && !(await beginsHere(path, node))) {
    return new HubFiles(path, options);
  }
  if (node === undefined && path !== "") {
    return new HttpFiles(new URL(path, globalThis.location.href), options);
  }
  throw await notThere(path, node);
}
