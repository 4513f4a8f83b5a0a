import { describeValue } from "../base/describe-value.ts";
import { type OptionNames, wrongOptions } from "../base/known-options.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import { type ByteSource, openFile, partsOf } from "./byte-source.ts";
import { FileSourceError } from "./file-source-error.ts";
import { HubFiles } from "./hub-files.ts";
import { HUB_OPTIONS, type HubOptions } from "./hub-options.ts";
import { isMissing } from "./local-files.ts";
import { type NodeModules, requireNode } from "./node.ts";

/** Options of `pullFromHub`. */
export interface PullOptions extends HubOptions {
  /**
   * Replace files that are there and of other content.
   * @default false
   */
  readonly overwrite?: boolean;
}

const OPTIONS: OptionNames<PullOptions> = { overwrite: true, ...HUB_OPTIONS };

/** What has been written of a repository. */
export interface Pulled {
  /** `organisation/name` of the repository. */
  readonly repo: string;
  /** The commit: its 40 digits. */
  readonly commit: string;
  /** Where its files are. */
  readonly directory: string;
  /** Their paths in it, sorted. */
  readonly files: readonly string[];
}

const OP = "pullFromHub";
/** Bytes that are copied and compared at once. */
const PART_BYTES = 1 << 20;
const MOST_NAMES_SHOWN = 12;

/**
 * Writes all files of a repository of the Hugging Face Hub, as they are at one commit, into a
 * directory, which is made when it is missing (Node only). They are downloaded into the cache first,
 * all of them; then each is written whole. Other files of the directory stay, and so do files that
 * are the same already.
 *
 * @param repo - `organisation/name`.
 * @throws {@link FileSourceError} when they cannot be had: nothing is written then. With the code
 * "conflict" where a file of other content is there and `overwrite` is not set, and "name" for a
 * path that would leave the directory.
 *
 * @example
 * ```ts no-run
 * import { pullFromHub } from "tsvene";
 * const { files } = await pullFromHub("openai-community/gpt2", "out/gpt2", { revision: "main" });
 * console.log(files);
 * ```
 */
export async function pullFromHub(
  repo: string,
  directory: string,
  options: PullOptions = {},
): Promise<Pulled> {
  const node = requireNode(OP);
  const { overwrite = false, ...hub } = checkedOptions(directory, options);
  const source = new HubFiles(repo, hub);
  const { commit, paths } = await source.list();
  for (const path of paths) await requireInside(node, directory, path);
  const changed: string[] = [];
  const differing: string[] = [];
  for (const path of paths) {
    const state = await stateOf(source, path, node.path.join(directory, path));
    if (state !== "same") changed.push(path);
    if (state === "other") differing.push(path);
  }
  if (differing.length > 0 && !overwrite) throw wouldReplace(directory, differing);
  for (const path of changed) {
    await copy(await source.openRange(path), node.path.join(directory, path), hub.signal);
  }
  return { repo, commit, directory, files: paths };
}

function checkedOptions(directory: unknown, options: PullOptions): PullOptions {
  const { overwrite }: { readonly overwrite?: unknown } = options;
  const wrong =
    wrongOptions(options, OPTIONS) ??
    (typeof directory === "string" && directory !== ""
      ? undefined
      : `a directory was expected, got ${JSON.stringify(directory) ?? describeValue(directory)}`) ??
    (overwrite === undefined || typeof overwrite === "boolean"
      ? undefined
      : `overwrite must be true or false; got ${describeValue(overwrite)}`);
  if (wrong !== undefined) throw new FileSourceError("name", `${OP}: ${wrong}`);
  return options;
}

/** @throws {@link FileSourceError} for a path through a link, or into what Git or the cache keeps. */
async function requireInside(node: NodeModules, directory: string, path: string): Promise<void> {
  const parts = path.split("/");
  if (parts.some((part) => /^\.git$/i.test(part))) {
    const message = `${OP}: the repository has a file ${path}, which would change what Git does; nothing is written`;
    throw new FileSourceError("name", message);
  }
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = node.path.join(directory, ...parts.slice(0, depth));
    const found = await node.fs.lstat(parent).catch(() => undefined);
    if (found?.isSymbolicLink() !== true) continue;
    const message = `${OP}: ${parent} is a link, through which ${path} would leave the directory; take it away`;
    throw new FileSourceError("name", message);
  }
}

/** Downloads a file, and compares it with what is there. */
async function stateOf(
  files: HubFiles,
  path: string,
  target: string,
): Promise<"missing" | "same" | "other"> {
  const wanted = await files.openRange(path);
  try {
    const found = await openFile(target).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (found === undefined) return "missing";
    try {
      return (await haveSameBytes(wanted, found)) ? "same" : "other";
    } finally {
      await found.close();
    }
  } finally {
    await wanted.close();
  }
}

async function haveSameBytes(a: ByteSource, b: ByteSource): Promise<boolean> {
  if (a.size !== b.size) return false;
  for (const [begin, end] of partsOf(0, a.size, PART_BYTES)) {
    const [one, other] = await Promise.all([a.read(begin, end), b.read(begin, end)]);
    if (one.some((byte, i) => byte !== other[i])) return false;
  }
  return true;
}

function wouldReplace(directory: string, paths: readonly string[]): FileSourceError {
  const rest = paths.length - MOST_NAMES_SHOWN;
  const more = rest > 0 ? ` and ${rest} more` : "";
  const shown = paths.slice(0, MOST_NAMES_SHOWN).join(", ") + more;
  return new FileSourceError(
    "conflict",
    `${OP}: ${directory} has files of other content: ${shown}; nothing is written; to replace them, pass ` +
      "overwrite: true (--force), or take another directory",
  );
}

/** Writes a file whole, and closes what it is copied from. */
async function copy(source: ByteSource, target: string, signal?: AbortSignal): Promise<void> {
  try {
    await writeFileAtomic(target, async (write) => {
      for (const [begin, end] of partsOf(0, source.size, PART_BYTES)) {
        signal?.throwIfAborted();
        await write(await source.read(begin, end));
      }
    });
  } finally {
    await source.close();
  }
}
